//! What is known of a local trace before its first span ends.

use super::{Randomness, Threshold, TraceFlags, TraceId, TraceState};

/// What the head sampler said of a local trace that is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HeadDecision {
    /// The tail decides.
    Record,
    /// Kept, whatever the tail says, unless it drops on purpose.
    Sample,
}

/// The facts that all spans of a local trace share.
#[derive(Clone, Debug)]
pub(crate) struct TraceHead {
    pub(crate) trace_id: TraceId,
    pub(crate) flags: TraceFlags,
    pub(crate) trace_state: TraceState,
    pub(crate) decision: HeadDecision,
    /// With which threshold the head sampled; `None` when its probability is not known.
    pub(crate) threshold: Option<Threshold>,
    /// What leads from ticks to the time of day.
    pub(crate) correction: i64,
}

impl TraceHead {
    /// The head of a trace that was not recorded but made by hand: its ticks are the time of day.
    pub(crate) fn made_by_hand(trace_id: TraceId) -> Self {
        Self {
            trace_id,
            flags: TraceFlags::default(),
            trace_state: TraceState::default(),
            decision: HeadDecision::Record,
            threshold: None,
            correction: 0,
        }
    }

    /// The trace state that other spans are told: with the threshold of a head that sampled, without
    /// one while the tail has not decided.
    pub(crate) fn outgoing_state(&self) -> TraceState {
        let sampled = self.decision == HeadDecision::Sample;
        self.trace_state
            .with_threshold(self.threshold.filter(|_| sampled))
    }

    /// The bits on which all probabilistic decisions about this trace rest.
    pub(crate) fn randomness(&self) -> Randomness {
        let explicit = self.trace_state.randomness();
        explicit.unwrap_or_else(|| Randomness::from_trace_id_bits(self.trace_id.to_bits()))
    }
}
