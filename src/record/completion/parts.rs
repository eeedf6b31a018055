//! Traces that are decided in parts, because they stay open for long or fill half of a limit.

use std::sync::Arc;

use parking_lot::MutexGuard;

use super::Completion;
use super::decision::TraceDecision;
use super::part_look::PartLook;
use crate::ledger::Reason;
use crate::model::SpanId;
use crate::record::live::{LiveTraces, PartDrop};
use crate::record::local::{Due, LiveSpans, LocalTrace, PartOutcome, Phase, TraceOwner};
use crate::time::{Tick, nanos};
use crate::trace::store::{SpanIndex, SpanStore, TakenPart};
use crate::trace::{KeepReason, OpenAncestors, TraceView};

/// A part that was decided.
struct DecidedPart {
    ids: Vec<SpanId>,
    /// The span that it was below, which is in the trace still.
    below: Option<SpanId>,
    outcome: PartOutcome,
}

impl<O: TraceOwner> Completion<O> {
    /// What the end of a span leaves to be done in a trace that is decided in parts while further spans are open.
    #[cold]
    pub(super) fn part_span_ended(
        &self,
        mut live: MutexGuard<'_, LiveSpans>,
        ended: Option<SpanIndex>,
    ) -> Option<Due> {
        let is_open = matches!(live.phase, Phase::Open);
        let may_be_complete = ended.is_some_and(|ended| live.may_complete_part(ended));
        (is_open && may_be_complete).then_some(Due::Look)
    }

    /// Decides the parts that are complete; false where the trace is not decided in parts.
    #[cold]
    pub(super) fn decide_parts(
        &self,
        traces: &LiveTraces<O>,
        trace: &Arc<LocalTrace<O>>,
        look: PartLook,
        now: Tick,
    ) -> bool {
        let stale = match look {
            PartLook::BelowTrunk => now.as_nanos().saturating_sub(nanos(self.linger)),
            PartLook::AllEnded => u64::MAX,
        };
        loop {
            let mut live = trace.lock();
            if !live.is_in_parts() || !matches!(live.phase, Phase::Open) {
                return live.is_in_parts();
            }
            self.ledger.cut_values(u64::from(live.store.take_cut_values()));
            let (taken, has_more) =
                live.take_parts(Tick::from_nanos(stale), look == PartLook::AllEnded);
            if taken.is_empty() {
                return true;
            }
            traces.count_bytes(trace, &mut live);
            traces.renew_most_spans(&mut live);
            drop(live);
            let decide = |part: TakenPart<SpanStore>| {
                let parent = part.parent.filter(|_| !part.is_below);
                let outcome = |parent| trace.lock().parts.as_ref()?.outcome_of(parent);
                let follows = parent.and_then(outcome);
                self.decide_part(traces, trace, part, follows, now)
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

    fn decide_part(
        &self,
        traces: &LiveTraces<O>,
        trace: &Arc<LocalTrace<O>>,
        part: TakenPart<SpanStore>,
        follows: Option<PartOutcome>,
        now: Tick,
    ) -> DecidedPart {
        let TakenPart { spans: mut store, top, start, parent, is_below } = part;
        let ids = store.ids().collect();
        let requested = traces.part_requested(trace, start);
        let decision = match follows {
            Some(PartOutcome::Kept(kept)) => {
                TraceDecision::Keep(KeepReason { is_late: true, ..(*kept).clone() })
            }
            Some(PartOutcome::DroppedByPolicy) => TraceDecision::Drop(Reason::DroppedByPolicy),
            Some(PartOutcome::Held(_) | PartOutcome::Dropped)
                if !store.has_errors() && requested.is_none() =>
            {
                TraceDecision::Drop(Reason::NotKept)
            }
            other => {
                // A late error is decided with what the ring has of its part.
                if let Some(PartOutcome::Held(place)) = other
                    && let Some(mut held) = traces.take_held(trace, place, now)
                {
                    held.store.append(store, trace.header.correction);
                    store = held.store;
                }
                self.ask_about_part(traces, trace, &store, (start, parent), now)
            }
        };
        let below = parent.filter(|_| is_below);
        let outcome = match decision {
            TraceDecision::Keep(kept) => self.keep_part(traces, trace, store, kept),
            TraceDecision::KeepAndAnnounce(kept) => {
                announce(traces, trace, &kept, top, parent);
                self.keep_part(traces, trace, store, kept)
            }
            TraceDecision::Drop(reason) => {
                match traces.drop_part(trace, start, store, reason, now) {
                    PartDrop::Held(place) => PartOutcome::Held(place),
                    PartDrop::Dropped if reason == Reason::NotKept => PartOutcome::Dropped,
                    PartDrop::Dropped => PartOutcome::DroppedByPolicy,
                    PartDrop::Keep(store, kept) => self.keep_part(traces, trace, store, kept),
                }
            }
        };
        DecidedPart { ids, below, outcome }
    }

    /// Asks the tail about a part of which the top started then below that span. The tail sees the open spans above
    /// it if it looks.
    pub(super) fn ask_about_part(
        &self,
        traces: &LiveTraces<O>,
        trace: &LocalTrace<O>,
        store: &SpanStore,
        (start, parent): (Tick, Option<SpanId>),
        now: Tick,
    ) -> TraceDecision {
        let copy = || {
            let parent = parent.map(|parent| trace.lock().store.copy_open_upwards(parent));
            parent.unwrap_or_default()
        };
        let ancestors = OpenAncestors::new(&copy);
        let view = TraceView::new(&trace.header, store, now).below(&ancestors);
        let requested = traces.part_requested(trace, start);
        let reason = || traces.part_reason(trace, requested);
        TraceDecision::of(&self.deciders, &view, trace.sample(), store, requested, reason)
    }

    fn keep_part(
        &self,
        traces: &LiveTraces<O>,
        trace: &LocalTrace<O>,
        mut store: SpanStore,
        kept: KeepReason,
    ) -> PartOutcome {
        let kept = KeepReason { is_part: true, ..kept };
        self.keep_spans(&trace.header, &mut store, &kept);
        traces.remember_kept(trace);
        PartOutcome::Kept(Arc::new(kept))
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
            if let (Some(below), PartOutcome::Kept(_)) = (below, &outcome) {
                live.store.recorded_mut().mark_kept_below(below);
            }
            live.remember_part(&ids, &outcome);
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
        live.end_deciding();
        if live.open == 0
            && let Some(rest) = self.complete(traces, trace, live)
        {
            self.decide(traces, trace, rest, now);
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
        live.phase = match parts.as_ref().and_then(|parts| parts.last_outcome()) {
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
        if !is_open || !live.enter_parts(began_by) {
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

/// Tells the other services that a policy kept a part.
pub(super) fn announce<O: TraceOwner>(
    traces: &LiveTraces<O>,
    trace: &LocalTrace<O>,
    kept: &KeepReason,
    top: SpanId,
    parent: Option<SpanId>,
) {
    if let Some(link) = traces.link() {
        link.announce(&trace.header, kept, Some((top, parent)));
    }
}
