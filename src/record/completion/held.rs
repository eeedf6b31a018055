//! Spans that end after their trace went into the ring.

use std::sync::Arc;

use parking_lot::MutexGuard;

use super::Completion;
use crate::record::live::LiveTraces;
use crate::record::local::{LiveSpans, LocalTrace, Phase, TraceOwner};
use crate::record::ring::RingPlace;
use crate::time::Tick;
use crate::trace::store::SpanStore;

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
        let has_failed = live.store.has_failed_end();
        if has_failed || !trace.has_open_spans(&live) {
            let decided = self.held_span_ended(traces, trace, live, place, has_failed, now);
            if let Some(store) = decided {
                self.decide(traces, trace, store, now);
            }
        }
    }

    /// Lets a span that ended follow what became of its trace, which was in the ring at `place`: where a request has
    /// taken it out, the span is kept too; where the span failed, the trace is to be decided anew, once, by the caller,
    /// with what the ring had of it.
    #[cold]
    pub(in crate::record) fn held_span_ended(
        &self,
        traces: &LiveTraces<O>,
        trace: &Arc<LocalTrace<O>>,
        mut live: MutexGuard<'_, LiveSpans>,
        place: RingPlace,
        has_failed: bool,
        now: Tick,
    ) -> Option<SpanStore> {
        if trace.owner.is_inherited() {
            return None;
        }
        if trace.is_keep_requested() {
            self.keep_held(traces, trace, live);
            return None;
        }
        if has_failed
            && !trace.was_decided_anew()
            && let Some(mut held) = traces.take_held(trace, place, now)
        {
            trace.mark_decided_anew();
            live.phase = Phase::Deciding;
            let late = live.store.split_ended();
            traces.count_bytes(trace, &mut live);
            drop(live);
            held.store.append(late, trace.header.correction);
            return Some(held.store);
        }
        if !trace.has_open_spans(&live)
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
        let kept = Arc::new(traces.take_reason(trace));
        live.phase = Phase::Kept(Arc::clone(&kept));
        if !trace.has_open_spans(&live) {
            self.keep_late(traces, trace, live, &kept);
        }
    }
}
