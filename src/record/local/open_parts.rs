//! What there is to know of a trace that is decided in parts.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::model::SpanId;
use crate::record::ring::RingPlace;
use crate::trace::KeepReason;
use crate::trace::store::{PartFinder, SpanIndex, SpanStore};

/// How many spans of parts are remembered at least, so that late spans follow the decision.
const REMEMBERED: usize = 128;

/// How many spans of one part are remembered.
const REMEMBERED_OF_EACH: usize = 8;

/// What there is to know of a trace that is decided in parts, or of which parts are being decided.
#[derive(Debug, Default)]
pub(in crate::record) struct OpenParts {
    /// Whether the trace is decided in parts from now on. Otherwise some that are complete were copied out of it.
    pub(super) is_entered: bool,
    pub(super) finder: PartFinder,
    /// How many spans in the buffer have ended.
    pub(super) ended: usize,
    /// How many must have, for another look through the buffer to be worth its cost.
    pub(super) next_look: usize,
    /// How many threads are deciding parts of it: each counts as an open span of the trace meanwhile.
    pub(super) deciding: u32,
    /// Where the span stood last that was open and had one below it end.
    pub(super) open_above: Option<SpanIndex>,
    /// The memory of the part that was decided last, for the next.
    pub(super) memory: SpanStore,
    /// The spans of the parts before, the latest last, and what became of each part.
    spans: VecDeque<SpanId>,
    recent: VecDeque<RecentPart>,
}

/// What is remembered of a part.
#[derive(Debug)]
struct RecentPart {
    spans: usize,
    outcome: PartOutcome,
}

/// What became of a part.
#[derive(Clone, Debug)]
pub(in crate::record) enum PartOutcome {
    Kept(Arc<KeepReason>),
    /// The ring has it there.
    Held(RingPlace),
    /// A policy dropped it on purpose.
    DroppedByPolicy,
    /// It was dropped, and the ring had no room for it.
    Dropped,
}

impl OpenParts {
    /// Those of a trace that is not decided in parts itself, while this many threads are deciding parts of it.
    pub(super) fn only_deciding(deciding: u32) -> Self {
        Self { deciding, ..Self::default() }
    }

    /// Counts a span that has ended and is in the buffer; whether it is time to look for parts that are complete.
    pub(in crate::record) fn count_ended(&mut self) -> bool {
        self.ended += 1;
        self.ended >= self.next_look
    }

    /// What became of the part to which this span belonged, if that is remembered.
    pub(in crate::record) fn outcome_of(&self, span: SpanId) -> Option<PartOutcome> {
        let later = self.spans.iter().rev().position(|id| *id == span)?;
        let mut seen = 0;
        let part = self.recent.iter().rev().find(|part| {
            seen += part.spans;
            seen > later
        });
        part.map(|part| part.outcome.clone())
    }

    /// Remembers what became of spans of a part, of some of them if it has many.
    pub(super) fn remember(&mut self, spans: impl Iterator<Item = SpanId>, outcome: PartOutcome) {
        let before = self.spans.len();
        self.spans.extend(spans.take(REMEMBERED_OF_EACH));
        let spans = self.spans.len() - before;
        self.recent.push_back(RecentPart { spans, outcome });
        while let Some(oldest) = self.recent.front()
            && self.spans.len() - oldest.spans >= REMEMBERED
        {
            for _ in 0..oldest.spans {
                self.spans.pop_front();
            }
            self.recent.pop_front();
        }
    }

    /// What became of the part that was decided last.
    pub(in crate::record) fn last_outcome(&self) -> Option<&PartOutcome> {
        self.recent.back().map(|part| &part.outcome)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(of: std::ops::Range<u64>) -> impl Iterator<Item = SpanId> {
        of.filter_map(SpanId::from_bits)
    }

    #[test]
    fn what_became_of_the_last_spans_is_known_and_older_ones_are_forgotten() {
        let mut parts = OpenParts::default();
        for first in (1..1_000).step_by(3) {
            let by_policy = first % 2 == 0;
            let outcome =
                if by_policy { PartOutcome::DroppedByPolicy } else { PartOutcome::Dropped };
            parts.remember(ids(first..first + 3), outcome);
        }
        for span in ids(1_000 - REMEMBERED as u64..1_000) {
            let by_policy = (span.to_bits() - 1) / 3 % 2 != 0;
            let outcome = parts.outcome_of(span);
            assert_eq!(matches!(outcome, Some(PartOutcome::DroppedByPolicy)), by_policy, "{span}");
            assert!(outcome.is_some(), "{span} is remembered");
        }
        assert!(ids(1..800).all(|span| parts.outcome_of(span).is_none()));
        assert!(parts.spans.len() < REMEMBERED + REMEMBERED_OF_EACH);
    }

    #[test]
    fn of_a_large_part_the_first_spans_are_remembered() {
        let mut parts = OpenParts::default();
        parts.remember(ids(1..100), PartOutcome::Dropped);
        let known = ids(1..100).filter(|span| parts.outcome_of(*span).is_some());
        assert!(known.eq(ids(1..1 + REMEMBERED_OF_EACH as u64)));
    }
}
