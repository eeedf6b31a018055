//! Spans that end after their trace went into the ring.

use std::sync::{Arc, MutexGuard};

use super::Completion;
use super::decision::kept_on_request;
use crate::record::live::LiveTraces;
use crate::record::local::{LiveSpans, LocalTrace, Phase, TraceOwner};
use crate::record::ring::RingPlace;
use crate::time::Tick;
use crate::trace::store::SpanIndex;

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
            self.held_span_ended(traces, trace, live, place, failed, now);
        }
    }

    /// Lets a span that ended follow what became of its trace, which was in the ring at `place`: where a request has
    /// taken it out, the span is kept too; where the span failed, the trace is decided anew, once, with what the ring
    /// has of it.
    #[cold]
    pub(super) fn held_span_ended(
        &self,
        traces: &LiveTraces<O>,
        trace: &Arc<LocalTrace<O>>,
        mut live: MutexGuard<'_, LiveSpans>,
        place: RingPlace,
        ended: Option<SpanIndex>,
        now: Tick,
    ) {
        if trace.is_keep_requested() {
            let kept = Arc::new(kept_on_request());
            live.phase = Phase::Kept(Arc::clone(&kept));
            if live.open == 0 {
                self.keep_late(traces, trace, live, &kept);
            }
            return;
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
            return self.decide(traces, trace, held.store, now);
        }
        if live.open == 0 {
            traces.drop_late(trace, live, now);
        }
    }
}
