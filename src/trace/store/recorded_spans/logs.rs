//! Writing log entries.

use std::borrow::Cow;

use super::column_writer::{BorrowedKey, ColumnWriter, Key};
use super::{
    ColumnIndex, ColumnList, DetailColumns, LogIndex, LogRecord, RecordedSpans, SpanIndex,
    details_in,
};
use crate::model::{Limits, LogLevel, TagKey, TagRef};
use crate::time::Tick;

/// Where an entry stands in a span's list of log entries, with the entries before and after it.
#[derive(Clone, Copy)]
struct LogPosition {
    before: LogIndex,
    at: LogIndex,
    next: LogIndex,
}

impl RecordedSpans {
    /// Adds a log entry; its index, or `None` when it was dropped.
    ///
    /// At the limit an entry of level error takes the place of the first lesser one: what explains a
    /// failure comes last.
    pub(crate) fn push_log(
        &mut self,
        span: SpanIndex,
        time: Tick,
        level: LogLevel,
        message: &str,
        limits: &Limits,
    ) -> Option<LogIndex> {
        if level >= LogLevel::Error {
            // Also where the entry is refused below.
            self.mark_failed(span);
        }
        let is_full = self.spans.get(span.as_usize())?.log_count >= limits.logs;
        let lesser = if is_full { self.lesser_log(span, level) } else { None };
        let has_place = !is_full || lesser.is_some();
        // No entry makes way for one that does not fit the budget itself.
        let most = limits.text_bytes;
        let text = if has_place { self.writer(limits).write_text(message, most) } else { None };
        let slot = text.and(lesser).map(|lesser| self.unlink_log(span, lesser));
        let Self { spans, details, budget, .. } = self;
        let mut writer = ColumnWriter { details: details_in(details, budget), budget, limits };
        let placed = text.and_then(|message| {
            let log =
                LogRecord { time, message, fields: ColumnList::EMPTY, next: LogIndex::NONE, level };
            writer.place_log(slot, log)
        });
        if let Some(index) = placed {
            let record = spans.get_mut(span.as_usize())?;
            match writer.details.logs.get_mut(record.logs.last.as_usize()) {
                Some(last) => last.next = index,
                None => record.logs.first = index,
            }
            record.logs.last = index;
            record.log_count += 1;
        }
        // Either this entry was dropped, or the one whose place it took.
        if is_full || placed.is_none() {
            self.dropped(span).logs += 1;
        }
        placed
    }

    /// Where the first entry below `level` stands, if that is error. Errors that the search has passed once are not
    /// passed again: they stay where they are.
    #[cold]
    fn lesser_log(&mut self, span: SpanIndex, level: LogLevel) -> Option<LogPosition> {
        if level < LogLevel::Error {
            return None;
        }
        let first = self.spans.get(span.as_usize())?.logs.first;
        let DetailColumns { logs, rare, .. } = self.details.as_deref_mut()?;
        let known = rare.as_ref().and_then(|rare| rare.last_errors.get(&span)).copied();
        let mut before = known.unwrap_or(LogIndex::NONE);
        let mut at = logs.get(before.as_usize()).map_or(first, |log| log.next);
        let mut lesser = None;
        while let Some(log) = logs.get(at.as_usize()) {
            if log.level < level {
                lesser = Some(LogPosition { before, at, next: log.next });
                break;
            }
            before = at;
            at = log.next;
        }
        rare.get_or_insert_default().last_errors.insert(span, before);
        lesser
    }

    /// Takes an entry out of a span's list; the index that is free then.
    fn unlink_log(
        &mut self,
        span: SpanIndex,
        LogPosition { before, at, next }: LogPosition,
    ) -> LogIndex {
        let Some(record) = self.spans.get_mut(span.as_usize()) else { return at };
        let previous = self.details.as_deref_mut().and_then(|d| d.logs.get_mut(before.as_usize()));
        match previous {
            Some(previous) => previous.next = next,
            None => record.logs.first = next,
        }
        if record.logs.last == at {
            record.logs.last = before;
        }
        record.log_count -= 1;
        at
    }

    /// Sets a field of a log entry of a span; false when it was dropped, which counts among the span's
    /// tags.
    pub(crate) fn set_field(
        &mut self,
        span: SpanIndex,
        log: LogIndex,
        key: Cow<'static, str>,
        value: TagRef<'_>,
        limits: &Limits,
    ) -> bool {
        self.set_field_by(span, log, key, value, limits)
    }

    /// Sets a field like [`set_field`](Self::set_field), by a key that may be lent.
    pub(crate) fn set_field_of(
        &mut self,
        span: SpanIndex,
        log: LogIndex,
        key: &TagKey<'_>,
        value: TagRef<'_>,
        limits: &Limits,
    ) -> bool {
        match key.as_static() {
            Some(key) => self.set_field_by(span, log, Cow::Borrowed(key), value, limits),
            None => self.set_field_by(span, log, BorrowedKey(key.as_str()), value, limits),
        }
    }

    fn set_field_by<K: Key>(
        &mut self,
        span: SpanIndex,
        log: LogIndex,
        key: K,
        value: TagRef<'_>,
        limits: &Limits,
    ) -> bool {
        let mut writer = self.writer(limits);
        let Some(mut fields) = writer.details.logs.get(log.as_usize()).map(|log| log.fields) else {
            return false;
        };
        let stored = writer.set_tag(&mut fields, key, value, limits.fields_per_log);
        if let Some(log) = writer.details.logs.get_mut(log.as_usize()) {
            log.fields = fields;
        }
        if !stored {
            self.dropped(span).tags += 1;
        }
        stored
    }
}
