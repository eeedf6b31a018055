//! Traces that are decided in parts, because they stay open for long or fill half of a limit.

use std::sync::Arc;

use parking_lot::MutexGuard;

use super::Completion;
use super::part_look::PartLook;
use crate::ledger::Reason;
use crate::model::SpanId;
use crate::record::live::LiveTraces;
use crate::record::local::{LiveSpans, LocalTrace, PartOutcome, Phase, TraceOwner};
use crate::time::{Tick, nanos};
use crate::trace::store::{SpanStore, TakenPart};

/// A part that was decided.
struct DecidedPart {
    ids: Vec<SpanId>,
    /// The span that it was below, which is in the trace still.
    below: Option<SpanId>,
    outcome: PartOutcome,
}

impl<O: TraceOwner> Completion<O> {
    /// Decides the parts that are complete; false where the trace is not decided in parts.
    #[cold]
    pub(super) fn decide_parts(
        &self,
        traces: &LiveTraces<O>,
        trace: &Arc<LocalTrace<O>>,
        look: PartLook,
        now: Tick,
    ) -> bool {
        let is_all_trunk = look == PartLook::AllEnded;
        loop {
            let mut live = trace.lock();
            if !live.is_in_parts() || !matches!(live.phase, Phase::Open) {
                return live.is_in_parts();
            }
            self.ledger.cut_values(u64::from(live.store.take_cut_values()));
            if let Some(last) = live.take_last_part(is_all_trunk) {
                self.decide_last_part(traces, trace, live, last, now);
                return true;
            }
            let stale = match look {
                PartLook::BelowTrunk => now.as_nanos().saturating_sub(nanos(self.linger)),
                PartLook::AllEnded => u64::MAX,
            };
            let (taken, has_more) = live.take_parts(Tick::from_nanos(stale), is_all_trunk);
            if taken.is_empty() {
                return true;
            }
            traces.count_bytes(trace, &mut live);
            traces.renew_half(&mut live);
            drop(live);
            let decide = |mut part: TakenPart<SpanStore>| {
                let parent = part.parent.filter(|_| !part.is_below);
                let outcome = |parent| trace.lock().parts.as_ref()?.recent.outcome_of(parent);
                let follows = parent.and_then(outcome);
                let ids = part.spans.ids().collect();
                let below = part.parent.filter(|_| part.is_below);
                let outcome = self.decide_part(traces, trace, &mut part, follows, now);
                DecidedPart { ids, below, outcome }
            };
            // A memory of its own: collected in place, that of the parts would be cut to another size each time, which costs
            // the allocator more than a second one.
            let mut decided = Vec::with_capacity(taken.len());
            decided.extend(taken.into_iter().map(decide));
            self.note_decided(traces, trace, decided, now);
            if !has_more {
                return true;
            }
        }
    }

    /// Decides the only part that was complete. Its memory goes back to the trace.
    fn decide_last_part(
        &self,
        traces: &LiveTraces<O>,
        trace: &Arc<LocalTrace<O>>,
        mut live: MutexGuard<'_, LiveSpans>,
        mut part: TakenPart<SpanStore>,
        now: Tick,
    ) {
        traces.count_bytes(trace, &mut live);
        traces.renew_half(&mut live);
        drop(live);
        let outcome = self.decide_part(traces, trace, &mut part, None, now);
        let mut live = trace.lock();
        note_kept(&mut live, part.parent, &outcome);
        live.remember_last_part(part, outcome);
        self.parts_decided(traces, trace, live, now);
    }

    /// Notes what became of parts, and decides the rest of the trace where all its spans have ended meanwhile.
    fn note_decided(
        &self,
        traces: &LiveTraces<O>,
        trace: &Arc<LocalTrace<O>>,
        decided: Vec<DecidedPart>,
        now: Tick,
    ) {
        let mut live = trace.lock();
        for DecidedPart { ids, below, outcome } in decided {
            note_kept(&mut live, below, &outcome);
            live.remember_part(ids.into_iter(), outcome);
        }
        self.parts_decided(traces, trace, live, now);
    }

    /// Counts the caller no more as an open span of a trace.
    pub(super) fn parts_decided(
        &self,
        traces: &LiveTraces<O>,
        trace: &Arc<LocalTrace<O>>,
        mut live: MutexGuard<'_, LiveSpans>,
        now: Tick,
    ) {
        let has_grown = traces.change_parts(trace, &mut live, LiveSpans::end_deciding);
        if live.open == 0 {
            if let Some(rest) = self.complete(traces, trace, live) {
                self.decide(traces, trace, rest, now);
            }
            return;
        }
        let is_waited_for = live.take_waiting();
        drop(live);
        if is_waited_for {
            self.decide_parts(traces, trace, PartLook::BelowTrunk, now);
        }
        if has_grown {
            traces.evict_surplus();
        }
    }

    /// Takes what is left of a trace that was decided in parts, of which no span is open any more.
    #[cold]
    pub(super) fn complete_rest(
        &self,
        traces: &LiveTraces<O>,
        trace: &LocalTrace<O>,
        mut live: MutexGuard<'_, LiveSpans>,
    ) -> Option<SpanStore> {
        let parts = live.parts.take();
        live.store.recorded_mut().mark_top();
        if live.store.len() > 0 {
            live.phase = Phase::Deciding;
            return Some(traces.take_spans(&mut live));
        }
        live.phase = match parts.as_ref().and_then(|parts| parts.recent.last_outcome()) {
            Some(PartOutcome::Kept(kept)) => Phase::Kept(Arc::clone(kept)),
            Some(PartOutcome::DroppedByPolicy) => Phase::Dropped(Reason::DroppedByPolicy),
            _ => Phase::Dropped(Reason::NotKept),
        };
        let unused = traces.unregister(trace, &mut live);
        drop(live);
        drop(unused);
        None
    }

    /// Has traces decided in parts that have been open for as long as is allowed, and decides what is complete of those
    /// that are.
    pub(in crate::record) fn decide_long_open(&self, traces: &LiveTraces<O>, now: Tick) {
        if self.part_watch.is_time(now) {
            traces.for_each(|trace| self.decide_if_long_open(traces, &trace, now));
        }
    }

    fn decide_if_long_open(&self, traces: &LiveTraces<O>, trace: &Arc<LocalTrace<O>>, now: Tick) {
        let began_by = self.part_watch.began_by(now);
        let mut live = trace.lock();
        let is_young = trace.since(&live, now).is_none_or(|since| since > began_by);
        if trace.is_foreign() || (is_young && !live.is_in_parts()) {
            return;
        }
        let phase = live.phase.clone();
        let is_open = matches!(phase, Phase::Open | Phase::Kept(_) | Phase::Held(_));
        let mut has_trunk = false;
        if is_open {
            let enter = |live: &mut LiveSpans| has_trunk = live.enter_parts(began_by);
            traces.change_parts(trace, &mut live, enter);
        }
        if !has_trunk {
            if live.is_in_parts() {
                drop(live);
                self.decide_parts(traces, trace, PartLook::BelowTrunk, now);
            }
            return;
        }
        live.phase = Phase::Open;
        trace.mark_worth_keeping();
        // What was kept while spans were open goes on as an open trace: what has ended is late, and the spans that are
        // open leave when they end.
        if let Phase::Kept(kept) = phase {
            live.store.recorded_mut().mark_open_as_kept_below();
            let ended = live.store.split_ended();
            traces.count_bytes(trace, &mut live);
            drop(live);
            self.send_late(traces, trace, ended, &kept);
        } else {
            drop(live);
        }
        self.decide_parts(traces, trace, PartLook::BelowTrunk, now);
    }
}

/// Notes of the spans above a part that was kept that they leave too.
pub(super) fn note_kept(live: &mut LiveSpans, below: Option<SpanId>, outcome: &PartOutcome) {
    if let (Some(below), PartOutcome::Kept(_)) = (below, outcome) {
        live.store.recorded_mut().mark_kept_below(below);
    }
}
