//! The local traces that hold spans, their memory, and the ring of those that were dropped.

mod counts;
mod decided;
mod dropped;
mod eviction;
mod memory;
mod noticed;
mod pool;
mod requested;
mod stripe;
mod table;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use parking_lot::MutexGuard;

pub(super) use dropped::{PartDrop, RingOutcome};
pub use pool::SpanPool;
pub(super) use requested::RequestedTraces;

use self::pool::PoolLimits;
use self::stripe::{Stripe, StripeState};
use super::config::RecordLimits;
use super::foreign::ForeignTraces;
use super::link::CoherenceLink;
use super::local::{LiveSpans, LocalTrace, Phase, TraceOwner};
use super::quota::Quota;
use super::ring::RingLimits;
use crate::kit::Random;
use crate::kit::thread_stripe::{self, STRIPES};
use crate::ledger::{Ledger, Reason};
use crate::time::Tick;

/// Small limits have one stripe, so that what goes first is exact where it can be seen.
const TRACES_PER_STRIPE: usize = 1024;

/// The memory that pools keep for each stripe there is.
const POOLED_BYTES_PER_STRIPE: usize = 2 * 1024 * 1024;

/// The longest trace state that a pooled trace keeps until its next use.
const MOST_POOLED_STATE: usize = 256;

/// How many traces are listed under one hold of a stripe's lock.
const LISTED_AT_ONCE: usize = 256;

/// All local traces of a recorder that hold spans, in the stripe of the thread that began them.
#[derive(Debug)]
pub(super) struct LiveTraces<O> {
    stripes: Box<[Stripe<O>]>,
    /// Registered traces.
    traces: Quota,
    /// Their memory, and that of the spans that are being decided.
    bytes: Quota,
    pool: PoolLimits,
    ring: RingLimits,
    /// The local traces of spans that another tracer makes, by trace id.
    pub(super) foreign: ForeignTraces<O>,
    closed: AtomicBool,
    /// Set once, before the first span starts, where services keep their traces together.
    link: OnceLock<CoherenceLink>,
    limits: RecordLimits,
    ledger: Arc<Ledger>,
    random: Random,
}

impl<O: TraceOwner> LiveTraces<O> {
    pub(super) fn new(limits: RecordLimits, ledger: Arc<Ledger>, random: Random) -> Self {
        let count = (limits.live_traces / TRACES_PER_STRIPE).clamp(1, STRIPES).next_power_of_two();
        Self {
            stripes: (0..count).map(|_| Stripe::new()).collect(),
            traces: Quota::new(limits.live_traces),
            bytes: Quota::new(limits.live_bytes),
            pool: PoolLimits::new(limits.pool_buffers, count * POOLED_BYTES_PER_STRIPE),
            ring: RingLimits::new(limits.ring_bytes, limits.ring_age),
            foreign: ForeignTraces::new(count),
            closed: AtomicBool::new(false),
            link: OnceLock::new(),
            limits,
            ledger,
            random,
        }
    }

    /// The way to the other services, if there is one: a load and a branch.
    #[inline]
    pub(super) fn link(&self) -> Option<&CoherenceLink> {
        self.link.get()
    }

    /// Takes part in coherence from now on; a second link is ignored.
    pub(super) fn set_link(&self, link: CoherenceLink) {
        let _ = self.link.set(link);
    }

    /// The number of the calling thread's stripe.
    #[inline]
    fn stripe_of_this_thread(&self) -> usize {
        // Their number is a power of two.
        thread_stripe::of_this_thread() & (self.stripes.len() - 1)
    }

    /// The stripe of a trace, on whichever thread it is asked for.
    #[inline]
    fn home(&self, trace: &LocalTrace<O>) -> &Stripe<O> {
        &self.stripes[trace.home()]
    }

    /// Whether no trace may begin any more.
    // Acquire and release, so that a thread that sees the recorder closed sees what was done before.
    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Lets no trace begin from now on; false when that was done before.
    pub(super) fn close(&self) -> bool {
        let is_first = !self.closed.swap(true, Ordering::AcqRel);
        if is_first {
            for stripe in &self.stripes {
                // A pooled trace refers to its owner, which would keep both for ever.
                let traces = stripe.lock().pool.drain_traces(&self.pool);
                drop(traces);
            }
        }
        is_first
    }

    /// Registers a new trace and counts it.
    pub(super) fn register(&self, trace: &Arc<LocalTrace<O>>) {
        let live = trace.lock();
        self.register_locked(trace, live);
    }

    /// Registers a trace, unless it is registered.
    #[inline(always)]
    fn register_locked(&self, trace: &Arc<LocalTrace<O>>, mut live: MutexGuard<'_, LiveSpans>) {
        let mut stripe = self.home(trace).lock();
        if stripe.table.insert(trace) {
            self.traces.add(&mut stripe.traces, 1);
            // What was counted while the trace held no spans stands in no total yet.
            self.bytes.add(&mut stripe.bytes, trace.own_bytes() + live.extras.bytes());
        }
        self.count_bytes_in(&mut stripe, &mut live);
        drop(stripe);
        self.drop_if_closed(trace, live);
    }

    /// Drops a trace that a shutdown, which began meanwhile, may not have seen.
    #[inline]
    fn drop_if_closed(&self, trace: &Arc<LocalTrace<O>>, live: MutexGuard<'_, LiveSpans>) {
        if self.is_closed() && !matches!(live.phase, Phase::Deciding) {
            self.drop_trace(trace, live, Reason::ShutDown);
        }
    }

    /// Takes a trace that holds no spans off the list of its stripe. What is returned is dropped without a lock.
    pub(super) fn unregister(
        &self,
        trace: &LocalTrace<O>,
        live: &mut MutexGuard<'_, LiveSpans>,
    ) -> Option<Arc<LocalTrace<O>>> {
        let mut stripe = self.home(trace).lock();
        self.unregister_in(&mut stripe, trace, live)
    }

    fn unregister_in(
        &self,
        stripe: &mut StripeState<O>,
        trace: &LocalTrace<O>,
        live: &mut MutexGuard<'_, LiveSpans>,
    ) -> Option<Arc<LocalTrace<O>>> {
        debug_assert_eq!(trace.spans(live), 0, "a trace that holds spans is registered");
        stripe.started += u64::from(std::mem::take(&mut live.started));
        if trace.is_keep_requested() {
            // What it records from now on began after the request.
            stripe.forget_request(trace);
        }
        let Some(removed) = stripe.table.remove(trace) else {
            self.count_bytes_in(stripe, live);
            return None;
        };
        let freed = live.counted_bytes as usize + live.extras.take_bytes() + trace.own_bytes();
        live.counted_bytes = 0;
        self.traces.give_back(&mut stripe.traces, 1);
        self.bytes.give_back(&mut stripe.bytes, freed);
        // A trace that is remembered as foreign is given back by those who remember it, and a closed recorder pools
        // none.
        if removed.is_foreign()
            || removed.is_pooled()
            || removed.own_bytes() > LocalTrace::<O>::BYTES + MOST_POOLED_STATE
            || self.is_closed()
        {
            return Some(removed);
        }
        stripe.pool.release_trace(removed, &self.pool)
    }

    /// Brings the total up to date with a trace's buffer.
    pub(super) fn count_bytes(&self, trace: &LocalTrace<O>, live: &mut LiveSpans) {
        if live.has_uncounted_bytes() {
            self.count_bytes_in(&mut self.home(trace).lock(), live);
        }
    }

    fn count_bytes_in(&self, stripe: &mut StripeState<O>, live: &mut LiveSpans) {
        let old = live.counted_bytes as usize;
        let new = live.store.bytes();
        live.counted_bytes = u32::try_from(new).unwrap_or(u32::MAX);
        if new > old {
            self.bytes.add(&mut stripe.bytes, new - old);
        } else if new < old {
            self.bytes.give_back(&mut stripe.bytes, old - new);
        }
    }

    /// Unlocks a trace after its buffer may have grown; one that held no spans is registered again.
    #[inline(always)]
    pub(super) fn unlock(
        &self,
        trace: &Arc<LocalTrace<O>>,
        live: MutexGuard<'_, LiveSpans>,
        was_empty: bool,
    ) {
        if (live.has_uncounted_bytes() || was_empty) && !trace.owner.is_inherited() {
            self.unlock_grown(trace, live, was_empty);
        }
    }

    #[cold]
    fn unlock_grown(
        &self,
        trace: &Arc<LocalTrace<O>>,
        mut live: MutexGuard<'_, LiveSpans>,
        was_empty: bool,
    ) {
        if was_empty {
            trace.forget_notice();
            self.register_locked(trace, live);
        } else {
            self.count_bytes(trace, &mut live);
            // What is complete of a trace that has filled half of its memory leaves it.
            if live.store.bytes() >= self.limits.first_bytes() && live.may_enter_parts() {
                live.enter_parts(Tick::from_nanos(u64::MAX));
                trace.mark_worth_keeping();
            }
            drop(live);
        }
        self.evict_surplus();
    }

    /// Has a trace that gave room back looked at again when it has filled half of its limit.
    pub(super) fn renew_half(&self, live: &mut LiveSpans) {
        if live.store.len() < self.limits.first_spans() as usize
            && let Some(parts) = &mut live.parts
        {
            parts.is_half_full = false;
        }
    }

    /// Shows every registered trace, while no lock of a stripe is held.
    pub(super) fn for_each(&self, mut show: impl FnMut(Arc<LocalTrace<O>>)) {
        for stripe in &self.stripes {
            let mut from = 0;
            loop {
                let listed = stripe.lock().table.traces_from(from, LISTED_AT_ONCE);
                let Some((traces, next)) = listed else { break };
                traces.into_iter().for_each(&mut show);
                from = next;
            }
        }
    }

    /// About how many traces are registered: what stripes hold in store counts as well.
    pub(super) fn count(&self) -> usize {
        self.traces.taken()
    }

    /// How many traces are registered.
    #[cfg(test)]
    pub(super) fn registered(&self) -> usize {
        self.stripes.iter().map(|stripe| stripe.lock().traces.used()).sum()
    }

    /// The memory of traces that are registered.
    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        self.stripes.iter().map(|stripe| stripe.lock().bytes.used()).sum()
    }

    pub(super) fn pool(&self) -> SpanPool {
        let pools = self.stripes.iter().map(|stripe| stripe.lock().pool.snapshot());
        let all = pools.fold(SpanPool::default(), SpanPool::plus);
        all.with_capacity(self.limits.pool_buffers)
    }
}
