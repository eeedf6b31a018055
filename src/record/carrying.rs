//! What the spans carry of the text that came with requests.
//!
//! A trace state and baggage live as long as a span carries them, also one whose trace was evicted. So their
//! memory has a limit of its own: beyond an eighth of what live traces may take, new roots carry neither
//! baggage nor the members of other systems. What the program itself sets has a little more room, so that
//! strangers cannot take it all; and where the program fills that, callers have some beside it.

use std::sync::atomic::{AtomicBool, Ordering};

use super::config::RecordLimits;
use crate::kit::carried::carried_totals;
#[cfg(feature = "layer")]
use crate::kit::carried::is_counted;
use crate::kit::internal_log;
#[cfg(feature = "tower")]
use crate::model::Incoming;
use crate::model::{Baggage, TraceState};

/// The part of the memory of live traces that text of requests may take.
const SHARE: usize = 8;

/// The part that such text and the baggage that the program sets may take together.
#[cfg(feature = "layer")]
const SHARE_WITH_OWN: usize = 6;

/// Above so many parts of sixteen, callers' text and the program's own together, callers add no more. With what live traces
/// take otherwise it stays within a fifth above their limit.
const SIXTEENTHS_OF_ALL: usize = 3;

/// How much text may be carried, by the memory that live traces may take, in bytes.
pub(crate) struct CarriedLimit(usize);

impl CarriedLimit {
    pub(crate) const fn of(limits: &RecordLimits) -> Self {
        Self(limits.live_bytes)
    }

    /// Whether callers have more carried than they may.
    fn is_exceeded(&self) -> bool {
        let totals = carried_totals();
        let is_exceeded =
            totals.of_callers > self.0 / SHARE || totals.all > self.0 / 16 * SIXTEENTHS_OF_ALL;
        if is_exceeded {
            warn_once();
        }
        is_exceeded
    }

    /// Whether a span may carry this baggage of the program's. What it carried before may be others' too, and stay.
    #[cfg(feature = "layer")]
    pub(crate) fn has_room_for(&self, baggage: &Baggage) -> bool {
        !is_counted(baggage.bytes()) || carried_totals().all <= self.0 / SHARE_WITH_OWN
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

    /// What the headers of a request say, as far as it is carried on.
    #[cfg(feature = "tower")]
    pub(crate) fn incoming(&self, mut incoming: Incoming) -> Incoming {
        if self.is_exceeded() {
            incoming.baggage = Baggage::new();
            for context in incoming.context.iter_mut().chain(&mut incoming.link) {
                context.baggage = Baggage::new();
                context.trace_state = context.trace_state.without_foreign();
            }
        }
        incoming
    }
}

#[cold]
fn warn_once() {
    // Relaxed: it guards nothing but the line.
    static IS_TOLD: AtomicBool = AtomicBool::new(false);
    if !IS_TOLD.swap(true, Ordering::Relaxed) {
        internal_log::warn(
            "the trace states and the baggage of open requests take more than an eighth of the memory of live traces, or \
             with the program's own more than three sixteenths: new requests go on without them; see Border in the manual, set less baggage, or \
             raise the limit",
        );
    }
}
