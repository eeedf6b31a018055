//! Copies of spans and of whole buffers.

#[cfg(feature = "layer")]
use std::borrow::Cow;
use std::ops::Range;

use super::{
    ColumnIndex, DetailColumns, DropCounts, MemoryBudget, NewSpan, OPEN, RareDetails,
    RecordedSpans, SpanIndex, SpanRecord, Text,
};
#[cfg(feature = "layer")]
use crate::model::TagRef;
use crate::model::{Limits, Link};
use crate::time::ClockCorrection;

impl RecordedSpans {
    /// Takes the spans that have ended out of the buffer, and leaves those that are open.
    pub(in crate::trace::store) fn split_ended(&mut self) -> Self {
        self.split(|_, record| record.end != OPEN)
    }

    /// A copy of some of the spans, without spare memory.
    pub(in crate::trace::store) fn part(&self, spans: Range<usize>) -> Self {
        let mut part = Self::with_capacity(spans.len());
        for (index, _) in self.indexed().skip(spans.start).take(spans.len()) {
            part.copy_span(self, index, ClockCorrection::NONE);
        }
        part.to_exact()
    }

    /// Takes one span out of the buffer.
    #[cfg(feature = "layer")]
    pub(in crate::trace::store) fn take_span(&mut self, span: SpanIndex) -> Self {
        let limit = self.budget.limit();
        let mut taken = self.split(|index, _| index == span);
        taken.budget = taken.budget.with_limit(limit);
        taken
    }

    fn split(&mut self, is_taken: impl Fn(SpanIndex, &SpanRecord) -> bool) -> Self {
        let limit = self.budget.limit();
        let both = std::mem::take(self);
        let mut taken = Self::default();
        for (index, record) in both.indexed() {
            let part = if is_taken(index, record) { &mut taken } else { &mut *self };
            part.copy_span(&both, index, ClockCorrection::NONE);
        }
        let cut_values = both.cut_values();
        if cut_values > 0 {
            taken.writer(&Limits::NONE).details.cut_values += cut_values;
        }
        self.budget = self.budget.with_limit(limit);
        taken
    }

    /// Adds a copy of a span of another buffer, whatever its limits were, with its times moved by `shift`.
    pub(crate) fn copy_span(
        &mut self,
        from: &Self,
        span: SpanIndex,
        shift: ClockCorrection,
    ) -> Option<SpanIndex> {
        let record = from.span(span)?;
        if shift == ClockCorrection::NONE && record.is_bare() && !from.has_rare() {
            return self.copy_bare_span(record);
        }
        let start = record.start.shifted(shift);
        self.note_start(start);
        let new = NewSpan { start, ..from.new_span(record) };
        let copy = self.push_span(new, &Limits::NONE).ok()?;
        if let Some(copy) = self.spans.get_mut(copy.as_usize()) {
            copy.is_parent_remote = record.is_parent_remote;
            copy.part = record.part;
        }
        self.copy_details(copy, from, span, shift);
        if record.end != OPEN {
            self.finish_at(copy, record.end.shifted(shift));
        }
        Some(copy)
    }

    /// Whether any span may have what few have.
    pub(super) fn has_rare(&self) -> bool {
        self.details.as_deref().is_some_and(|details| details.rare.is_some())
    }

    /// Adds a copy of a span of which nothing stands outside of its record.
    fn copy_bare_span(&mut self, record: &SpanRecord) -> Option<SpanIndex> {
        self.note_start(record.start);
        if !self.budget.reserve(&mut self.spans, 1, 1) {
            return None;
        }
        let copy = SpanIndex::new(self.spans.len() as u32);
        self.spans.push(*record);
        if record.end != OPEN {
            self.last_end = self.last_end.max(record.end);
        }
        Some(copy)
    }

    /// Gives a span the tags, logs, links, losses and the status of one of another buffer.
    pub(crate) fn copy_details(
        &mut self,
        copy: SpanIndex,
        from: &Self,
        span: SpanIndex,
        shift: ClockCorrection,
    ) {
        let limits = &Limits::NONE;
        let Some(record) = from.span(span) else { return };
        for (key, value) in from.tags_of(record.tags) {
            self.set_tag(copy, from.owned_text(key), value, limits);
        }
        for log in from.logs(record) {
            let message = from.message(log);
            if let Some(index) =
                self.push_log(copy, log.time.shifted(shift), log.level, message, limits)
            {
                for (key, value) in from.tags_of(log.fields) {
                    self.set_field(copy, index, from.owned_text(key), value, limits);
                }
            }
        }
        for link in from.owned_links(span) {
            self.push_link(copy, link, limits);
        }
        self.set_status(copy, from.status(span), limits);
        if record.is_marked_failed {
            self.mark_failed(copy);
        }
        let DropCounts { tags, logs, links } = from.dropped_of(span);
        self.count_dropped(copy, tags, logs, links);
    }

    /// What a span was made of.
    pub(in crate::trace::store) fn new_span(&self, record: &SpanRecord) -> NewSpan {
        NewSpan {
            id: record.id,
            parent: record.parent,
            start: record.start,
            name: self.owned_text(record.name),
            kind: record.kind,
        }
    }

    /// Gives a span the end, the status and the parent's place of an outline, whatever was written to it since.
    pub(in crate::trace::store) fn restore_outline(
        &mut self,
        span: SpanIndex,
        outline: &SpanRecord,
    ) {
        self.change_failure(span, |record| {
            record.end = outline.end;
            record.status = outline.status;
            record.is_parent_remote = outline.is_parent_remote;
            record.is_marked_failed = outline.is_marked_failed;
        });
    }

    /// Gives the spans, which are those of `outlines` in the same order, the times of those together.
    pub(in crate::trace::store) fn restore_times(&mut self, outlines: &Self) {
        self.last_end = outlines.last_end;
        if let Some(start) = outlines.details.as_ref().and_then(|details| details.earlier_start) {
            self.note_start(start);
        }
    }

    #[cfg(feature = "layer")]
    pub(crate) fn owned_name(&self, record: &SpanRecord) -> Cow<'static, str> {
        self.owned_text(record.name)
    }

    /// The tags of a span, with keys that are static where they were.
    #[cfg(feature = "layer")]
    pub(crate) fn keyed_tags(
        &self,
        record: &SpanRecord,
    ) -> impl Iterator<Item = (Cow<'static, str>, TagRef<'_>)> {
        self.tags_of(record.tags).map(|(key, value)| (self.owned_text(key), value))
    }

    pub(crate) fn owned_links(&self, span: SpanIndex) -> impl Iterator<Item = Link> {
        self.links(span).map(|link| {
            let tags = self.tags_of(link.tags);
            let tags = tags.map(|(key, value)| (self.owned_text(key), value.to_value()));
            Link { context: link.context.clone(), tags: tags.collect() }
        })
    }

    /// Takes all spans out, with the memory they have, and leaves an empty buffer of the same limit.
    pub(in crate::trace::store) fn take_all(&mut self) -> Self {
        let rest = Self::with_budget(MemoryBudget::new(self.budget.limit()));
        let mut taken = std::mem::replace(self, rest);
        if let Some(rare) = taken.details.as_mut().and_then(|details| details.rare.as_mut()) {
            let keys = std::mem::take(&mut rare.keys).reserved();
            taken.budget = taken.budget.with_used(taken.budget.used().saturating_sub(keys));
        }
        taken.budget = taken.budget.with_limit(MemoryBudget::default().limit());
        taken
    }

    /// A copy without spare memory.
    pub(in crate::trace::store) fn to_exact(&self) -> Self {
        let spans = self.spans.clone();
        let details = self.details.as_deref().filter(|details| !details.is_empty());
        let details = details.map(|details| Box::new(details.to_exact()));
        let bytes = size_of_val(spans.as_slice()) + details.as_ref().map_or(0, |d| d.bytes());
        Self {
            spans,
            details,
            budget: MemoryBudget::default().with_used(bytes),
            last_end: self.last_end,
        }
    }
}

impl SpanRecord {
    /// Whether nothing of a span stands outside of its record, but for what few have.
    pub(super) fn is_bare(&self) -> bool {
        self.tags.is_empty()
            && self.logs.is_empty()
            && !self.has_failed()
            && matches!(self.name, Text::Static(_))
    }
}

impl DetailColumns {
    pub(super) fn is_empty(&self) -> bool {
        self.tags.is_empty()
            && self.logs.is_empty()
            && self.text.is_empty()
            && self.cut_values == 0
            && self.failed_spans == 0
            && self.earlier_start.is_none()
            && self.rare.as_deref().is_none_or(RareDetails::is_empty)
    }

    fn to_exact(&self) -> Self {
        let rare = self.rare.as_deref().filter(|rare| !rare.is_empty());
        Self {
            tags: self.tags.clone(),
            logs: self.logs.clone(),
            text: self.text.clone(),
            cut_values: self.cut_values,
            failed_spans: self.failed_spans,
            earlier_start: self.earlier_start,
            rare: rare.map(|rare| Box::new(rare.clone())),
        }
    }

    pub(super) fn bytes(&self) -> usize {
        let columns = size_of_val(self.tags.as_slice()) + size_of_val(self.logs.as_slice());
        let rare = self.rare.as_ref().map_or(0, |rare| rare.bytes());
        size_of::<Self>() + columns + self.text.len() + rare
    }
}

impl RareDetails {
    pub(super) fn is_empty(&self) -> bool {
        self.links.is_empty()
            && self.bytes.is_empty()
            && self.arrays.is_empty()
            && self.descriptions.is_empty()
            && self.dropped.is_empty()
    }

    pub(super) fn bytes(&self) -> usize {
        let columns = size_of_val(self.arrays.as_slice()) + self.bytes.len();
        size_of::<Self>() + columns + self.value_bytes
    }
}
