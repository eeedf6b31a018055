//! Spans that end after their trace went into the ring.

use std::sync::{Arc, MutexGuard};

use super::Completion;
use super::KeepOutcome;
use super::decision::kept_on_request;
use crate::record::live::{LiveTraces, RequestedTraces};
use crate::record::local::{LiveSpans, LocalTrace, Phase, TraceOwner};
use crate::record::ring::{DroppedTrace, RingPlace};
use crate::time::Tick;
use crate::trace::store::{SpanIndex, SpanStore};

impl<O: TraceOwner> Completion<O> {
    /// Lets what ended while the tail was asked follow the decision to drop.
    #[cold]
    pub(super) fn follow_into_ring(
        &self,
        traces: &LiveTraces<O>,
        trace: &Arc<LocalTrace<O>>,
        place: RingPlace,
        now: Tick,
    ) {
        let live = trace.lock();
        if !matches!(live.phase, Phase::Held(held) if held == place) {
            return;
        }
        let failed = live.store.first_failed_end();
        if failed.is_some() || live.open == 0 {
            let decided = self.held_span_ended(traces, trace, live, place, failed, now);
            if let Some(store) = decided {
                self.decide(traces, trace, store, now);
            }
        }
    }

    /// Lets a span that ended follow what became of its trace, which was in the ring at `place`: where a request has
    /// taken it out, the span is kept too; where the span failed, the trace is to be decided anew, once, by the caller,
    /// with what the ring had of it.
    #[cold]
    pub(super) fn held_span_ended(
        &self,
        traces: &LiveTraces<O>,
        trace: &Arc<LocalTrace<O>>,
        mut live: MutexGuard<'_, LiveSpans>,
        place: RingPlace,
        ended: Option<SpanIndex>,
        now: Tick,
    ) -> Option<SpanStore> {
        if trace.is_keep_requested() {
            self.keep_held(traces, trace, live);
            return None;
        }
        let has_failed = ended.is_some_and(|ended| live.store.recorded_mut().has_failed(ended));
        if has_failed
            && !live.was_decided_anew
            && let Some(mut held) = traces.take_held(trace, place, now)
        {
            live.was_decided_anew = true;
            live.phase = Phase::Deciding;
            let late = live.store.split_ended();
            traces.count_bytes(trace, &mut live);
            drop(live);
            held.store.append_recorded(&late);
            return Some(held.store);
        }
        if live.open == 0
            && let Some(requested) = traces.drop_late(trace, live, now)
        {
            self.keep_held(traces, trace, requested);
        }
        None
    }

    /// Lets a trace that a request has taken out of the ring go on as one that was kept.
    fn keep_held(
        &self,
        traces: &LiveTraces<O>,
        trace: &Arc<LocalTrace<O>>,
        mut live: MutexGuard<'_, LiveSpans>,
    ) {
        let kept = Arc::new(kept_on_request());
        live.phase = Phase::Kept(Arc::clone(&kept));
        if live.open == 0 {
            self.keep_late(traces, trace, live, &kept);
        }
    }

    /// Sends on what a request has taken out of the ring, and says what came of the request.
    pub(super) fn keep_requested(&self, found: RequestedTraces) -> KeepOutcome {
        let RequestedTraces { dropped, live } = found;
        let outcome = match (dropped.is_empty(), live) {
            (true, 0) => KeepOutcome::NotFound,
            (true, _) => KeepOutcome::WhenComplete,
            _ => KeepOutcome::Exported,
        };
        for DroppedTrace { header, mut store } in dropped.into_iter().rev() {
            self.keep_spans(&header, &mut store, &kept_on_request());
        }
        outcome
    }
}
