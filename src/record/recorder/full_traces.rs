//! Starting spans in traces that have filled half of a limit, or all of it.

use std::sync::Arc;

use parking_lot::MutexGuard;

use super::Recorder;
use crate::kit::reentrancy;
use crate::ledger::Reason;
use crate::model::Baggage;
use crate::record::local::{LiveSpans, LocalTrace, Phase};
use crate::record::span::{ActiveSpan, OverLimitSpan};
use crate::time::Tick;
use crate::trace::store::NewSpan;

impl Recorder {
    /// Starts a span in a trace that has filled half of its limit, or all of it, or in which none may start.
    #[cold]
    pub(super) fn start_in_full(
        &self,
        trace: &Arc<LocalTrace<Self>>,
        mut live: MutexGuard<'_, LiveSpans>,
        span: NewSpan,
        baggage: Baggage,
        is_refused: bool,
    ) -> ActiveSpan {
        if is_refused || !self.enter_parts(trace, &mut live) {
            return self.start_without_record(trace, live, span, baggage, Reason::SpansPerTrace);
        }
        let was_empty = live.spans() == 0;
        self.push_child(trace, live, span, baggage, was_empty)
    }

    /// Has a trace that has filled half of its limit decided in parts; whether there is room for another span.
    #[cold]
    fn enter_parts(&self, trace: &LocalTrace<Self>, live: &mut LiveSpans) -> bool {
        if live.store.len() >= self.limits.max_spans(false) {
            return false;
        }
        let is_marked = live.parts.as_ref().is_some_and(|parts| parts.is_half_full);
        if !is_marked && live.may_enter_parts() {
            self.traces.change_parts(trace, live, |live| {
                live.enter_parts(Tick::from_nanos(u64::MAX));
                live.parts.get_or_insert_default().is_half_full = true;
            });
            trace.mark_worth_keeping();
        }
        true
    }

    /// Starts a span for which its trace has no room, or which comes after the trace was dropped.
    #[cold]
    pub(super) fn start_without_record(
        &self,
        trace: &Arc<LocalTrace<Self>>,
        mut live: MutexGuard<'_, LiveSpans>,
        span: NewSpan,
        baggage: Baggage,
        limit: Reason,
    ) -> ActiveSpan {
        let was_empty = live.spans() == 0;
        let refused = match live.phase {
            Phase::Dropped(reason) => Some(reason),
            _ if reentrancy::is_own_thread() => Some(Reason::OwnWork),
            _ if was_empty && self.is_closed() => Some(Reason::ShutDown),
            _ => None,
        };
        if refused.is_some() {
            drop(live);
            return self.unrecorded_root(None, refused, &trace.header, baggage);
        }
        live.started += 1;
        live.open += 1;
        self.traces.change_parts(trace, &mut live, LiveSpans::add_over_limit);
        self.traces.unlock(trace, live, was_empty);
        let span = OverLimitSpan::new(Arc::clone(trace), span, baggage, limit);
        ActiveSpan::OverLimit(Box::new(span))
    }
}
