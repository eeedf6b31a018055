//! Copies of spans and of whole buffers.

use std::borrow::Cow;

use super::writer::array_bytes;
use super::{
    Details, Dropped, LinkRecord, LogRecord, NewSpan, OPEN, Rare, Room, SpanRecord, SpanStore,
    TagRecord,
};
use crate::model::{Limits, Link, TagRef, TagValue};
use crate::time::Tick;

impl SpanStore {
    /// Takes the spans that have ended out of the buffer and leaves those that have not.
    ///
    /// Both halves have the room they need: together they may reserve a little more than the whole did.
    pub(crate) fn split_ended(&mut self) -> Self {
        if self.has_originals() {
            // They came when they had ended.
            let rest = Self::with_room(Room::new(self.room.limit()));
            return std::mem::replace(self, rest);
        }
        self.split(|_, record| record.end != OPEN)
    }

    /// Takes one span out of the buffer.
    pub(crate) fn take_span(&mut self, span: u32) -> Self {
        let limit = self.room.limit();
        let mut taken = self.split(|index, _| index == span);
        taken.room = taken.room.limited(limit);
        taken
    }

    fn split(&mut self, is_taken: impl Fn(u32, &SpanRecord) -> bool) -> Self {
        let limit = self.room.limit();
        let both = std::mem::take(self);
        let mut taken = Self::default();
        for (index, record) in (0..).zip(&both.spans) {
            let part = if is_taken(index, record) { &mut taken } else { &mut *self };
            part.copy_span(&both, index, 0);
        }
        let cut_values = both.cut_values();
        if cut_values > 0 {
            taken.writer(&Limits::NONE).details.cut_values += cut_values;
        }
        self.room = self.room.limited(limit);
        taken
    }

    /// Adds a copy of a span of another buffer, whatever its limits were; `shift` is added to its times, in nanoseconds.
    pub(crate) fn copy_span(&mut self, from: &Self, span: u32, shift: i64) -> Option<u32> {
        let limits = &Limits::NONE;
        let moved = |tick: Tick| Tick::from_nanos(tick.as_nanos().saturating_add_signed(shift));
        let record = from.span(span)?;
        let copy = self.push_span(
            NewSpan {
                id: record.id,
                parent: record.parent,
                start: moved(record.start),
                name: from.owned_text(record.name),
                kind: record.kind,
            },
            limits,
        );
        let copy = copy.ok()?;
        self.set_parent_remote(copy, record.is_parent_remote);
        self.copy_details(copy, from, span, shift);
        if record.end != OPEN {
            self.finish_at(copy, moved(record.end));
        }
        Some(copy)
    }

    /// Gives a span the tags, logs, links, losses and the status of one of another buffer.
    pub(crate) fn copy_details(&mut self, copy: u32, from: &Self, span: u32, shift: i64) {
        let limits = &Limits::NONE;
        let moved = |tick: Tick| Tick::from_nanos(tick.as_nanos().saturating_add_signed(shift));
        let Some(record) = from.span(span) else { return };
        for (key, value) in from.tags_of(record.tags) {
            self.set_tag(copy, from.owned_text(key), value, limits);
        }
        for log in from.logs(record) {
            let message = from.message(log);
            if let Some(index) = self.push_log(copy, moved(log.time), log.level, message, limits) {
                for (key, value) in from.tags_of(log.fields) {
                    self.set_field(copy, index, from.owned_text(key), value, limits);
                }
            }
        }
        for link in from.owned_links(span) {
            self.push_link(copy, link, limits);
        }
        self.set_status(copy, from.status(span), limits);
        let Dropped { tags, logs, links } = from.dropped_of(span);
        self.count_dropped(copy, tags, logs, links);
    }

    pub(crate) fn owned_name(&self, record: &SpanRecord) -> Cow<'static, str> {
        self.owned_text(record.name)
    }

    /// Tags with keys that are static where they were.
    pub(crate) fn keyed_tags(
        &self,
        record: &SpanRecord,
    ) -> impl Iterator<Item = (Cow<'static, str>, TagRef<'_>)> {
        self.tags_of(record.tags).map(|(key, value)| (self.owned_text(key), value))
    }

    pub(crate) fn owned_links(&self, span: u32) -> impl Iterator<Item = Link> {
        self.links(span).map(|link| {
            let tags = self.tags_of(link.tags);
            let tags = tags.map(|(key, value)| (self.owned_text(key), value.to_value()));
            Link { context: link.context.clone(), tags: tags.collect() }
        })
    }

    /// A copy with no memory to spare. Originals are not copied but go with it.
    pub(crate) fn freeze(&mut self) -> Self {
        let originals = self.take_originals();
        let mut frozen = self.to_exact();
        if let Some(originals) = originals {
            frozen.room = self.room.limited(u32::MAX);
            frozen.details.get_or_insert_default().originals = Some(originals);
            self.recount();
        }
        frozen
    }

    pub(crate) fn to_exact(&self) -> Self {
        let spans = self.spans.clone();
        let details = self.details.as_deref().filter(|details| !details.is_empty());
        let details = details.map(|details| Box::new(details.to_exact()));
        let bytes = size_of_val(spans.as_slice()) + details.as_ref().map_or(0, |d| d.bytes());
        Self { spans, details, room: Room::counted(bytes) }
    }
}

impl Details {
    /// The memory it has reserved, without what was cleared out of [`Rare`].
    pub(super) fn reserved(&self) -> usize {
        let columns = self.tags.capacity() * size_of::<TagRecord>()
            + self.logs.capacity() * size_of::<LogRecord>();
        let rare = self.rare.as_ref().map_or(0, |rare| {
            rare.bytes.capacity() + rare.arrays.capacity() * size_of::<TagValue>()
        });
        let originals = self.originals.as_ref().map_or(0, |originals| originals.reserved());
        size_of::<Self>() + columns + self.text.capacity() + rare + originals
    }

    fn is_empty(&self) -> bool {
        self.tags.is_empty()
            && self.logs.is_empty()
            && self.text.is_empty()
            && self.cut_values == 0
            && self.rare.as_deref().is_none_or(Rare::is_empty)
    }

    pub(crate) fn to_exact(&self) -> Self {
        let rare = self.rare.as_deref().filter(|rare| !rare.is_empty());
        let (tags, logs) = (self.tags.clone(), self.logs.clone());
        let (text, cut_values) = (self.text.clone(), self.cut_values);
        let rare = rare.map(|rare| Box::new(rare.clone()));
        Self { tags, logs, text, cut_values, rare, originals: None }
    }

    fn bytes(&self) -> usize {
        let columns = size_of_val(self.tags.as_slice()) + size_of_val(self.logs.as_slice());
        let rare = self.rare.as_ref().map_or(0, |rare| rare.bytes());
        size_of::<Self>() + columns + self.text.len() + rare
    }
}

impl Rare {
    fn is_empty(&self) -> bool {
        self.links.is_empty()
            && self.bytes.is_empty()
            && self.arrays.is_empty()
            && self.descriptions.is_empty()
            && self.dropped.is_empty()
    }

    fn bytes(&self) -> usize {
        let arrays: usize = self.arrays.iter().map(array_bytes).sum();
        let links: usize = self.links.values().map(Vec::len).sum();
        let columns = links * size_of::<LinkRecord>() + size_of_val(self.arrays.as_slice());
        size_of::<Self>() + columns + self.bytes.len() + arrays
    }
}
