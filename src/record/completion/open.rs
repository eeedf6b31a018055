//! What is sent of open traces where the program may not go on: in a panic, before a signal ends it.

use std::borrow::Cow;
use std::sync::Arc;

use super::Completion;
use crate::record::live::LiveTraces;
use crate::record::local::{LiveSpans, LocalTrace, Phase, TraceOwner, kept_for};
use crate::time::Tick;
use crate::trace::{KeepReason, UNFINISHED};

impl<O: TraceOwner> Completion<O> {
    /// Sends on what every open trace holds in which a span has failed, or of all of them. Spans that have not ended are
    /// marked and end now; what is written to them later leads nowhere. Asks no policy.
    pub(in crate::record) fn send_open(&self, traces: &LiveTraces<O>, is_all: bool, now: Tick) {
        traces.for_each(|trace| self.send_if_open(traces, &trace, is_all, now));
    }

    fn send_if_open(
        &self,
        traces: &LiveTraces<O>,
        trace: &Arc<LocalTrace<O>>,
        is_all: bool,
        now: Tick,
    ) {
        let mut live = trace.lock();
        let kept = match &live.phase {
            // The thread that decides it sends it, or has it dropped.
            Phase::Deciding | Phase::Dropped(_) => return,
            Phase::Kept(kept) => KeepReason { is_late: true, ..(**kept).clone() },
            Phase::Open | Phase::Held(_) if is_all || live.store.has_errors() => {
                let is_part = live.is_in_parts();
                KeepReason { is_part, ..kept_for(Cow::Borrowed("flush_open")) }
            }
            Phase::Open | Phase::Held(_) => return,
        };
        let held = match live.phase {
            Phase::Held(place) => traces.take_held(trace, place, now),
            _ => None,
        };
        let tag = self.tags_unfinished.then_some(UNFINISHED);
        let is_unfinished = live.store.finish_open_as(tag, now);
        let mut store = traces.take_spans(&mut live);
        // What is over a limit ends by itself, and a thread that decides parts counts as an open span.
        let deciding = live.deciding();
        live.open = live.over_limit() + deciding;
        traces.change_parts(trace, &mut live, LiveSpans::leave_parts);
        live.phase = Phase::Kept(Arc::new(kept.clone()));
        if let Some(mut held) = held {
            held.store.append(store, trace.header.correction);
            store = held.store;
        }
        traces.count_bytes(trace, &mut live);
        let is_empty = trace.spans(&live) == 0 && deciding == 0;
        let unused = if is_empty { traces.unregister(trace, &mut live) } else { None };
        drop(live);
        drop(unused);
        self.ledger.cut_values(u64::from(store.take_cut_values()));
        let kept = KeepReason { is_unfinished, ..kept };
        self.keep_spans(&trace.header, &mut store, &kept);
        traces.release_kept(trace, store);
    }
}
