//! Writing into the buffer.

use std::borrow::Cow;

use super::{
    Chain, Dropped, LinkRecord, LogRecord, NONE, NewSpan, OPEN, Outcome, Room, Slice, SpanRecord,
    SpanStore, TagRecord, Text,
};
use crate::kit::Tick;
use crate::model::{Limits, Link, LogLevel, SpanId, SpanKind, Status, TagRef};

impl SpanStore {
    pub(crate) fn with_room(room: Room) -> Self {
        Self {
            room,
            ..Self::default()
        }
    }

    /// Memory this buffer has reserved, in bytes.
    #[inline]
    pub(crate) const fn bytes(&self) -> usize {
        self.room.used()
    }

    pub(crate) fn limit_bytes(&mut self, limit: u32) {
        self.room = self.room.limited(limit);
    }

    /// Forgets the content and keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.spans.clear();
        if let Some(details) = &mut self.details {
            details.tags.clear();
            details.logs.clear();
            details.text.clear();
            details.cut_values = 0;
        }
        if let Some(rare) = &mut self.rare {
            rare.links.clear();
            rare.bytes.clear();
            rare.arrays.clear();
            rare.dropped.clear();
        }
    }

    /// Adds a span that has not ended; gives it back when there is no room for it.
    #[inline]
    pub(crate) fn push_span(&mut self, new: NewSpan, limits: &Limits) -> Result<u32, NewSpan> {
        let index = match u32::try_from(self.spans.len()) {
            Ok(index) if index != NONE && self.room.reserve(&mut self.spans, 1, 1) => index,
            _ => return Err(new),
        };
        let name = match new.name {
            Cow::Borrowed(name) => Text::Static(self.shortened(name, limits)),
            Cow::Owned(name) => match self.arena(&name, limits) {
                Some(slice) => Text::Arena(slice),
                None => {
                    return Err(NewSpan {
                        name: name.into(),
                        ..new
                    });
                }
            },
        };
        self.spans.push(SpanRecord {
            id: new.id,
            parent: new.parent,
            start: new.start,
            end: OPEN,
            name,
            description: Slice::EMPTY,
            tags: Chain::EMPTY,
            logs: Chain::EMPTY,
            tag_count: 0,
            log_count: 0,
            kind: new.kind,
            outcome: Outcome::Unset,
        });
        Ok(index)
    }

    /// Whether a span has not ended.
    #[inline]
    pub(crate) fn is_open(&self, span: u32) -> bool {
        self.spans
            .get(span as usize)
            .is_some_and(|record| record.end == OPEN)
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
        self.spans
            .iter()
            .rposition(|record| record.id == id)
            .and_then(|index| u32::try_from(index).ok())
    }

    /// Ends a span, never before its start; false when it had ended already.
    #[inline]
    pub(crate) fn finish(&mut self, span: u32, end: Tick) -> bool {
        match self.spans.get_mut(span as usize) {
            Some(record) if record.end == OPEN => {
                record.end = end.max(record.start);
                true
            }
            _ => false,
        }
    }

    pub(crate) fn rename(&mut self, span: u32, name: Cow<'static, str>, limits: &Limits) {
        if let Some(name) = self.text(name, limits)
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
    pub(crate) fn set_tag(
        &mut self,
        span: u32,
        key: Cow<'static, str>,
        value: TagRef<'_>,
        limits: &Limits,
    ) -> bool {
        let Some(record) = self.spans.get(span as usize) else {
            return false;
        };
        let (mut chain, mut count) = (record.tags, record.tag_count);
        let stored = self.put(&mut chain, &mut count, key, value, limits.tags, limits);
        if let Some(record) = self.spans.get_mut(span as usize) {
            (record.tags, record.tag_count) = (chain, count);
        }
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
        message: Cow<'_, str>,
        limits: &Limits,
    ) -> Option<u32> {
        let record = self.spans.get(span as usize)?;
        let full = record.log_count >= limits.logs;
        if full {
            self.dropped(span).logs += 1;
        }
        let slot = if full {
            Some(self.unlink_lesser_log(span, level)?)
        } else {
            None
        };
        let stored = self.arena(&message, limits).and_then(|message| {
            let log = LogRecord {
                time,
                message,
                fields: Chain::EMPTY,
                next: NONE,
                field_count: 0,
                level,
            };
            self.place_log(slot, log)
        });
        let Some(index) = stored else {
            if !full {
                self.dropped(span).logs += 1;
            }
            return None;
        };
        let details = self.details.as_deref_mut()?;
        let record = self.spans.get_mut(span as usize)?;
        append(&mut record.logs, index, |at| {
            details.logs.get_mut(at as usize).map(|log| &mut log.next)
        });
        record.log_count += 1;
        Some(index)
    }

    fn place_log(&mut self, slot: Option<u32>, log: LogRecord) -> Option<u32> {
        let details = self.details.get_or_insert_default();
        if let Some(slot) = slot {
            *details.logs.get_mut(slot as usize)? = log;
            return Some(slot);
        }
        let index = u32::try_from(details.logs.len()).ok()?;
        self.room.reserve(&mut details.logs, 1, 4).then(|| {
            details.logs.push(log);
            index
        })
    }

    /// Takes the first entry below `level`, when that is error, out of a span's chain.
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
        let Some(record) = self.details.as_ref().and_then(|d| d.logs.get(log as usize)) else {
            return false;
        };
        let (mut chain, mut count) = (record.fields, record.field_count);
        let stored = self.put(
            &mut chain,
            &mut count,
            key,
            value,
            limits.fields_per_log,
            limits,
        );
        if let Some(record) = self
            .details
            .as_mut()
            .and_then(|d| d.logs.get_mut(log as usize))
        {
            (record.fields, record.field_count) = (chain, count);
        }
        stored
    }

    /// Adds a link; false when it was dropped.
    pub(crate) fn push_link(&mut self, span: u32, link: Link, limits: &Limits) -> bool {
        let rare = self.rare.get_or_insert_default();
        let count = rare.links.iter().filter(|known| known.span == span).count();
        if count >= usize::from(limits.links) || !self.room.reserve(&mut rare.links, 1, 1) {
            self.dropped(span).links += 1;
            return false;
        }
        let (mut tags, mut tag_count) = (Chain::EMPTY, 0);
        for (key, value) in link.tags {
            self.put(
                &mut tags,
                &mut tag_count,
                key,
                value.as_ref(),
                limits.tags_per_link,
                limits,
            );
        }
        let rare = self.rare.get_or_insert_default();
        rare.links.push(LinkRecord {
            span,
            context: link.context,
            tags,
            tag_count,
        });
        true
    }

    /// Sets the status by OpenTelemetry's order: `Ok` is final, `Unset` changes nothing, the last
    /// error stands.
    pub(crate) fn set_status(&mut self, span: u32, status: Status, limits: &Limits) {
        let (outcome, description) = match status {
            Status::Unset => return,
            Status::Ok => (Outcome::Ok, Slice::EMPTY),
            Status::Error { description } => (
                Outcome::Error,
                self.arena(&description, limits).unwrap_or(Slice::EMPTY),
            ),
        };
        if let Some(record) = self.spans.get_mut(span as usize)
            && record.outcome != Outcome::Ok
        {
            (record.outcome, record.description) = (outcome, description);
        }
    }

    /// Sets `key` in a chain of tags; false when it was dropped.
    #[inline]
    fn put(
        &mut self,
        chain: &mut Chain,
        count: &mut u16,
        key: Cow<'static, str>,
        value: TagRef<'_>,
        limit: u16,
        limits: &Limits,
    ) -> bool {
        let known = self.lookup(*chain, &key);
        if known.is_none() && *count >= limit {
            return false;
        }
        let Some(value) = self.value(value, limits) else {
            return false;
        };
        if let Some(known) = known {
            if let Some(tag) = self
                .details
                .as_mut()
                .and_then(|d| d.tags.get_mut(known as usize))
            {
                tag.value = value;
            }
            return true;
        }
        let Some(key) = self.text(key, limits) else {
            return false;
        };
        let details = self.details.get_or_insert_default();
        let Ok(index) = u32::try_from(details.tags.len()) else {
            return false;
        };
        if !self.room.reserve(&mut details.tags, 1, 4) {
            return false;
        }
        details.tags.push(TagRecord {
            key,
            value,
            next: NONE,
        });
        append(chain, index, |at| {
            details.tags.get_mut(at as usize).map(|tag| &mut tag.next)
        });
        *count += 1;
        true
    }

    #[inline]
    fn lookup(&self, chain: Chain, key: &str) -> Option<u32> {
        let details = self.details.as_ref()?;
        let mut at = chain.head;
        while let Some(tag) = details.tags.get(at as usize) {
            if self.read_text(tag.key) == key {
                return Some(at);
            }
            at = tag.next;
        }
        None
    }

    pub(super) fn dropped(&mut self, span: u32) -> &mut Dropped {
        self.rare
            .get_or_insert_default()
            .dropped
            .entry(span)
            .or_default()
    }
}

/// Appends an item to a chain; `next_of` leads to an item's link to the next.
#[inline]
fn append<'a>(chain: &mut Chain, index: u32, next_of: impl FnOnce(u32) -> Option<&'a mut u32>) {
    match next_of(chain.tail) {
        Some(next) => *next = index,
        None => chain.head = index,
    }
    chain.tail = index;
}
