//! What became of the parts of a trace that were decided last.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::model::SpanId;
use crate::record::ring::RingPlace;
use crate::trace::KeepReason;

/// How many spans of parts are remembered, so that late spans follow the decision.
const REMEMBERED: usize = 128;

/// How many spans of one part are remembered.
const REMEMBERED_OF_EACH: usize = 8;

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

/// The spans of the parts that were decided last, and what became of each part.
#[derive(Debug, Default)]
pub(in crate::record) struct RecentParts {
    /// Each stands at its number, modulo how many are remembered: the next takes the place of the oldest.
    spans: Vec<SpanId>,
    /// The number of the next span.
    next: usize,
    parts: VecDeque<RecentPart>,
}

/// What is remembered of a part.
#[derive(Debug)]
struct RecentPart {
    /// The number after that of its last span.
    end: usize,
    outcome: PartOutcome,
}

impl RecentParts {
    /// What became of the part to which this span belonged, if that is remembered.
    pub(in crate::record) fn outcome_of(&self, span: SpanId) -> Option<PartOutcome> {
        let mut numbers = (self.next.saturating_sub(REMEMBERED)..self.next).rev();
        let number = numbers.find(|number| self.spans.get(number % REMEMBERED) == Some(&span))?;
        let part = self.parts.partition_point(|part| part.end <= number);
        self.parts.get(part).map(|part| part.outcome.clone())
    }

    /// Remembers what became of spans of a part, of some of them if it has many.
    pub(super) fn remember(&mut self, spans: impl Iterator<Item = SpanId>, outcome: PartOutcome) {
        for span in spans.take(REMEMBERED_OF_EACH) {
            match self.spans.get_mut(self.next % REMEMBERED) {
                Some(oldest) => *oldest = span,
                None => self.spans.push(span),
            }
            self.next += 1;
        }
        while self.parts.front().is_some_and(|oldest| oldest.end + REMEMBERED <= self.next) {
            self.parts.pop_front();
        }
        self.parts.push_back(RecentPart { end: self.next, outcome });
    }

    /// The memory that it takes.
    #[inline]
    pub(super) fn bytes(&self) -> usize {
        self.spans.capacity() * size_of::<SpanId>()
            + self.parts.capacity() * size_of::<RecentPart>()
    }

    /// What became of the part that was decided last.
    pub(in crate::record) fn last_outcome(&self) -> Option<&PartOutcome> {
        self.parts.back().map(|part| &part.outcome)
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
        let mut parts = RecentParts::default();
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
        assert!(parts.spans.len() <= REMEMBERED && parts.parts.len() <= REMEMBERED / 3 + 1);
    }

    #[test]
    fn of_a_large_part_the_first_spans_are_remembered() {
        let mut parts = RecentParts::default();
        parts.remember(ids(1..100), PartOutcome::Dropped);
        let known = ids(1..100).filter(|span| parts.outcome_of(*span).is_some());
        assert!(known.eq(ids(1..1 + REMEMBERED_OF_EACH as u64)));
    }
}
