//! The local traces that hold spans, their memory, and the ring of those that were dropped.

mod dropped;
mod eviction;
mod pool;
mod shard;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

pub(super) use dropped::RingOutcome;
pub use pool::SpanPool;

use self::shard::Shard;
use super::config::RecordLimits;
use super::foreign::ForeignTraces;
use super::local::{LiveSpans, LocalTrace, Phase, TraceOwner};
use super::ring::Ring;
use super::trace_hash::TraceHash;
use crate::kit::Random;
use crate::kit::unwind_safe::lock;
use crate::ledger::{Ledger, Reason};
use crate::model::TraceId;
use crate::trace::header::TraceHeader;
use crate::trace::store::{MemoryBudget, SpanStore};

/// Small limits have one shard, so that what goes first is exact where it can be seen.
const TRACES_PER_SHARD: usize = 1024;
const MOST_SHARDS: usize = 16;

/// All local traces of a recorder that hold spans, listed in shards by their ids.
#[derive(Debug)]
pub(super) struct LiveTraces<O> {
    shards: Box<[Mutex<Shard<O>>]>,
    /// Registered traces, and drafts.
    // Both totals are relaxed: they are compared with limits, and a thread that sees a value of a moment
    // ago evicts one trace more or less. Each rise has its fall on a path that a lock orders.
    count: AtomicUsize,
    /// Their memory.
    bytes: AtomicUsize,
    /// The local traces of spans that another tracer makes, by trace id.
    pub(super) foreign: ForeignTraces<O>,
    closed: AtomicBool,
    limits: RecordLimits,
    ledger: Arc<Ledger>,
    random: Random,
}

/// The memory for a new trace.
pub(super) struct TraceMemory<O> {
    trace: Option<Arc<LocalTrace<O>>>,
    pub(super) store: SpanStore,
}

impl<O: TraceOwner> LiveTraces<O> {
    pub(super) fn new(limits: RecordLimits, ledger: Arc<Ledger>, random: Random) -> Self {
        let count =
            (limits.live_traces / TRACES_PER_SHARD).clamp(1, MOST_SHARDS).next_power_of_two();
        let shard = || {
            let ring = Ring::new(limits.ring_bytes / count, limits.ring_age);
            Mutex::new(Shard::new(limits.pool_buffers.div_ceil(count), ring))
        };
        Self {
            shards: (0..count).map(|_| shard()).collect(),
            count: AtomicUsize::new(0),
            bytes: AtomicUsize::new(0),
            foreign: ForeignTraces::new(count),
            closed: AtomicBool::new(false),
            limits,
            ledger,
            random,
        }
    }

    /// The shard of a trace.
    #[inline]
    fn shard(&self, id: TraceId) -> &Mutex<Shard<O>> {
        &self.shards[TraceHash::new(id).live_shard(self.shards.len())]
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
            for shard in &self.shards {
                // A pooled trace refers to its owner, which would keep both for ever.
                let traces = lock(shard).pool.drain_traces();
                drop(traces);
            }
        }
        is_first
    }

    /// Takes memory for a trace from the pool, or makes it.
    #[inline]
    pub(super) fn acquire(&self, id: TraceId) -> TraceMemory<O> {
        let mut shard = lock(self.shard(id));
        let trace = shard.pool.acquire_trace();
        let store = shard.pool.acquire_store();
        drop(shard);
        TraceMemory { trace, store: store.unwrap_or_else(|| self.empty_store()) }
    }

    /// The memory for a trace whose buffer is there.
    #[cfg(feature = "layer")]
    pub(super) fn acquire_around(&self, id: TraceId, store: SpanStore) -> TraceMemory<O> {
        TraceMemory { trace: lock(self.shard(id)).pool.acquire_trace(), store }
    }

    fn empty_store(&self) -> SpanStore {
        SpanStore::with_budget(MemoryBudget::new(self.limits.bytes_per_trace))
    }

    /// Takes a trace to which only the caller refers, for the next trace to use its memory.
    pub(super) fn reclaim(&self, trace: Arc<LocalTrace<O>>) {
        let mut shard = lock(self.shard(trace.trace_id()));
        // Asked under the lock under which `close` empties the pool, so that none comes in afterwards.
        if !self.is_closed() {
            shard.pool.release_trace(trace);
        } else {
            drop(shard);
            drop(trace);
        }
    }

    /// Registers a new trace and counts it.
    pub(super) fn register(&self, trace: &Arc<LocalTrace<O>>) {
        let mut live = trace.lock();
        self.count_bytes(&mut live);
        self.register_locked(trace, live);
    }

    /// Registers a draft, which was counted when it began.
    #[cfg(feature = "layer")]
    pub(super) fn register_draft(&self, trace: &Arc<LocalTrace<O>>) {
        let mut live = trace.lock();
        self.count_bytes(&mut live);
        lock(self.shard(trace.trace_id())).insert(trace);
        self.drop_if_closed(trace, live);
    }

    /// Registers a trace, unless it is registered.
    #[inline(always)]
    fn register_locked(&self, trace: &Arc<LocalTrace<O>>, live: MutexGuard<'_, LiveSpans>) {
        if lock(self.shard(trace.trace_id())).insert(trace) {
            self.count_trace();
        }
        self.drop_if_closed(trace, live);
    }

    /// Drops a trace that a shutdown, which began meanwhile, may not have seen.
    #[inline]
    fn drop_if_closed(&self, trace: &Arc<LocalTrace<O>>, live: MutexGuard<'_, LiveSpans>) {
        if self.is_closed() && !matches!(live.phase, Phase::Deciding) {
            self.drop_trace(trace, live, Reason::ShutDown);
        }
    }

    /// Takes a trace that holds no spans off the list of its shard.
    pub(super) fn unregister(
        &self,
        trace: &LocalTrace<O>,
        live: &MutexGuard<'_, LiveSpans>,
    ) -> Option<Arc<LocalTrace<O>>> {
        debug_assert_eq!(trace.spans(live), 0, "a trace that holds spans is registered");
        let removed = lock(self.shard(trace.trace_id())).remove(trace);
        if removed.is_some() {
            self.uncount_trace();
        }
        removed
    }

    /// Counts a trace that is registered, or that will be: a draft. Its buffer is counted apart.
    pub(super) fn count_trace(&self) {
        self.count.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(LocalTrace::<O>::BYTES, Ordering::Relaxed);
    }

    pub(super) fn uncount_trace(&self) {
        let traces = self.count.fetch_sub(1, Ordering::Relaxed);
        let bytes = self.bytes.fetch_sub(LocalTrace::<O>::BYTES, Ordering::Relaxed);
        debug_assert!(traces > 0 && bytes >= LocalTrace::<O>::BYTES, "what goes was counted");
    }

    /// Brings the total up to date with a trace's buffer.
    pub(super) fn count_bytes(&self, live: &mut LiveSpans) {
        let old = live.counted_bytes as usize;
        let new = live.store.bytes();
        live.counted_bytes = u32::try_from(new).unwrap_or(u32::MAX);
        if new >= old {
            self.bytes.fetch_add(new - old, Ordering::Relaxed);
        } else {
            let before = self.bytes.fetch_sub(old - new, Ordering::Relaxed);
            debug_assert!(before >= old - new, "what goes was counted");
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
        if live.has_uncounted_bytes() || was_empty {
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
        self.count_bytes(&mut live);
        if was_empty {
            self.register_locked(trace, live);
        } else {
            drop(live);
        }
        self.evict_surplus();
    }

    /// Takes the spans out of a trace and their memory out of the total.
    pub(super) fn take_spans(&self, live: &mut LiveSpans) -> SpanStore {
        let store = std::mem::replace(&mut live.store, self.empty_store());
        self.count_bytes(live);
        store
    }

    /// The registered traces of this moment.
    pub(super) fn traces(&self) -> Vec<Arc<LocalTrace<O>>> {
        self.shards.iter().flat_map(|shard| lock(shard).traces().to_vec()).collect()
    }

    /// How many traces are registered, or are drafts.
    pub(super) fn count(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    /// The memory of traces that are registered, and of drafts.
    pub(super) fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Spans that no other column of the ledger counts.
    pub(super) fn spans(&self) -> u64 {
        self.traces().iter().map(|trace| trace.spans(&trace.lock())).sum()
    }

    pub(super) fn pool(&self) -> SpanPool {
        let pools = self.shards.iter().map(|shard| lock(shard).pool.snapshot());
        pools.fold(SpanPool::default(), SpanPool::plus)
    }
}

impl<O> TraceMemory<O> {
    /// Makes the trace, whose buffer holds its root if it has one.
    #[inline]
    pub(super) fn into_trace(self, owner: &Arc<O>, header: TraceHeader) -> Arc<LocalTrace<O>> {
        let Self { trace, store } = self;
        if let Some(mut pooled) = trace
            && let Some(trace) = Arc::get_mut(&mut pooled)
        {
            debug_assert!(Arc::ptr_eq(&trace.owner, owner), "a pool has traces of its owner");
            trace.reset(header, store);
            return pooled;
        }
        Arc::new(LocalTrace::new(Arc::clone(owner), header, store))
    }
}
