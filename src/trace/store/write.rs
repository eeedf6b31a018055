//! Writing spans, logs, links and statuses.

use std::borrow::Cow;

use super::writer::{Key, Lent, Writer};
use super::{
    Chain, Details, Dropped, LAST, LinkRecord, NONE, NewSpan, OPEN, Outcome, Room, SpanRecord,
    SpanStore, Text,
};
use crate::model::{Limits, Link, SpanId, SpanKind, TagKey, TagRef};
use crate::time::Tick;

impl SpanStore {
    pub(crate) fn with_room(room: Room) -> Self {
        Self { room, ..Self::default() }
    }

    /// Memory this buffer has reserved, in bytes.
    #[inline]
    pub(crate) const fn bytes(&self) -> usize {
        self.room.used()
    }

    /// Forgets the content and keeps the memory, but for what single values had to themselves.
    pub(crate) fn clear(&mut self) {
        self.spans.clear();
        if let Some(details) = &mut self.details {
            details.clear();
            if details.rare.is_some() || details.originals.is_some() {
                self.recount();
            }
        }
    }

    /// Counts what is reserved, without what single values had to themselves.
    pub(super) fn recount(&mut self) {
        let details = self.details.as_ref().map_or(0, |details| details.reserved());
        let spans = self.spans.capacity() * size_of::<SpanRecord>();
        self.room = self.room.recounted(spans + details);
    }

    /// Adds a span that has not ended; gives it back when there is no room for it.
    #[inline(always)]
    pub(crate) fn push_span(&mut self, new: NewSpan, limits: &Limits) -> Result<u32, NewSpan> {
        match new.name {
            // What nearly every span of a buffer that is reused comes to.
            Cow::Borrowed(name)
                if self.spans.len() < self.spans.capacity()
                    && name.len() <= limits.text_bytes as usize =>
            {
                Ok(self.place_span(&new, Text::Static(name)))
            }
            _ => self.push_span_in_new_room(new, limits),
        }
    }

    /// Adds a span that failed; an eighth of the room is kept for such.
    pub(crate) fn push_failed_span(
        &mut self,
        new: NewSpan,
        limits: &Limits,
    ) -> Result<u32, NewSpan> {
        let limit = self.room.limit();
        self.room = self.room.limited(limit.saturating_add(limit / 8));
        let pushed = self.push_span(new, limits);
        self.room = self.room.limited(limit);
        pushed
    }

    #[cold]
    fn push_span_in_new_room(&mut self, new: NewSpan, limits: &Limits) -> Result<u32, NewSpan> {
        if self.spans.len() >= NONE as usize || !self.room.reserve(&mut self.spans, 1, 1) {
            return Err(new);
        }
        let name = match &new.name {
            // A buffer that holds nothing but short static names never makes its details.
            Cow::Borrowed(name) if name.len() <= limits.text_bytes as usize => Text::Static(name),
            Cow::Borrowed(name) => {
                Text::Static(self.writer(limits).within_limit(name, limits.text_bytes))
            }
            Cow::Owned(name) => match self.writer(limits).arena(name, limits.text_bytes) {
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
            is_parent_remote: false,
        });
        index
    }

    /// Where the span with this id stands; `guess` is where it stood when it was added, or beyond.
    #[inline]
    pub(crate) fn find(&self, guess: u32, id: SpanId) -> Option<u32> {
        match self.spans.get(guess as usize) {
            Some(record) if record.id == id => Some(guess),
            _ => self.search(guess, id),
        }
    }

    /// A span only ever moves towards the front, by as many as were taken out before it.
    #[cold]
    fn search(&self, guess: u32, id: SpanId) -> Option<u32> {
        let last = (guess as usize).min(self.spans.len().saturating_sub(1));
        let index = self.spans.get(..=last)?.iter().rposition(|record| record.id == id);
        index.and_then(|index| u32::try_from(index).ok())
    }

    /// Where the span with this id stands, if it has not ended.
    #[inline]
    pub(crate) fn find_open(&self, guess: u32, id: SpanId) -> Option<u32> {
        let is_open = |index: u32| self.span(index).is_some_and(|record| record.end == OPEN);
        match self.spans.get(guess as usize) {
            Some(record) if record.id == id => (record.end == OPEN).then_some(guess),
            _ => self.search(guess, id).filter(|index| is_open(*index)),
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
            // The last tick of all means "open".
            record.end = end.max(record.start).min(LAST);
        }
    }

    pub(crate) fn rename(&mut self, span: u32, name: Cow<'static, str>, limits: &Limits) {
        let Some(old) = self.spans.get(span as usize).map(|record| record.name) else { return };
        let mut writer = self.writer(limits);
        let written = match (old, &name) {
            (Text::Arena(old), Cow::Owned(name)) => {
                writer.overwrite(old, name, limits.text_bytes).map(Text::Arena)
            }
            _ => None,
        };
        let written = written.or_else(|| writer.text(name));
        if let (Some(name), Some(record)) = (written, self.spans.get_mut(span as usize)) {
            record.name = name;
        }
    }

    pub(crate) fn set_parent(&mut self, span: u32, parent: Option<SpanId>) {
        if let Some(record) = self.spans.get_mut(span as usize) {
            record.parent = parent;
        }
    }

    pub(crate) fn set_parent_remote(&mut self, span: u32, is_remote: bool) {
        if let Some(record) = self.spans.get_mut(span as usize) {
            record.is_parent_remote = is_remote;
        }
    }

    pub(crate) fn set_kind(&mut self, span: u32, kind: SpanKind) {
        if let Some(record) = self.spans.get_mut(span as usize) {
            record.kind = kind;
        }
    }

    /// Sets a tag; the last value of a key wins. False when it was dropped.
    #[inline(never)]
    pub(crate) fn set_tag(
        &mut self,
        span: u32,
        key: Cow<'static, str>,
        value: TagRef<'_>,
        limits: &Limits,
    ) -> bool {
        self.set_tag_here(span, key, value, limits)
    }

    /// The same for the one caller that is worth a copy of its own.
    #[inline(always)]
    pub(crate) fn set_tag_here(
        &mut self,
        span: u32,
        key: Cow<'static, str>,
        value: TagRef<'_>,
        limits: &Limits,
    ) -> bool {
        self.put_tag(span, key, value, limits)
    }

    /// The same with a key that may be lent.
    pub(crate) fn set_tag_of(
        &mut self,
        span: u32,
        key: &TagKey<'_>,
        value: TagRef<'_>,
        limits: &Limits,
    ) -> bool {
        match key.as_static() {
            Some(key) => self.set_tag(span, Cow::Borrowed(key), value, limits),
            None => self.put_tag(span, Lent(key.as_str()), value, limits),
        }
    }

    #[inline(always)]
    fn put_tag<K: Key>(&mut self, span: u32, key: K, value: TagRef<'_>, limits: &Limits) -> bool {
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

    /// Adds a link; false when it was dropped.
    pub(crate) fn push_link(&mut self, span: u32, link: Link, limits: &Limits) -> bool {
        let mut writer = self.writer(limits);
        let rare = writer.details.rare.get_or_insert_default();
        let count = rare.links.get(&span).map_or(0, Vec::len);
        let context = link.context.identity();
        let bytes = size_of::<LinkRecord>() + context.trace_state.len();
        if count >= usize::from(limits.links) || !writer.room.take(bytes) {
            self.dropped(span).links += 1;
            return false;
        }
        let (mut tags, mut dropped) = (Chain::EMPTY, 0);
        for (key, value) in link.tags {
            let stored = writer.put(&mut tags, key, value.as_ref(), limits.tags_per_link);
            dropped += u32::from(!stored);
        }
        let rare = writer.details.rare.get_or_insert_default();
        rare.links.entry(span).or_default().push(LinkRecord { context, tags });
        if dropped > 0 {
            self.dropped(span).tags += dropped;
        }
        true
    }

    /// Counts what was dropped before it got here.
    pub(crate) fn count_dropped(&mut self, span: u32, tags: u32, logs: u32, links: u32) {
        if (tags, logs, links) != (0, 0, 0) {
            let here = self.dropped(span);
            here.tags = here.tags.saturating_add(tags);
            here.logs = here.logs.saturating_add(logs);
            here.links = here.links.saturating_add(links);
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
pub(super) fn details_in<'a>(
    details: &'a mut Option<Box<Details>>,
    room: &mut Room,
) -> &'a mut Details {
    details.get_or_insert_with(|| {
        room.count(size_of::<Details>());
        Box::default()
    })
}
