//! Traces that are decided on what has ended, while other spans are open.

use std::sync::Arc;

use super::Completion;
use super::part_look::PartLook;
use crate::ledger::Reason;
use crate::record::live::LiveTraces;
use crate::record::local::{LocalTrace, Phase, TraceOwner};
use crate::time::Tick;

impl<O: TraceOwner> Completion<O> {
    /// Decides the traces whose time to wait for other spans is up.
    pub(in crate::record) fn decide_lingering(&self, traces: &LiveTraces<O>, now: Tick) {
        while let Some(trace) = self.lingering.pop_due(now) {
            self.decide_ended(traces, &trace, PartLook::BelowTrunk, now);
        }
    }

    /// Decides a trace on the spans that have ended; the open ones follow when they end. Of a trace that was
    /// kept before, the late spans that have ended are sent on. One that is decided in parts has those decided that
    /// `look` says.
    fn decide_ended(
        &self,
        traces: &LiveTraces<O>,
        trace: &Arc<LocalTrace<O>>,
        look: PartLook,
        now: Tick,
    ) {
        let mut live = trace.lock();
        // Asked under the lock under which the trace is decided otherwise: another thread may have it decided in parts.
        if live.is_in_parts() {
            drop(live);
            self.decide_parts(traces, trace, look, now);
            return;
        }
        if matches!(live.phase, Phase::Held(_)) {
            if !trace.is_keep_requested() {
                return traces.drop_ended(trace, live);
            }
            live.phase = Phase::Kept(Arc::new(traces.take_reason(trace)));
        }
        let phase = live.phase.clone();
        if matches!(phase, Phase::Deciding | Phase::Dropped(_)) {
            return;
        }
        let ended = live.store.split_ended();
        traces.count_bytes(trace, &mut live);
        if ended.len() == 0 {
            return;
        }
        if let Phase::Kept(kept) = phase {
            drop(live);
            return self.send_late(traces, trace, ended, &kept);
        }
        live.phase = Phase::Deciding;
        drop(live);
        self.decide(traces, trace, ended, now);
    }

    /// Decides every live trace on the spans that have ended, and drops those that have not; how many
    /// these were.
    pub(in crate::record) fn decide_all(&self, traces: &LiveTraces<O>, now: Tick) -> u64 {
        let mut unfinished = 0;
        traces.for_each(|trace| {
            self.decide_ended(traces, &trace, PartLook::AllEnded, now);
            let live = trace.lock();
            if !matches!(live.phase, Phase::Deciding) {
                unfinished += traces.drop_trace(&trace, live, Reason::Unfinished);
            }
        });
        self.lingering.clear();
        traces.empty_ring();
        unfinished
    }
}
