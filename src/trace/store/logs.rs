//! Writing logs.

use std::borrow::Cow;

use super::writer::{Key, Lent, Writer};
use super::{Chain, LogRecord, NONE, SpanStore, details_in};
use crate::model::{Limits, LogLevel, TagKey, TagRef};
use crate::time::Tick;

/// An entry of a span's chain of logs, with its neighbours.
#[derive(Clone, Copy)]
struct Lesser {
    before: u32,
    at: u32,
    next: u32,
}

impl SpanStore {
    /// Adds a log entry; its index, or `None` when it was dropped.
    ///
    /// At the limit an entry of level error takes the place of the first lesser one: what explains a
    /// failure comes last.
    pub(crate) fn push_log(
        &mut self,
        span: u32,
        time: Tick,
        level: LogLevel,
        message: &str,
        limits: &Limits,
    ) -> Option<u32> {
        let is_full = self.spans.get(span as usize)?.log_count >= limits.logs;
        let lesser = if is_full { self.lesser_log(span, level) } else { None };
        let has_place = !is_full || lesser.is_some();
        // Nothing makes way for an entry that has no room itself.
        let text =
            if has_place { self.writer(limits).arena(message, limits.text_bytes) } else { None };
        let slot = text.and(lesser).map(|lesser| self.unlink_log(span, lesser));
        let Self { spans, details, room } = self;
        let mut writer = Writer { details: details_in(details, room), room, limits };
        let placed = text.and_then(|message| {
            let log = LogRecord { time, message, fields: Chain::EMPTY, next: NONE, level };
            writer.place_log(slot, log)
        });
        if let Some(index) = placed {
            let record = spans.get_mut(span as usize)?;
            match writer.details.logs.get_mut(record.logs.tail as usize) {
                Some(last) => last.next = index,
                None => record.logs.head = index,
            }
            record.logs.tail = index;
            record.log_count += 1;
        }
        // Either this entry was dropped, or the one whose place it took.
        if is_full || placed.is_none() {
            self.dropped(span).logs += 1;
        }
        placed
    }

    /// The first entry below `level`, when that is error, with the one before it.
    #[cold]
    fn lesser_log(&self, span: u32, level: LogLevel) -> Option<Lesser> {
        if level < LogLevel::Error {
            return None;
        }
        let logs = &self.details.as_deref()?.logs;
        let (mut before, mut at) = (NONE, self.spans.get(span as usize)?.logs.head);
        while let Some(log) = logs.get(at as usize) {
            if log.level < level {
                return Some(Lesser { before, at, next: log.next });
            }
            (before, at) = (at, log.next);
        }
        None
    }

    /// Takes an entry out of a span's chain; its place.
    fn unlink_log(&mut self, span: u32, Lesser { before, at, next }: Lesser) -> u32 {
        let Some(record) = self.spans.get_mut(span as usize) else { return at };
        let previous = self.details.as_deref_mut().and_then(|d| d.logs.get_mut(before as usize));
        match previous {
            Some(previous) => previous.next = next,
            None => record.logs.head = next,
        }
        if record.logs.tail == at {
            record.logs.tail = before;
        }
        record.log_count -= 1;
        at
    }

    /// Sets a field of a log entry of a span; false when it was dropped, which counts among the span's
    /// tags.
    pub(crate) fn set_field(
        &mut self,
        span: u32,
        log: u32,
        key: Cow<'static, str>,
        value: TagRef<'_>,
        limits: &Limits,
    ) -> bool {
        self.put_field(span, log, key, value, limits)
    }

    /// The same with a key that is lent.
    pub(crate) fn set_field_of(
        &mut self,
        span: u32,
        log: u32,
        key: &TagKey<'_>,
        value: TagRef<'_>,
        limits: &Limits,
    ) -> bool {
        match key.as_static() {
            Some(key) => self.put_field(span, log, Cow::Borrowed(key), value, limits),
            None => self.put_field(span, log, Lent(key.as_str()), value, limits),
        }
    }

    fn put_field<K: Key>(
        &mut self,
        span: u32,
        log: u32,
        key: K,
        value: TagRef<'_>,
        limits: &Limits,
    ) -> bool {
        let mut writer = self.writer(limits);
        let Some(mut fields) = writer.details.logs.get(log as usize).map(|log| log.fields) else {
            return false;
        };
        let stored = writer.put(&mut fields, key, value, limits.fields_per_log);
        if let Some(log) = writer.details.logs.get_mut(log as usize) {
            log.fields = fields;
        }
        if !stored {
            self.dropped(span).tags += 1;
        }
        stored
    }
}
