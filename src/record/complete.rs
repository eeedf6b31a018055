//! Ending spans, and deciding local traces when they are complete.

use std::borrow::Cow;
use std::sync::atomic::Ordering;
use std::sync::{Arc, MutexGuard};

use super::local::{LiveSpans, LocalTrace, Phase};
use super::over_limit::OverLimitSpan;
use super::recorder::{KeepOutcome, Recorder};
use crate::kit::guarded::lock;
use crate::kit::own_work::Asking;
use crate::ledger::Reason;
use crate::model::{SpanId, Threshold, TraceId};
use crate::tail::TailDecision;
use crate::time::Tick;
use crate::trace::head::TraceHead;
use crate::trace::store::{Room, SpanStore};
use crate::trace::{Kept, Trace, TraceView};

/// Fewer lingering traces are not looked through.
const LEAST_TO_CLEAR: usize = 1024;

/// A local trace of which all spans have ended. It is decided when this is dropped, which asks the tail.
#[must_use = "dropping it asks the tail, which is user code"]
pub(crate) struct CompletedTrace {
    /// `None` only while it is being dropped.
    trace: Option<Arc<LocalTrace>>,
    store: SpanStore,
    now: Tick,
}

impl CompletedTrace {
    #[inline]
    pub(crate) fn decide(self) {}
}

impl Drop for CompletedTrace {
    fn drop(&mut self) {
        let Some(trace) = self.trace.take() else { return };
        if let Some(recorder) = trace.recorder.as_ref() {
            recorder.decide(&trace, std::mem::take(&mut self.store), self.now);
        }
        if Arc::strong_count(&trace) == 1 {
            Recorder::release_trace(trace);
        }
    }
}

impl Recorder {
    /// Ends a span; the last one to end completes its trace.
    #[inline]
    pub(super) fn finish(
        &self,
        trace: &Arc<LocalTrace>,
        index: u32,
        id: SpanId,
        end: Option<Tick>,
        after: impl FnOnce(CompletedTrace),
    ) {
        let end = end.unwrap_or_else(|| self.clock.now());
        let mut live = trace.live();
        if let Some(index) = live.store.finish(index, id, end) {
            self.span_ended(trace, live, index, end, after);
        }
    }

    /// Ends a span beyond the limit.
    pub(super) fn finish_over_limit(
        &self,
        beyond: &OverLimitSpan,
        end: Option<Tick>,
        after: impl FnOnce(CompletedTrace),
    ) {
        let end = end.unwrap_or_else(|| self.clock.now());
        let mut live = beyond.trace.live();
        if let Some(place) = beyond.place() {
            if let Some(index) = live.store.finish(place, beyond.id, end) {
                self.span_ended(&beyond.trace, live, index, end, after);
            }
        } else if live.over_limit > 0 && beyond.end_without_record() {
            live.over_limit -= 1;
            self.ledger.dropped(beyond.limit, 1);
            self.span_ended(&beyond.trace, live, u32::MAX, end, after);
        }
    }

    #[inline]
    pub(super) fn span_ended(
        &self,
        trace: &Arc<LocalTrace>,
        mut live: MutexGuard<'_, LiveSpans>,
        index: u32,
        end: Tick,
        after: impl FnOnce(CompletedTrace),
    ) {
        live.open = live.open.saturating_sub(1);
        if live.open == 0 {
            if let Some(completed) = self.complete(trace, live, end) {
                after(completed);
            }
        } else if index == 0 && matches!(live.phase, Phase::Open) {
            // The root, which comes first: from now on the others' time runs.
            drop(live);
            self.linger(trace, end.after(self.limits.linger));
        }
    }

    /// Remembers until when a trace whose root has ended may wait for its other spans.
    pub(super) fn linger(&self, trace: &Arc<LocalTrace>, until: Tick) {
        let mut lingering = lock(&self.lingering);
        // Those that completed in the meantime are cleared out whenever they are the most.
        let most = LEAST_TO_CLEAR.max(2 * self.live_traces.load(Ordering::Relaxed));
        if lingering.len() >= most {
            lingering.retain(|(_, trace)| matches!(trace.live().phase, Phase::Open));
        }
        lingering.push_back((until, Arc::clone(trace)));
    }

    /// Takes what a trace holds, all of which has ended, to be decided.
    pub(super) fn complete(
        &self,
        trace: &Arc<LocalTrace>,
        mut live: MutexGuard<'_, LiveSpans>,
        now: Tick,
    ) -> Option<CompletedTrace> {
        match live.phase.clone() {
            Phase::Open => {
                live.phase = Phase::Deciding;
                let store = self.take(&mut live);
                return Some(CompletedTrace { trace: Some(Arc::clone(trace)), store, now });
            }
            Phase::Kept(kept) => self.keep_late(trace, live, &kept),
            // Whoever is deciding finds these spans afterwards; what was dropped holds none.
            Phase::Deciding | Phase::Dropped(_) => {}
        }
        None
    }

    /// Takes the spans out of a trace and their memory out of the count_bytes.
    pub(super) fn take(&self, live: &mut LiveSpans) -> SpanStore {
        let room = Room::new(self.limits.bytes_per_trace);
        let store = std::mem::replace(&mut live.store, SpanStore::with_room(room));
        self.count_bytes(live);
        store
    }

    /// Asks the tail about spans that were taken out of a trace, and lets the rest of it follow.
    fn decide(&self, trace: &Arc<LocalTrace>, mut store: SpanStore, now: Tick) {
        self.ledger.cut_values(u64::from(store.cut_values()));
        let dropped = match self.ask_tail(trace, &store, now) {
            Ok(kept) => Err((kept, store)),
            Err(reason) => {
                store.forget_read();
                self.drop_spans(trace, store, reason, now)
            }
        };
        let fate = match dropped {
            Ok(reason) => Phase::Dropped(reason),
            Err((kept, mut store)) => {
                self.keep_spans(&trace.head, &mut store, &kept);
                self.release_buffer(&trace.head, store);
                Phase::Kept(Arc::new(kept))
            }
        };
        self.follow(trace, fate);
    }

    /// What was started while the tail was asked, or has not ended yet, follows the decision.
    fn follow(&self, trace: &Arc<LocalTrace>, fate: Phase) {
        let mut live = trace.live();
        live.phase = fate.clone();
        match fate {
            Phase::Dropped(reason) => {
                self.drop_trace(trace, live, reason);
            }
            Phase::Kept(kept)
                if live.open == 0 && trace.foreign_spans().count() == 0 && live.spans() > 0 =>
            {
                self.keep_late(trace, live, &kept);
            }
            _ if trace.spans(&live) == 0 => drop(self.unregister(trace, &live)),
            _ => {}
        }
    }

    /// Drops whatever a trace still holds, open spans included; how many spans that were.
    pub(super) fn drop_trace(
        &self,
        trace: &Arc<LocalTrace>,
        mut live: MutexGuard<'_, LiveSpans>,
        reason: Reason,
    ) -> u64 {
        let foreign_spans = trace.foreign_spans().clear(&live);
        let spans = live.spans() + u64::from(foreign_spans);
        let store = self.take(&mut live);
        (live.open, live.over_limit) = (0, 0);
        live.phase = Phase::Dropped(reason);
        let removed = self.unregister(trace, &live);
        drop(live);
        drop(removed);
        if foreign_spans > 0 {
            self.foreign.retire(trace);
        }
        if spans > 0 {
            self.ledger.dropped(reason, spans);
            self.release_buffer(&trace.head, store);
        }
        spans
    }

    /// Why the trace is kept, or why it is dropped.
    fn ask_tail(&self, trace: &LocalTrace, store: &SpanStore, now: Tick) -> Result<Kept, Reason> {
        let head = &trace.head;
        let verdict = {
            let _asking = Asking::begin(self.owner());
            self.deciders.ask_tail(&TraceView::new(head, store, now))
        };
        self.ledger.panicked(verdict.panics());
        let sampled = trace.sampled();
        let kept = |by, threshold| Ok(Kept { by, threshold, late: false });
        match verdict.decision {
            TailDecision::Drop if !trace.is_keep_asked() => Err(Reason::DroppedByPolicy),
            TailDecision::Keep => {
                let either = |sampled| Threshold::either(sampled, verdict.threshold);
                kept(verdict.policy, sampled.map_or(verdict.threshold, either))
            }
            _ => match sampled {
                Some(threshold) => kept(Cow::Borrowed("head sampler"), threshold),
                None if trace.is_keep_asked() => Ok(asked_for()),
                None => Err(Reason::NotKept),
            },
        }
    }

    /// Takes the spans that ended after their trace was kept, and sends them on.
    fn keep_late(&self, trace: &Arc<LocalTrace>, mut live: MutexGuard<'_, LiveSpans>, kept: &Kept) {
        let store = self.take(&mut live);
        drop(self.unregister(trace, &live));
        drop(live);
        self.send_late(&trace.head, store, kept);
    }

    fn send_late(&self, head: &TraceHead, mut store: SpanStore, kept: &Kept) {
        let late = Kept { late: true, ..kept.clone() };
        self.ledger.cut_values(u64::from(store.cut_values()));
        self.keep_spans(head, &mut store, &late);
        self.release_buffer(head, store);
    }

    /// Freezes a copy with no memory to spare and sends it on; the buffer stays for release_buffer.
    fn keep_spans(&self, head: &TraceHead, store: &mut SpanStore, kept: &Kept) {
        if store.len() == 0 {
            return;
        }
        self.ledger.kept(kept.late, store.len() as u64);
        let resource = Arc::clone(store.resource().unwrap_or(&self.resource));
        (self.sink)(Trace::frozen(head.clone(), store.freeze(), resource, kept.clone()));
    }

    /// Does what time asks for: decides traces that lingered, forgets dropped ones that aged.
    pub(crate) fn poll(&self, now: Tick) {
        // A policy that flushes must not decide further traces inside itself.
        if Asking::is_under_way(self.owner()) {
            return;
        }
        self.drop_postponed();
        loop {
            let due = {
                let mut lingering = lock(&self.lingering);
                let is_due = lingering.front().is_some_and(|(until, _)| *until <= now);
                if is_due { lingering.pop_front() } else { None }
            };
            let Some((_, trace)) = due else { break };
            self.decide_early(&trace, now);
            if Arc::strong_count(&trace) == 1 {
                Self::release_trace(trace);
            }
        }
        for shard in &self.shards {
            self.forget_surplus(shard, now);
        }
    }

    /// Decides a trace on the spans that have ended; the others follow when they end. Of a trace that was
    /// kept before, the late spans that have ended are sent on.
    fn decide_early(&self, trace: &Arc<LocalTrace>, now: Tick) {
        let mut live = trace.live();
        let phase = live.phase.clone();
        if matches!(phase, Phase::Deciding | Phase::Dropped(_)) {
            return;
        }
        let ended = live.store.split_ended();
        self.count_bytes(&mut live);
        if ended.len() == 0 {
            return;
        }
        if let Phase::Kept(kept) = phase {
            drop(live);
            return self.send_late(&trace.head, ended, &kept);
        }
        live.phase = Phase::Deciding;
        drop(live);
        self.decide(trace, ended, now);
    }

    /// Keeps a trace after the fact, or when it completes.
    pub(crate) fn keep(&self, id: TraceId) -> KeepOutcome {
        let (held, live) = {
            let mut shard = lock(self.shard(id));
            (shard.ring.take(id), shard.find(id).map(|trace| trace.ask_keep()).count())
        };
        let count = held.len();
        for mut held in held {
            self.keep_spans(&held.head, &mut held.store, &asked_for());
            self.release_buffer(&held.head, held.store);
        }
        match (count, live) {
            (0, 0) => KeepOutcome::NotFound,
            (0, _) => KeepOutcome::WhenComplete,
            _ => KeepOutcome::Exported,
        }
    }

    /// Ends recording: what is live is decided on what has ended. What has not ended is dropped; how
    /// many spans that were. `None` when somebody else has begun that before.
    pub(crate) fn shutdown(&self, now: Tick) -> Option<u64> {
        self.drop_postponed();
        if !self.is_closed() {
            self.settle_drafts();
        }
        if !self.close() {
            return None;
        }
        self.drop_postponed();
        let mut unfinished = 0;
        for trace in self.live() {
            self.decide_early(&trace, now);
            let live = trace.live();
            if !matches!(live.phase, Phase::Deciding) {
                unfinished += self.drop_trace(&trace, live, Reason::Unfinished);
            }
        }
        lock(&self.lingering).clear();
        for shard in &self.shards {
            loop {
                let next = lock(shard).ring.pop();
                let Some(held) = next else { break };
                self.ledger.dropped(Reason::NotKept, held.store.len() as u64);
            }
        }
        Some(unfinished)
    }
}

/// A trace that somebody named: nobody knows how likely that was.
pub(super) const fn asked_for() -> Kept {
    Kept { by: Cow::Borrowed("asked for"), threshold: None, late: false }
}
