//! Completed subtrees, which leave the buffer of a trace that goes on.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::part_finder::{Fate, PartFinder, PartRule, TakenPart};
use super::part_marks::PartMarks;
use super::{ColumnIndex, OPEN, RareDetails, RecordedSpans, SpanIndex, SpanRecord};
use crate::model::SpanId;
use crate::time::{ClockCorrection, Tick};

/// The bytes of spans that left may stay in the columns, besides as many as those of the spans that are there.
const SPARE_BYTES: usize = 16 * 1024;

impl RecordedSpans {
    /// Makes the open spans that began no later than this the trunk, besides those that are; whether there are any.
    pub(crate) fn mark_trunk(&mut self, began_by: Tick) -> bool {
        let mut has_trunk = false;
        for span in self.spans.iter_mut().filter(|span| span.end == OPEN) {
            if span.start <= began_by {
                span.part.0 |= PartMarks::TRUNK;
            }
            has_trunk |= span.part.is_trunk();
        }
        has_trunk
    }

    /// Whether a span of the trunk has ended.
    pub(in crate::trace::store) fn has_ended_trunk(&self) -> bool {
        self.spans.iter().any(|span| span.end != OPEN && span.part.is_trunk())
    }

    /// Whether the end of this span may have completed a part: false where its parent is open and not of the trunk.
    /// Such a parent may stand at `open_above`, and is noted there.
    pub(crate) fn may_complete_part(
        &self,
        ended: SpanIndex,
        open_above: &mut Option<SpanIndex>,
    ) -> bool {
        let Some(parent) = self.span(ended).and_then(|span| span.parent) else { return true };
        let at = |place: SpanIndex| Some((place, self.span(place)?));
        let noted = open_above.and_then(at).filter(|(_, above)| above.id == parent);
        match noted.or_else(|| self.find(ended, parent).and_then(at)) {
            Some((place, above)) if above.end == OPEN && !above.part.is_trunk() => {
                *open_above = Some(place);
                false
            }
            _ => true,
        }
    }

    /// Copies out the parts that are complete.
    pub(in crate::trace::store) fn copy_parts(
        &self,
        rule: PartRule,
        finder: &mut PartFinder,
    ) -> Vec<TakenPart<Self>> {
        finder.find(&self.spans, rule);
        let tops = finder.tops.iter().filter_map(|(top, is_below)| {
            let SpanRecord { id, start, parent, .. } = *self.span(*top)?;
            let spans = Self::default();
            Some(TakenPart { spans, top: id, start, parent, is_below: *is_below })
        });
        let mut parts: Vec<_> = tops.collect();
        if let [part] = &mut parts[..] {
            let leaves = finder.fates.iter().filter(|fate| matches!(fate, Fate::Leaves(_)));
            let RecordedSpans { spans, budget, .. } = &mut part.spans;
            budget.reserve(spans, leaves.count(), 1);
        }
        for (index, fate) in (0..).map(SpanIndex::new).zip(&finder.fates) {
            if let Fate::Leaves(part) = fate
                && let Some(part) = parts.get_mut(*part as usize)
            {
                part.spans.copy_span(self, index, ClockCorrection::NONE);
            }
        }
        parts.iter_mut().for_each(|part| part.spans.mark_top());
        parts
    }

    /// Takes out the parts that are complete.
    pub(in crate::trace::store) fn take_parts(
        &mut self,
        rule: PartRule,
        finder: &mut PartFinder,
    ) -> Vec<TakenPart<Self>> {
        let parts = self.copy_parts(rule, finder);
        if !parts.is_empty() {
            self.remove(|index| finder.fates.get(index).is_some_and(|fate| *fate != Fate::Stays));
            self.compact(finder);
        }
        parts
    }

    /// Removes the spans with these ids.
    pub(in crate::trace::store) fn remove_all(&mut self, ids: &[SpanId], finder: &mut PartFinder) {
        let is_removed: Vec<bool> = self.spans.iter().map(|span| ids.contains(&span.id)).collect();
        self.remove(|index| is_removed.get(index).copied().unwrap_or(false));
        self.compact(finder);
    }

    /// Removes spans. What belongs to them stays in the columns until those are [compacted](Self::compact).
    fn remove(&mut self, is_removed: impl Fn(usize) -> bool) {
        let Self { spans, details, .. } = self;
        if let Some(rare) = details.as_mut().and_then(|details| details.rare.as_mut()) {
            rare.remove(spans.len(), &is_removed);
        }
        let mut at = 0;
        spans.retain(|_| {
            at += 1;
            !is_removed(at - 1)
        });
        self.recount_after_removal();
    }

    /// Finds out anew what is known of all spans together.
    pub(super) fn recount_after_removal(&mut self) {
        let Self { spans, details, .. } = self;
        self.last_end = spans.iter().filter_map(SpanRecord::end).max().unwrap_or_default();
        if let Some(details) = details {
            details.failed_spans = spans.iter().filter(|span| span.has_failed()).count() as u32;
            details.cut_values = 0;
            let first = spans.first().map(|first| first.start);
            let earliest = spans.iter().map(|span| span.start).min();
            details.earlier_start =
                earliest.filter(|start| first.is_some_and(|first| *start < first));
        }
    }

    /// Gives back the memory of what left, where that is most of the memory.
    pub(super) fn compact(&mut self, finder: &mut PartFinder) {
        if self.budget.used() <= SPARE_BYTES {
            return;
        }
        let content = self.content_bytes();
        let is_lean = self.budget.used() <= 4 * content + 4 * SPARE_BYTES;
        if content <= 2 * finder.least_bytes + SPARE_BYTES && is_lean {
            return;
        }
        let limit = self.budget.limit();
        let old = std::mem::take(self);
        for (index, _) in old.indexed() {
            self.copy_span(&old, index, ClockCorrection::NONE);
        }
        self.budget = self.budget.with_limit(limit);
        finder.least_bytes = self.content_bytes();
    }

    /// Notes that something below this span was kept, so that it leaves when it ends, and all above it.
    pub(crate) fn mark_kept_below(&mut self, span: SpanId) {
        let mut next = self.find(SpanIndex::LAST, span);
        while let Some(record) = next.and_then(|index| self.spans.get_mut(index.as_usize())) {
            if record.part.has_kept_below() {
                break;
            }
            record.part.0 |= PartMarks::KEPT_BELOW;
            let parent = record.parent;
            next = parent.and_then(|parent| self.find(SpanIndex::LAST, parent));
        }
    }

    /// Notes of all open spans that they follow what was kept before.
    pub(crate) fn mark_open_as_kept_below(&mut self) {
        for span in self.spans.iter_mut().filter(|span| span.end == OPEN) {
            span.part.0 |= PartMarks::KEPT_BELOW;
        }
    }

    /// Whether something below one of the spans was kept.
    pub(in crate::trace::store) fn has_kept_below(&self) -> bool {
        self.spans.iter().any(|span| span.part.has_kept_below())
    }

    /// Marks the first span as the top of a part.
    pub(crate) fn mark_top(&mut self) {
        if let Some(first) = self.spans.first_mut() {
            first.part.0 |= PartMarks::TOP;
        }
    }

    /// Forgets what a span was in the trace from which it was taken.
    #[cfg(feature = "layer")]
    pub(crate) fn forget_part(&mut self, span: SpanIndex) {
        if let Some(span) = self.spans.get_mut(span.as_usize()) {
            span.part = PartMarks::NONE;
        }
    }

    /// Whether the spans are a part of a trace.
    #[inline]
    pub(in crate::trace::store) fn is_part(&self) -> bool {
        self.spans.first().is_some_and(|first| first.part != PartMarks::NONE)
    }

    /// Copies of this span and of those above it that have not ended, upwards.
    pub(in crate::trace::store) fn copy_open_upwards(&self, span: SpanId) -> Self {
        let mut copy = Self::default();
        let mut next = Some(span);
        // Bounded, because parents may lead in a circle.
        for _ in 0..self.spans.len() {
            let Some(index) = next.and_then(|id| self.find(SpanIndex::LAST, id)) else { break };
            let Some(record) = self.span(index) else { break };
            if record.end == OPEN {
                copy.copy_span(self, index, ClockCorrection::NONE);
            }
            next = record.parent;
        }
        copy
    }
}

impl RareDetails {
    /// Removes what belongs to spans, of `spans`, that are removed, and moves the rest with its spans.
    fn remove(&mut self, spans: usize, is_removed: impl Fn(usize) -> bool) {
        let maps = [self.links.len(), self.descriptions.len(), self.dropped.len()];
        if maps.iter().all(|len| *len == 0) && self.last_errors.is_empty() {
            return;
        }
        let mut stays = 0;
        let places = (0..spans).map(|at| {
            let place = (!is_removed(at)).then_some(SpanIndex::new(stays));
            stays += u32::from(place.is_some());
            place
        });
        let places: Vec<_> = places.collect();
        let place = |old: SpanIndex| places.get(old.as_usize()).copied().flatten();
        moved(&mut self.links, place);
        moved(&mut self.descriptions, place);
        moved(&mut self.dropped, place);
        moved(&mut self.last_errors, place);
    }
}

fn moved<T>(
    map: &mut HashMap<SpanIndex, T, RandomState>,
    place: impl Fn(SpanIndex) -> Option<SpanIndex>,
) {
    let moved = map.drain().filter_map(|(old, value)| Some((place(old)?, value)));
    let moved: Vec<_> = moved.collect();
    map.extend(moved);
}
