//! What there is to know of a trace that is decided in parts.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::model::SpanId;
use crate::record::ring::RingPlace;
use crate::trace::KeepReason;
use crate::trace::store::PartFinder;

/// How many spans of parts are remembered, so that late spans follow the decision.
const REMEMBERED: usize = 128;

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
    /// What became of the parts before, by the ids of their spans.
    recent: VecDeque<(SpanId, PartOutcome)>,
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
        let found = self.recent.iter().rev().find(|(id, _)| *id == span);
        found.map(|(_, outcome)| outcome.clone())
    }

    /// Remembers what became of a span.
    pub(super) fn remember(&mut self, span: SpanId, outcome: PartOutcome) {
        if self.recent.len() >= REMEMBERED {
            self.recent.pop_front();
        }
        self.recent.push_back((span, outcome));
    }

    /// What became of the part that was decided last.
    pub(in crate::record) fn last_outcome(&self) -> Option<&PartOutcome> {
        self.recent.back().map(|(_, outcome)| outcome)
    }
}
