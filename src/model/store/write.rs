//! Writing spans, logs, links and statuses.

use std::borrow::Cow;
use std::collections::hash_map::Entry;

use super::writer::Writer;
use super::{
    Chain, Details, Dropped, LinkRecord, LogRecord, NONE, NewSpan, OPEN, Outcome, Room, SpanRecord,
    SpanStore, Text,
};
use crate::kit::Tick;
use crate::model::{Limits, Link, LogLevel, SpanId, SpanKind, Status, TagRef};

impl SpanStore {
    pub(crate) fn with_room(room: Room) -> Self {
        Self { room, ..Self::default() }
    }

    /// Memory this buffer has reserved, in bytes.
    #[inline]
    pub(crate) const fn bytes(&self) -> usize {
        self.room.used()
    }

    /// Forgets the content and keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.spans.clear();
        if let Some(details) = &mut self.details {
            details.clear();
        }
    }

    /// Adds a span that has not ended; gives it back when there is no room for it.
    #[inline(always)]
    pub(crate) fn push_span(&mut self, new: NewSpan, limits: &Limits) -> Result<u32, NewSpan> {
        match new.name {
            // What nearly every span of a buffer that is reused comes to.
            Cow::Borrowed(name)
                if self.spans.len() < self.spans.capacity()
                    && name.len() <= limits.value_bytes as usize =>
            {
                Ok(self.place_span(&new, Text::Static(name)))
            }
            _ => self.push_span_in_new_room(new, limits),
        }
    }

    #[cold]
    fn push_span_in_new_room(&mut self, new: NewSpan, limits: &Limits) -> Result<u32, NewSpan> {
        if self.spans.len() >= NONE as usize || !self.room.reserve(&mut self.spans, 1, 1) {
            return Err(new);
        }
        let name = match &new.name {
            // A buffer that holds nothing but short static names never makes its details.
            Cow::Borrowed(name) if name.len() <= limits.value_bytes as usize => Text::Static(name),
            Cow::Borrowed(name) => Text::Static(self.writer(limits).within_limit(name)),
            Cow::Owned(name) => match self.writer(limits).arena(name) {
                Some(slice) => Text::Arena(slice),
                None => return Err(new),
            },
        };
        Ok(self.place_span(&new, name))
    }

    #[inline(always)]
    fn place_span(&mut self, new: &NewSpan, name: Text) -> u32 {
        let index = self.spans.len() as u32;
        self.spans.push(SpanRecord {
            id: new.id,
            parent: new.parent,
            start: new.start,
            end: OPEN,
            name,
            tags: Chain::EMPTY,
            logs: Chain::EMPTY,
            log_count: 0,
            kind: new.kind,
            outcome: Outcome::Unset,
        });
        index
    }

    /// Where the span with this id stands; `guess` is where it stood when it was added.
    #[inline]
    pub(crate) fn find(&self, guess: u32, id: SpanId) -> Option<u32> {
        match self.spans.get(guess as usize) {
            Some(record) if record.id == id => Some(guess),
            _ => self.search(id),
        }
    }

    #[cold]
    fn search(&self, id: SpanId) -> Option<u32> {
        let index = self.spans.iter().rposition(|record| record.id == id);
        index.and_then(|index| u32::try_from(index).ok())
    }

    /// Where the span with this id stands, if it has not ended.
    #[inline]
    pub(crate) fn find_open(&self, guess: u32, id: SpanId) -> Option<u32> {
        let is_open = |index: u32| self.span(index).is_some_and(|record| record.end == OPEN);
        match self.spans.get(guess as usize) {
            Some(record) if record.id == id => (record.end == OPEN).then_some(guess),
            _ => self.search(id).filter(|index| is_open(*index)),
        }
    }

    /// Ends a span, never before its start; where it stands, unless it had ended already.
    #[inline]
    pub(crate) fn finish(&mut self, guess: u32, id: SpanId, end: Tick) -> Option<u32> {
        let index = self.find_open(guess, id)?;
        self.finish_at(index, end);
        Some(index)
    }

    /// Ends the span that stands there, unless it has ended.
    #[inline]
    pub(crate) fn finish_at(&mut self, span: u32, end: Tick) {
        if let Some(record) = self.spans.get_mut(span as usize)
            && record.end == OPEN
        {
            record.end = end.max(record.start);
        }
    }

    pub(crate) fn rename(&mut self, span: u32, name: Cow<'static, str>, limits: &Limits) {
        if let Some(name) = self.writer(limits).text(name)
            && let Some(record) = self.spans.get_mut(span as usize)
        {
            record.name = name;
        }
    }

    pub(crate) fn set_kind(&mut self, span: u32, kind: SpanKind) {
        if let Some(record) = self.spans.get_mut(span as usize) {
            record.kind = kind;
        }
    }

    /// Sets a tag; the last value of a key wins. False when it was dropped.
    #[inline]
    pub(crate) fn set_tag(
        &mut self,
        span: u32,
        key: Cow<'static, str>,
        value: TagRef<'_>,
        limits: &Limits,
    ) -> bool {
        let Self { spans, details, room } = self;
        let Some(record) = spans.get_mut(span as usize) else {
            return false;
        };
        let mut writer = Writer { details: details_in(details, room), room, limits };
        let stored = writer.put(&mut record.tags, key, value, limits.tags);
        if !stored {
            self.dropped(span).tags += 1;
        }
        stored
    }

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
        let slot = if is_full { self.unlink_lesser_log(span, level) } else { None };
        if is_full {
            self.dropped(span).logs += 1;
            slot?;
        }
        let Self { spans, details, room } = self;
        let mut writer = Writer { details: details_in(details, room), room, limits };
        let placed = writer.arena(message).and_then(|message| {
            let log = LogRecord { time, message, fields: Chain::EMPTY, next: NONE, level };
            writer.place_log(slot, log)
        });
        let Some(index) = placed else {
            if !is_full {
                self.dropped(span).logs += 1;
            }
            return None;
        };
        let record = spans.get_mut(span as usize)?;
        match writer.details.logs.get_mut(record.logs.tail as usize) {
            Some(last) => last.next = index,
            None => record.logs.head = index,
        }
        record.logs.tail = index;
        record.log_count += 1;
        Some(index)
    }

    /// Takes the first entry below `level`, when that is error, out of a span's chain.
    #[cold]
    fn unlink_lesser_log(&mut self, span: u32, level: LogLevel) -> Option<u32> {
        if level < LogLevel::Error {
            return None;
        }
        let record = self.spans.get_mut(span as usize)?;
        let logs = &mut self.details.as_deref_mut()?.logs;
        let (mut before, mut at) = (NONE, record.logs.head);
        while let Some(log) = logs.get(at as usize) {
            let next = log.next;
            if log.level < level {
                match logs.get_mut(before as usize) {
                    Some(previous) => previous.next = next,
                    None => record.logs.head = next,
                }
                if record.logs.tail == at {
                    record.logs.tail = before;
                }
                record.log_count -= 1;
                return Some(at);
            }
            (before, at) = (at, next);
        }
        None
    }

    /// Sets a field of a log entry; false when it was dropped.
    pub(crate) fn set_field(
        &mut self,
        log: u32,
        key: Cow<'static, str>,
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
        stored
    }

    /// Adds a link; false when it was dropped.
    pub(crate) fn push_link(&mut self, span: u32, link: Link, limits: &Limits) -> bool {
        let mut writer = self.writer(limits);
        let rare = writer.details.rare.get_or_insert_default();
        let count = rare.links.get(&span).map_or(0, Vec::len);
        if count >= usize::from(limits.links) || !writer.room.take(size_of::<LinkRecord>()) {
            self.dropped(span).links += 1;
            return false;
        }
        let mut tags = Chain::EMPTY;
        for (key, value) in link.tags {
            writer.put(&mut tags, key, value.as_ref(), limits.tags_per_link);
        }
        let rare = writer.details.rare.get_or_insert_default();
        rare.links.entry(span).or_default().push(LinkRecord { context: link.context, tags });
        true
    }

    /// Sets the status by OpenTelemetry's order: `Ok` is final, `Unset` changes nothing, the last
    /// error stands.
    pub(crate) fn set_status(&mut self, span: u32, status: Status, limits: &Limits) {
        let Some(record) = self.spans.get_mut(span as usize) else {
            return;
        };
        if record.outcome == Outcome::Ok {
            return;
        }
        match status {
            Status::Unset => {}
            Status::Ok => record.outcome = Outcome::Ok,
            Status::Error { description } => {
                record.outcome = Outcome::Error;
                self.describe(span, &description, limits);
            }
        }
    }

    fn describe(&mut self, span: u32, description: &str, limits: &Limits) {
        let mut writer = self.writer(limits);
        let slice = if description.is_empty() { None } else { writer.arena(description) };
        let descriptions = &mut writer.details.rare.get_or_insert_default().descriptions;
        match (slice, descriptions.entry(span)) {
            (Some(slice), entry) => {
                entry.insert_entry(slice);
            }
            (None, Entry::Occupied(old)) => {
                old.remove();
            }
            (None, Entry::Vacant(_)) => {}
        }
    }

    #[cold]
    pub(super) fn dropped(&mut self, span: u32) -> &mut Dropped {
        let rare = self.details.get_or_insert_default().rare.get_or_insert_default();
        rare.dropped.entry(span).or_default()
    }

    pub(super) fn writer<'a>(&'a mut self, limits: &'a Limits) -> Writer<'a> {
        let Self { details, room, .. } = self;
        Writer { details: details_in(details, room), room, limits }
    }
}

/// The details, which are made and counted when the first span needs them.
#[inline]
fn details_in<'a>(details: &'a mut Option<Box<Details>>, room: &mut Room) -> &'a mut Details {
    details.get_or_insert_with(|| {
        room.count(size_of::<Details>());
        Box::default()
    })
}
