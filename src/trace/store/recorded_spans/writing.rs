//! Writing spans, their tags and links.

use std::borrow::Cow;

use super::column_writer::{BorrowedKey, ColumnWriter, Key};
use super::{
    ColumnIndex, ColumnList, DropCounts, LATEST_END, LinkRecord, NewSpan, OPEN, PartMarks,
    RecordedSpans, SpanIndex, SpanRecord, StatusCode, Text, details_in,
};
use crate::model::{Limits, Link, SpanId, SpanKind, TagKey, TagRef};
use crate::time::Tick;

impl RecordedSpans {
    /// Adds a span that has not ended; gives it back when it does not fit the budget.
    #[inline(always)]
    pub(crate) fn push_span(
        &mut self,
        new: NewSpan,
        limits: &Limits,
    ) -> Result<SpanIndex, NewSpan> {
        match new.name {
            // What nearly every span of a buffer that is reused comes to.
            Cow::Borrowed(name)
                if self.spans.len() < self.spans.capacity()
                    && name.len() <= limits.text_bytes as usize =>
            {
                Ok(self.place_span(&new, Text::Static(name)))
            }
            _ => self.push_span_and_grow(new, limits),
        }
    }

    /// Notes when a span started that may have done so before the one that stands first.
    pub(crate) fn note_start(&mut self, start: Tick) {
        if self.spans.first().is_some_and(|first| start < first.start) {
            let earlier = &mut details_in(&mut self.details, &mut self.budget).earlier_start;
            *earlier = Some(earlier.map_or(start, |earlier| earlier.min(start)));
        }
    }

    /// Adds a span that failed, for which an eighth of the budget is kept.
    pub(crate) fn push_failed_span(
        &mut self,
        new: NewSpan,
        limits: &Limits,
    ) -> Result<SpanIndex, NewSpan> {
        let limit = self.budget.limit();
        self.note_start(new.start);
        self.budget = self.budget.with_error_reserve();
        let pushed = self.push_span(new, limits);
        self.budget = self.budget.with_limit(limit);
        pushed
    }

    #[cold]
    fn push_span_and_grow(&mut self, new: NewSpan, limits: &Limits) -> Result<SpanIndex, NewSpan> {
        if self.spans.len() >= SpanIndex::NONE.as_usize()
            || !self.budget.reserve(&mut self.spans, 1, 1)
        {
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
    fn place_span(&mut self, new: &NewSpan, name: Text) -> SpanIndex {
        // Its caller has made sure that the number is one.
        let index = SpanIndex::new(self.spans.len() as u32);
        self.spans.push(SpanRecord {
            id: new.id,
            parent: new.parent,
            start: new.start,
            end: OPEN,
            name,
            tags: ColumnList::EMPTY,
            logs: ColumnList::EMPTY,
            log_count: 0,
            kind: new.kind,
            status: StatusCode::Unset,
            is_parent_remote: false,
            is_marked_failed: false,
            part: PartMarks::NONE,
        });
        index
    }

    /// Where the span with this id stands; `guess` is where it stood when it was added, or a place beyond that.
    #[inline]
    pub(crate) fn find(&self, guess: SpanIndex, id: SpanId) -> Option<SpanIndex> {
        match self.spans.get(guess.as_usize()) {
            Some(record) if record.id == id => Some(guess),
            _ => self.search(guess, id),
        }
    }

    /// A span only ever moves towards the front, by as many as were taken out before it.
    #[cold]
    fn search(&self, guess: SpanIndex, id: SpanId) -> Option<SpanIndex> {
        let last = (guess.as_usize()).min(self.spans.len().saturating_sub(1));
        let index = self.spans.get(..=last)?.iter().rposition(|record| record.id == id);
        index.and_then(SpanIndex::after)
    }

    /// Where the span with this id stands, if it has not ended.
    #[inline]
    pub(crate) fn find_open(&self, guess: SpanIndex, id: SpanId) -> Option<SpanIndex> {
        let is_open = |index: SpanIndex| self.span(index).is_some_and(|record| record.end == OPEN);
        match self.spans.get(guess.as_usize()) {
            Some(record) if record.id == id => (record.end == OPEN).then_some(guess),
            _ => self.search(guess, id).filter(|index| is_open(*index)),
        }
    }

    /// Ends a span, never before its start; where it stands, unless it had ended already.
    #[inline]
    pub(crate) fn finish(&mut self, guess: SpanIndex, id: SpanId, end: Tick) -> Option<SpanIndex> {
        let index = self.find_open(guess, id)?;
        self.finish_at(index, end);
        Some(index)
    }

    /// Ends the span that stands there, unless it has ended.
    #[inline]
    pub(crate) fn finish_at(&mut self, span: SpanIndex, end: Tick) {
        if let Some(record) = self.spans.get_mut(span.as_usize())
            && record.end == OPEN
        {
            // The last tick of all means "open".
            record.end = end.max(record.start).min(LATEST_END);
            self.last_end = self.last_end.max(record.end);
        }
    }

    /// Ends all spans that have not ended.
    pub(crate) fn finish_all_at(&mut self, end: Tick) {
        for index in (0..).map(SpanIndex::new).take(self.spans.len()) {
            self.finish_at(index, end);
        }
    }

    pub(crate) fn set_name(&mut self, span: SpanIndex, name: Cow<'static, str>, limits: &Limits) {
        let Some(old) = self.spans.get(span.as_usize()).map(|record| record.name) else { return };
        let mut writer = self.writer(limits);
        let written = match (old, &name) {
            (Text::Arena(old), Cow::Owned(name)) => {
                writer.overwrite(old, name, limits.text_bytes).map(Text::Arena)
            }
            _ => None,
        };
        let written = written.or_else(|| writer.text(name));
        if let (Some(name), Some(record)) = (written, self.spans.get_mut(span.as_usize())) {
            record.name = name;
        }
    }

    #[cfg(feature = "layer")]
    pub(crate) fn set_parent(&mut self, span: SpanIndex, parent: Option<SpanId>) {
        if let Some(record) = self.spans.get_mut(span.as_usize()) {
            record.parent = parent;
        }
    }

    pub(crate) fn set_parent_remote(&mut self, span: SpanIndex, is_remote: bool) {
        if let Some(record) = self.spans.get_mut(span.as_usize()) {
            record.is_parent_remote = is_remote;
        }
    }

    pub(crate) fn set_kind(&mut self, span: SpanIndex, kind: SpanKind) {
        if let Some(record) = self.spans.get_mut(span.as_usize()) {
            record.kind = kind;
        }
    }

    /// Sets a tag; the last value of a key wins. False when it was dropped.
    #[inline(never)]
    pub(crate) fn set_tag(
        &mut self,
        span: SpanIndex,
        key: Cow<'static, str>,
        value: TagRef<'_>,
        limits: &Limits,
    ) -> bool {
        self.set_tag_inlined(span, key, value, limits)
    }

    /// Sets a tag like [`set_tag`](Self::set_tag), for the one caller that is worth a copy of its own.
    #[inline(always)]
    pub(crate) fn set_tag_inlined(
        &mut self,
        span: SpanIndex,
        key: Cow<'static, str>,
        value: TagRef<'_>,
        limits: &Limits,
    ) -> bool {
        self.set_tag_by(span, key, value, limits)
    }

    /// Sets a tag like [`set_tag`](Self::set_tag), by a key that may be lent.
    pub(crate) fn set_tag_of(
        &mut self,
        span: SpanIndex,
        key: &TagKey<'_>,
        value: TagRef<'_>,
        limits: &Limits,
    ) -> bool {
        match key.as_static() {
            Some(key) => self.set_tag(span, Cow::Borrowed(key), value, limits),
            None => self.set_tag_by(span, BorrowedKey(key.as_str()), value, limits),
        }
    }

    #[inline(always)]
    fn set_tag_by<K: Key>(
        &mut self,
        span: SpanIndex,
        key: K,
        value: TagRef<'_>,
        limits: &Limits,
    ) -> bool {
        let Self { spans, details, budget, .. } = self;
        let Some(record) = spans.get_mut(span.as_usize()) else {
            return false;
        };
        let mut writer = ColumnWriter { details: details_in(details, budget), budget, limits };
        let stored = writer.set_tag(&mut record.tags, key, value, limits.tags);
        if !stored {
            self.dropped(span).tags += 1;
        }
        stored
    }

    /// Adds a link; false when it was dropped.
    pub(crate) fn push_link(&mut self, span: SpanIndex, link: Link, limits: &Limits) -> bool {
        let mut writer = self.writer(limits);
        let rare = writer.details.rare.get_or_insert_default();
        let count = rare.links.get(&span).map_or(0, Vec::len);
        let context = link.context.identity();
        let bytes = size_of::<LinkRecord>() + context.trace_state.bytes();
        if count >= usize::from(limits.links) || !writer.budget.claim(bytes) {
            self.dropped(span).links += 1;
            return false;
        }
        let mut tags = ColumnList::EMPTY;
        let mut dropped = 0;
        for (key, value) in link.tags {
            let stored = writer.set_tag(&mut tags, key, value.as_ref(), limits.tags_per_link);
            dropped += u32::from(!stored);
        }
        let rare = writer.details.rare.get_or_insert_default();
        rare.links.entry(span).or_default().push(LinkRecord { context, tags });
        rare.value_bytes += bytes;
        if dropped > 0 {
            self.dropped(span).tags += dropped;
        }
        true
    }

    /// Counts what was dropped before, on top of what the limits drop.
    pub(crate) fn count_dropped(&mut self, span: SpanIndex, tags: u32, logs: u32, links: u32) {
        if (tags, logs, links) != (0, 0, 0) {
            let here = self.dropped(span);
            here.tags = here.tags.saturating_add(tags);
            here.logs = here.logs.saturating_add(logs);
            here.links = here.links.saturating_add(links);
        }
    }

    #[cold]
    pub(super) fn dropped(&mut self, span: SpanIndex) -> &mut DropCounts {
        let rare = self.details.get_or_insert_default().rare.get_or_insert_default();
        rare.dropped.entry(span).or_default()
    }

    pub(super) fn writer<'a>(&'a mut self, limits: &'a Limits) -> ColumnWriter<'a> {
        let Self { details, budget, .. } = self;
        ColumnWriter { details: details_in(details, budget), budget, limits }
    }
}
