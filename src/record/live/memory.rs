//! The memory of traces that begin, and of those that have gone.

use std::sync::Arc;

use super::LiveTraces;
use super::stripe::{Stripe, StripeState};
use crate::ledger::Reason;
use crate::model::Baggage;
use crate::record::local::{LiveSpans, LocalTrace, TraceOwner};
use crate::trace::header::TraceHeader;
use crate::trace::store::{MemoryBudget, SpanStore};

impl<O: TraceOwner> LiveTraces<O> {
    /// Begins a trace in the calling thread's stripe: takes memory, has `fill` put the root in, registers and counts
    /// it. `fill` runs under the lock of the stripe, and says why where there is no room for the root.
    ///
    /// The caller has [made room](Self::make_room); why there is none after all is the answer otherwise, with the header.
    #[inline]
    pub(in crate::record) fn begin(
        &self,
        owner: &Arc<O>,
        header: TraceHeader,
        fill: impl FnOnce(&mut SpanStore) -> Result<(), Reason>,
    ) -> Result<Arc<LocalTrace<O>>, (Reason, TraceHeader)> {
        let home = self.stripe_of_this_thread();
        let mut stripe = self.stripes[home].lock();
        if !self.traces.claim(&mut stripe.traces, 1) {
            return Err((Reason::LiveTraces, header));
        }
        let mut store = self.take_store(&mut stripe);
        if let Err(reason) = fill(&mut store) {
            let unused = stripe.pool.release_store(store, &self.pool);
            self.traces.give_back(&mut stripe.traces, 1);
            drop(stripe);
            drop(unused);
            return Err((reason, header));
        }
        stripe.started += 1;
        let bytes = store.bytes();
        let spans = LiveSpans::new(store, bytes);
        let trace = self.make_trace(&mut stripe, owner, home, header, spans);
        self.bytes.add(&mut stripe.bytes, bytes + trace.own_bytes());
        stripe.table.insert(&trace);
        drop(stripe);
        if self.is_closed() {
            self.drop_if_closed(&trace, trace.lock());
        }
        Ok(trace)
    }

    /// Takes memory for a trace that is not registered and to which only the caller refers.
    pub(in crate::record) fn acquire(
        &self,
        owner: &Arc<O>,
        header: TraceHeader,
    ) -> Arc<LocalTrace<O>> {
        let home = self.stripe_of_this_thread();
        let mut stripe = self.stripes[home].lock();
        let store = self.take_store(&mut stripe);
        let spans = LiveSpans::new(store, 0);
        self.make_trace(&mut stripe, owner, home, header, spans)
    }

    /// Makes a trace as [`acquire`](Self::acquire) does, around a buffer that holds its root.
    #[cfg(feature = "layer")]
    pub(in crate::record) fn acquire_around(
        &self,
        owner: &Arc<O>,
        header: TraceHeader,
        store: SpanStore,
    ) -> Arc<LocalTrace<O>> {
        let home = self.stripe_of_this_thread();
        let mut stripe = self.stripes[home].lock();
        let spans = LiveSpans::new(store, 0);
        self.make_trace(&mut stripe, owner, home, header, spans)
    }

    /// An empty buffer, with memory where the pool has one, and with the limit that each trace has.
    #[inline]
    fn take_store(&self, stripe: &mut StripeState<O>) -> SpanStore {
        let Some(mut store) = stripe.pool.acquire_store(&self.pool) else {
            return self.empty_store();
        };
        store.limit_memory(self.limits.bytes_per_trace);
        store
    }

    /// Takes the spans out of a trace. Their memory counts as the trace's until they are decided.
    pub(in crate::record) fn take_spans(&self, live: &mut LiveSpans) -> SpanStore {
        std::mem::replace(&mut live.store, self.empty_store())
    }

    pub(super) fn empty_store(&self) -> SpanStore {
        SpanStore::with_budget(MemoryBudget::new(self.limits.bytes_per_trace))
    }

    #[inline(always)]
    fn make_trace(
        &self,
        stripe: &mut StripeState<O>,
        owner: &Arc<O>,
        home: usize,
        header: TraceHeader,
        spans: LiveSpans,
    ) -> Arc<LocalTrace<O>> {
        let reset = |trace: &mut LocalTrace<O>, (header, spans)| trace.reset(header, spans);
        match stripe.pool.acquire_trace((header, spans), &self.pool, reset) {
            Ok(trace) => trace,
            Err((header, spans)) => {
                Arc::new(LocalTrace::new(Arc::clone(owner), home, header, spans))
            }
        }
    }

    /// Takes a trace that the caller has no more use for, for the next trace to use its memory.
    pub(in crate::record) fn reclaim(&self, trace: Arc<LocalTrace<O>>) {
        let mut stripe = self.home(&trace).lock();
        // Asked under the lock under which `close` empties the pool, so that none comes in afterwards.
        let is_pooled = trace.is_pooled() || trace.slot().is_some() || self.is_closed();
        let unused =
            if is_pooled { Some(trace) } else { stripe.pool.release_trace(trace, &self.pool) };
        drop(stripe);
        drop(unused);
    }

    /// Counts baggage that a span of the trace carries, once for all spans that share it.
    #[cold]
    pub(in crate::record) fn count_baggage(
        &self,
        trace: &LocalTrace<O>,
        live: &mut LiveSpans,
        baggage: &Baggage,
    ) {
        if let Some(more) = live.extras.add(baggage)
            && trace.slot().is_some()
            && !trace.owner.is_inherited()
        {
            self.bytes.add(&mut self.home(trace).lock().bytes, more);
        }
    }

    /// Replaces the baggage that a span of the trace carries, and counts that.
    #[cfg(feature = "layer")]
    pub(in crate::record) fn replace_baggage(
        &self,
        trace: &LocalTrace<O>,
        old: &mut Baggage,
        new: Baggage,
    ) {
        if !trace.owner.is_inherited() {
            self.recount_baggage(trace, old, &new);
        }
        *old = new;
    }

    #[cfg(feature = "layer")]
    fn recount_baggage(&self, trace: &LocalTrace<O>, old: &Baggage, new: &Baggage) {
        let mut live = trace.lock();
        let before = live.extras.bytes();
        let after = live.extras.replace(old, new);
        self.recount_extras(trace, before, after);
        drop(live);
        self.evict_surplus();
    }

    /// Changes what a trace knows of its parts, and counts the memory of that; whether it takes more than before.
    #[inline]
    pub(in crate::record) fn change_parts(
        &self,
        trace: &LocalTrace<O>,
        live: &mut LiveSpans,
        change: impl FnOnce(&mut LiveSpans),
    ) -> bool {
        let before = live.counted_parts();
        change(live);
        let after = live.count_parts();
        if after != before {
            self.recount_parts(trace, live, before, after);
        }
        after > before
    }

    #[cold]
    fn recount_parts(&self, trace: &LocalTrace<O>, live: &mut LiveSpans, old: usize, new: usize) {
        let before = live.extras.bytes();
        live.extras.recount(old, new);
        self.recount_extras(trace, before, live.extras.bytes());
    }

    fn recount_extras(&self, trace: &LocalTrace<O>, before: usize, after: usize) {
        if trace.slot().is_some() {
            let mut stripe = self.home(trace).lock();
            self.bytes.add(&mut stripe.bytes, after.saturating_sub(before));
            self.bytes.give_back(&mut stripe.bytes, before.saturating_sub(after));
        }
    }

    /// Counts the baggage of a trace that has begun.
    #[inline]
    pub(in crate::record) fn count_baggage_of(&self, trace: &LocalTrace<O>, baggage: &Baggage) {
        if !baggage.is_empty() {
            self.count_baggage(trace, &mut trace.lock(), baggage);
        }
    }

    /// Clears a buffer and keeps its memory for the next trace of the same stripe.
    pub(in crate::record) fn release_store(&self, trace: &LocalTrace<O>, store: SpanStore) {
        self.clear_and_release(self.home(trace), store);
    }

    /// Clears a buffer and keeps its memory.
    pub(super) fn clear_and_release(&self, home: &Stripe<O>, mut store: SpanStore) {
        // Before the lock is taken: what spans of another tracer hold may take its time to go.
        store.clear();
        let mut stripe = home.lock();
        let unused = stripe.pool.release_store(store, &self.pool);
        drop(stripe);
        drop(unused);
    }
}
