//! The moment a local trace is complete, and what follows: the decision, and the way out.

#[cfg(feature = "layer")]
mod completed;
mod decision;
mod ended;
mod flush;
mod held;
mod linger;
mod open;
mod part_decision;
mod part_look;
mod part_watch;
mod parts;
mod requests;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::MutexGuard;

#[cfg(feature = "layer")]
pub(crate) use completed::CompletedTrace;
pub use decision::KeepOutcome;

use self::decision::TraceDecision;
use self::linger::LingeringTraces;
use self::part_look::PartLook;
use self::part_watch::PartWatch;
use super::deciders::Deciders;
use super::link::is_watched;
use super::live::{LiveTraces, RingOutcome};
use super::local::{Due, LiveSpans, LocalTrace, Phase, TraceOwner};
use crate::ledger::Ledger;
use crate::model::Resource;
use crate::time::Tick;
use crate::trace::header::TraceHeader;
use crate::trace::store::{SpanIndex, SpanStore};
use crate::trace::{KeepReason, Trace};

/// Decides traces that are complete, or that have waited long enough, and sends the kept ones on.
pub(super) struct Completion<O> {
    deciders: Arc<Deciders>,
    lingering: LingeringTraces<O>,
    linger: Duration,
    part_watch: PartWatch,
    /// Whether spans that are sent open say so.
    tags_unfinished: bool,
    /// Where kept traces go. Must not block and not run user code.
    sink: Box<dyn Fn(Trace) + Send + Sync>,
    resource: Arc<Resource>,
    ledger: Arc<Ledger>,
}

impl<O: TraceOwner> Completion<O> {
    pub(super) fn new(
        deciders: Arc<Deciders>,
        linger: Duration,
        part_age: Duration,
        tags_unfinished: bool,
        sink: Box<dyn Fn(Trace) + Send + Sync>,
        resource: Arc<Resource>,
        ledger: Arc<Ledger>,
    ) -> Self {
        let lingering = LingeringTraces::new();
        let part_watch = PartWatch::new(part_age);
        Self { deciders, lingering, linger, part_watch, tags_unfinished, sink, resource, ledger }
    }

    /// The service whose spans these are, unless a span says otherwise.
    pub(super) fn resource(&self) -> &Arc<Resource> {
        &self.resource
    }

    /// Counts a span of ours as ended, which stands where `ended` says if it is on record; the last one to end
    /// completes its trace.
    // Left to the compiler, it was at times called out of line, for 35 instructions a span.
    #[inline(always)]
    pub(super) fn span_ended(
        &self,
        traces: &LiveTraces<O>,
        trace: &Arc<LocalTrace<O>>,
        mut live: MutexGuard<'_, LiveSpans>,
        ended: Option<SpanIndex>,
        now: Tick,
        after: impl FnOnce(&Arc<LocalTrace<O>>, Due, Tick),
    ) {
        debug_assert!(live.over_limit() <= live.open, "a span over the limit is open");
        live.open = live.open.saturating_sub(1);
        // A root is the first in its buffer, and no span that ended is before it.
        let is_root = ended == Some(SpanIndex::FIRST);
        let due = if let Phase::Held(place) = live.phase {
            let has_failed = ended.is_some_and(|ended| live.store.recorded_mut().has_failed(ended));
            let decided = self.held_span_ended(traces, trace, live, place, has_failed, now);
            decided.map(Due::Decide)
        } else if live.open == 0 {
            self.complete(traces, trace, live).map(Due::Decide)
        } else if live.is_in_parts() {
            LiveSpans::may_have_parts(live, ended).then_some(Due::Look)
        } else {
            if is_root && matches!(live.phase, Phase::Open) {
                // From now on the time of the other spans runs.
                drop(live);
                self.linger(traces, trace, now);
            }
            None
        };
        if let Some(due) = due {
            after(trace, due, now);
        }
    }

    /// Remembers that the root of a trace has ended now, before other spans.
    pub(super) fn linger(&self, traces: &LiveTraces<O>, trace: &Arc<LocalTrace<O>>, now: Tick) {
        if !trace.owner.is_inherited() {
            self.lingering.push(trace, now.after(self.linger), traces.count());
        }
    }

    /// Takes what a trace holds, all of which has ended, to be decided.
    pub(super) fn complete(
        &self,
        traces: &LiveTraces<O>,
        trace: &Arc<LocalTrace<O>>,
        mut live: MutexGuard<'_, LiveSpans>,
    ) -> Option<SpanStore> {
        if trace.owner.is_inherited() {
            return None;
        }
        match &live.phase {
            Phase::Open if live.is_in_parts() => return self.complete_rest(traces, trace, live),
            Phase::Open => {
                live.phase = Phase::Deciding;
                return Some(traces.take_spans(&mut live));
            }
            Phase::Kept(kept) => {
                let kept = Arc::clone(kept);
                self.keep_late(traces, trace, live, &kept);
            }
            // The thread that decides finds these spans afterwards; what was dropped holds none.
            Phase::Deciding | Phase::Held(_) | Phase::Dropped(_) => {}
        }
        None
    }

    /// Does what is due in a trace.
    #[inline]
    pub(super) fn decide_due(
        &self,
        traces: &LiveTraces<O>,
        trace: &Arc<LocalTrace<O>>,
        due: Due,
        now: Tick,
    ) {
        match due {
            Due::Decide(store) => self.decide(traces, trace, store, now),
            // A trace that is not decided in parts any more was taken whole by another thread.
            Due::Look => _ = self.decide_parts(traces, trace, PartLook::BelowTrunk, now),
        }
    }

    /// Asks the tail about spans that were taken out of a trace, and lets the rest of it follow.
    pub(super) fn decide(
        &self,
        traces: &LiveTraces<O>,
        trace: &Arc<LocalTrace<O>>,
        mut store: SpanStore,
        now: Tick,
    ) {
        self.ledger.cut_values(u64::from(store.take_cut_values()));
        let (store, kept) = match TraceDecision::new(&self.deciders, traces, trace, &store, now) {
            TraceDecision::Keep(kept) => (store, kept),
            TraceDecision::KeepAndAnnounce(kept) => {
                if let Some(link) = traces.link() {
                    link.announce(&trace.header, &kept, None);
                }
                (store, kept)
            }
            TraceDecision::Drop(reason) => {
                store.forget_records();
                match traces.drop_decided(trace, store, reason, now) {
                    RingOutcome::Dropped => return,
                    RingOutcome::Followed(place) => {
                        return self.follow_into_ring(traces, trace, place, now);
                    }
                    RingOutcome::Keep(store, kept) => {
                        let is_part = store.is_part();
                        (store, KeepReason { is_part, ..kept })
                    }
                }
            }
        };
        self.keep_decided(traces, trace, store, kept);
    }

    fn keep_decided(
        &self,
        traces: &LiveTraces<O>,
        trace: &Arc<LocalTrace<O>>,
        mut store: SpanStore,
        kept: KeepReason,
    ) {
        if let Some(link) = traces.link().filter(|_| is_watched(trace.trace_id()))
            && let Some((start, end)) = store.times(trace.header.correction)
        {
            link.on_kept(end.since(start));
        }
        self.keep_spans(&trace.header, &mut store, &kept);
        traces.release_kept(trace, store);
        self.follow(traces, trace, Arc::new(kept));
    }

    /// Lets what was started while the tail was asked, or has not ended yet, follow the decision to keep.
    fn follow(&self, traces: &LiveTraces<O>, trace: &Arc<LocalTrace<O>>, kept: Arc<KeepReason>) {
        let mut live = trace.lock();
        debug_assert!(matches!(live.phase, Phase::Deciding), "a trace is decided once");
        live.phase = Phase::Kept(Arc::clone(&kept));
        if trace.spans(&live) == 0 {
            let unused = traces.unregister(trace, &mut live);
            drop(live);
            drop(unused);
        } else if !trace.has_open_spans(&live) {
            self.keep_late(traces, trace, live, &kept);
        }
    }

    /// Takes the spans that ended after their trace was kept, and sends them on.
    fn keep_late(
        &self,
        traces: &LiveTraces<O>,
        trace: &Arc<LocalTrace<O>>,
        mut live: MutexGuard<'_, LiveSpans>,
        kept: &KeepReason,
    ) {
        let store = traces.take_spans(&mut live);
        let unused = traces.unregister(trace, &mut live);
        drop(live);
        drop(unused);
        self.send_late(traces, trace, store, kept);
    }

    fn send_late(
        &self,
        traces: &LiveTraces<O>,
        trace: &LocalTrace<O>,
        mut store: SpanStore,
        kept: &KeepReason,
    ) {
        let late = KeepReason { is_late: true, ..kept.clone() };
        self.ledger.cut_values(u64::from(store.take_cut_values()));
        self.keep_spans(&trace.header, &mut store, &late);
        traces.release_store(trace, store);
    }

    /// Freezes a copy with no memory to spare and sends it on; the buffer stays for reuse.
    fn keep_spans(&self, header: &TraceHeader, store: &mut SpanStore, kept: &KeepReason) {
        let spans = store.len();
        if spans == 0 {
            return;
        }
        self.ledger.kept(kept.is_late, spans as u64);
        let resource = Arc::clone(store.resource().unwrap_or(&self.resource));
        (self.sink)(Trace::frozen(header.clone(), store.freeze(), resource, kept.clone()));
    }

    /// How many traces linger, or did so and have completed meanwhile.
    #[cfg(test)]
    pub(super) fn lingering_traces(&self) -> usize {
        self.lingering.len()
    }
}

impl<O> fmt::Debug for Completion<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Completion").field("linger", &self.linger).finish_non_exhaustive()
    }
}
