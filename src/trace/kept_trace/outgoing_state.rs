//! The trace state with which a kept trace leaves.

use crate::model::{Threshold, TraceState};

thread_local! {
    /// The state that most kept traces leave with. Each thread has its own, so that threads share no count of who
    /// refers to it; making it anew for every trace would allocate twice.
    static OF_ALL_KEPT: TraceState = TraceState::default().with_threshold(Some(Threshold::ALWAYS));
}

/// What that state says.
const USUAL: &str = "ot=th:0";

/// The state with the threshold that its trace was kept with.
pub(super) fn outgoing_state(state: &TraceState, threshold: Option<Threshold>) -> TraceState {
    let is_usual =
        (state.is_empty() || state.as_str() == USUAL) && threshold == Some(Threshold::ALWAYS);
    let usual = if is_usual { OF_ALL_KEPT.try_with(TraceState::clone).ok() } else { None };
    usual.unwrap_or_else(|| state.with_threshold(threshold))
}

/// The memory of the state of a kept trace. The usual one is there once for all of a thread.
pub(super) fn state_bytes(state: &TraceState) -> usize {
    if state.as_str() == USUAL { 0 } else { state.bytes() }
}
