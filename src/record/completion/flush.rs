//! What a flush sends of traces that are open: the complete parts that the tail keeps.

use std::sync::Arc;

use super::Completion;
use super::decision::TraceDecision;
use super::part_decision::announce;
use super::parts::note_kept;
use crate::model::SpanId;
use crate::record::live::LiveTraces;
use crate::record::local::{LocalTrace, PartOutcome, Phase, TraceOwner};
use crate::time::{Tick, nanos};
use crate::trace::KeepReason;
use crate::trace::store::{SpanStore, TakenPart};

impl<O: TraceOwner> Completion<O> {
    /// Asks the tail about each subtree that is complete below an open span and failed or was asked for, and sends on
    /// what it keeps. The rest stays: a flush does not tear apart what may be kept as a whole.
    pub(in crate::record) fn send_complete_parts(&self, traces: &LiveTraces<O>, now: Tick) {
        let stale = Tick::from_nanos(now.as_nanos().saturating_sub(nanos(self.linger)));
        traces.for_each(|trace| {
            let mut live = trace.lock();
            let has_failed = live.store.has_errors() || trace.is_keep_requested();
            if !matches!(live.phase, Phase::Open) || live.open == 0 || !has_failed {
                return;
            }
            let copies = live.copy_parts(stale);
            drop(live);
            if copies.is_empty() {
                return;
            }
            for copy in copies {
                let parent = copy.parent;
                let requested = traces.part_requested(&trace, copy.start);
                if !copy.spans.has_errors() && requested.is_none() {
                    continue;
                }
                let decision =
                    self.ask_about_part(traces, &trace, &copy.spans, (parent, requested), now);
                match decision {
                    TraceDecision::Keep(kept) => _ = self.send_part(traces, &trace, copy, kept),
                    TraceDecision::KeepAndAnnounce(kept) => {
                        let top = copy.top;
                        if self.send_part(traces, &trace, copy, kept.clone()) {
                            announce(traces, &trace, &kept, top, parent);
                        }
                    }
                    TraceDecision::Drop(_) => {}
                }
            }
            self.parts_decided(traces, &trace, trace.lock(), now);
        });
    }

    /// Sends a part on that was copied, and takes it out of its trace; false where that was done meanwhile.
    fn send_part(
        &self,
        traces: &LiveTraces<O>,
        trace: &Arc<LocalTrace<O>>,
        copy: TakenPart<SpanStore>,
        kept: KeepReason,
    ) -> bool {
        let TakenPart { mut spans, parent, is_below, .. } = copy;
        let ids: Vec<SpanId> = spans.ids().collect();
        let kept = KeepReason { is_part: true, ..kept };
        let mut live = trace.lock();
        if !matches!(live.phase, Phase::Open) {
            return false;
        }
        // What is removed takes the count with it.
        self.ledger.cut_values(u64::from(live.store.take_cut_values()));
        if !live.remove_part(&ids) {
            return false;
        }
        let outcome = PartOutcome::Kept(Arc::new(kept.clone()));
        note_kept(&mut live, parent.filter(|_| is_below), &outcome);
        live.remember_part(ids.into_iter(), outcome);
        traces.count_bytes(trace, &mut live);
        drop(live);
        self.keep_spans(&trace.header, &mut spans, &kept);
        traces.remember_kept(trace);
        true
    }
}
