//! What the spans carry of the text that came with requests.
//!
//! A trace state and baggage live as long as a span carries them, also one whose trace was evicted. So their
//! memory has a limit of its own: beyond an eighth of what live traces may take, new roots carry neither
//! baggage nor the members of other systems.

use std::sync::atomic::{AtomicBool, Ordering};

use super::config::RecordLimits;
use crate::kit::carried::carried_bytes;
use crate::kit::internal_log;
use crate::model::{Baggage, TraceState};

/// The part of the memory of live traces that text of requests may take.
const SHARE: usize = 8;

/// How much text of requests may be carried, in bytes.
pub(super) struct CarriedLimit(usize);

impl CarriedLimit {
    pub(super) const fn of(limits: &RecordLimits) -> Self {
        Self(limits.live_bytes / SHARE)
    }

    /// Whether more is carried than may be.
    fn is_exceeded(&self) -> bool {
        let is_exceeded = carried_bytes() > self.0;
        if is_exceeded {
            warn_once();
        }
        is_exceeded
    }

    /// The trace state of a caller, as far as it is carried on.
    pub(super) fn state(&self, state: &TraceState) -> TraceState {
        if state.is_empty() || !self.is_exceeded() {
            return state.clone();
        }
        state.without_foreign()
    }

    /// Baggage, as far as it is carried on.
    pub(super) fn baggage(&self, baggage: Baggage) -> Baggage {
        if baggage.is_empty() || !self.is_exceeded() { baggage } else { Baggage::new() }
    }
}

#[cold]
fn warn_once() {
    // Relaxed: it guards nothing but the line.
    static IS_TOLD: AtomicBool = AtomicBool::new(false);
    if !IS_TOLD.swap(true, Ordering::Relaxed) {
        internal_log::warn(
            "the trace states and the baggage of open requests take more than an eighth of the memory of live \
             traces: new requests go on without them; see Border in the manual, or raise the limit",
        );
    }
}
