//! Requests to keep traces by their ids.

use super::{Completion, KeepOutcome};
use crate::record::live::{LiveTraces, RequestedTraces};
use crate::record::local::{KeepRequest, TraceOwner};
use crate::record::ring::DroppedTrace;
use crate::time::Tick;
use crate::trace::KeepReason;

/// How many trace ids are looked for before what was found is sent on.
const KEPT_AT_ONCE: usize = 256;

impl<O: TraceOwner> Completion<O> {
    /// Keeps traces after the fact, or when they complete; what came of each, in the order of the requests.
    pub(in crate::record) fn keep_all(
        &self,
        traces: &LiveTraces<O>,
        requests: &[KeepRequest],
        now: Tick,
    ) -> Vec<KeepOutcome> {
        let mut outcomes = Vec::with_capacity(requests.len());
        // In parts, so that what was found is on its way before more is looked for.
        for requests in requests.chunks(KEPT_AT_ONCE) {
            let found = requests.iter().zip(traces.request_keep(requests, now));
            outcomes.extend(found.map(|(request, found)| self.keep_requested(request, found)));
        }
        outcomes
    }

    /// Keeps a trace as [`keep_all`](Self::keep_all) does: what came of it, and how many parts there are beyond those
    /// that notices may have kept.
    pub(in crate::record) fn keep_one(
        &self,
        traces: &LiveTraces<O>,
        request: &KeepRequest,
        now: Tick,
    ) -> (KeepOutcome, u64) {
        let found =
            traces.request_keep(std::slice::from_ref(request), now).pop().unwrap_or_default();
        let over_budget = found.over_budget;
        (self.keep_requested(request, found), over_budget)
    }

    /// Sends on what a request has taken out of the ring, and says what came of the request.
    fn keep_requested(&self, request: &KeepRequest, found: RequestedTraces) -> KeepOutcome {
        let RequestedTraces { dropped, live, decided, .. } = found;
        let outcome = match dropped.len() {
            0 if live > 0 => KeepOutcome::WhenComplete,
            0 if decided.has_kept() => KeepOutcome::AlreadyKept,
            0 if decided.has_dropped_on_purpose() => KeepOutcome::DroppedOnPurpose,
            0 => KeepOutcome::Unknown,
            _ => KeepOutcome::Exported,
        };
        for DroppedTrace { header, mut store } in dropped.into_iter().rev() {
            let kept = KeepReason { is_part: store.is_part(), ..request.kept() };
            self.keep_spans(&header, &mut store, &kept);
        }
        outcome
    }
}
