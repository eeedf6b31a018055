//! The memory of traces that have gone, for the next ones.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::record::local::LocalTrace;
use crate::record::quota::{Quota, Share};
use crate::trace::store::SpanStore;

/// A buffer that has grown beyond this counts among the large ones.
const LARGE: usize = 256 * 1024;

/// The memory of all large buffers that are kept for reuse.
const LARGE_BYTES: usize = 32 * 1024 * 1024;

/// In how many steps a limit of the pools is drawn.
const STEPS: usize = 64;

/// How many traces are tried before one is made.
const TRIES: usize = 4;

/// How much the pools of all stripes may keep together.
#[derive(Debug)]
pub(super) struct PoolLimits {
    traces: Quota,
    stores: Quota,
    /// Memory of buffers.
    bytes: Quota,
    /// Memory of large buffers, besides.
    large_bytes: Quota,
}

impl PoolLimits {
    /// Limits of so many traces and buffers, with memory in bytes.
    pub(super) fn new(buffers: usize, bytes: usize) -> Self {
        let quota = |limit| Quota::with_step(limit, limit / STEPS);
        Self {
            traces: quota(buffers),
            stores: quota(buffers),
            bytes: quota(bytes),
            large_bytes: quota(LARGE_BYTES),
        }
    }
}

/// Traces and buffers that wait to be used again, the last one first: it is the warmest.
#[derive(Debug)]
pub(super) struct BufferPool<O> {
    /// Something may refer to them still: a context that was handed out, a thread that has just ended a span. Such a
    /// trace waits on.
    traces: VecDeque<Arc<LocalTrace<O>>>,
    stores: Vec<SpanStore>,
    /// Buffers that few traces need, apart from those that most do.
    large: Vec<SpanStore>,
    trace_share: Share,
    store_share: Share,
    bytes: Share,
    large_bytes: Share,
    hits: u64,
    misses: u64,
}

impl<O> BufferPool<O> {
    pub(super) fn new() -> Self {
        Self {
            traces: VecDeque::new(),
            stores: Vec::new(),
            large: Vec::new(),
            trace_share: Share::default(),
            store_share: Share::default(),
            bytes: Share::default(),
            large_bytes: Share::default(),
            hits: 0,
            misses: 0,
        }
    }

    /// A trace to which nothing refers, made what `reset` makes of it.
    #[inline(always)]
    pub(super) fn acquire_trace<T>(
        &mut self,
        value: T,
        limits: &PoolLimits,
        reset: impl Fn(&mut LocalTrace<O>, T),
    ) -> Result<Arc<LocalTrace<O>>, T> {
        for _ in 0..TRIES.min(self.traces.len()) {
            let Some(mut pooled) = self.traces.pop_back() else { break };
            if let Some(trace) = Arc::get_mut(&mut pooled) {
                reset(trace, value);
                limits.traces.give_back(&mut self.trace_share, 1);
                return Ok(pooled);
            }
            self.traces.push_front(pooled);
        }
        Err(value)
    }

    /// An empty buffer with memory; `None`, which is counted, when there is none.
    pub(super) fn acquire_store(&mut self, limits: &PoolLimits) -> Option<SpanStore> {
        if let Some(store) = self.stores.pop() {
            self.hits += 1;
            limits.stores.give_back(&mut self.store_share, 1);
            limits.bytes.give_back(&mut self.bytes, store.bytes());
            return Some(store);
        }
        self.acquire_large(limits)
    }

    #[cold]
    fn acquire_large(&mut self, limits: &PoolLimits) -> Option<SpanStore> {
        let store = self.large.pop();
        match &store {
            Some(store) => {
                self.hits += 1;
                limits.large_bytes.give_back(&mut self.large_bytes, store.bytes());
            }
            None => self.misses += 1,
        }
        store
    }

    /// Keeps a trace for reuse. Where there are enough of them, the one that has waited longest is given back.
    pub(super) fn release_trace(
        &mut self,
        trace: Arc<LocalTrace<O>>,
        limits: &PoolLimits,
    ) -> Option<Arc<LocalTrace<O>>> {
        let oldest = if limits.traces.claim(&mut self.trace_share, 1) {
            None
        } else {
            let Some(oldest) = self.traces.pop_front() else { return Some(trace) };
            oldest.set_pooled(false);
            Some(oldest)
        };
        trace.set_pooled(true);
        self.traces.push_back(trace);
        oldest
    }

    /// Clears a buffer and keeps it for reuse. Where there are enough of them it is given back, for the caller to drop
    /// it without a lock.
    pub(super) fn release_store(
        &mut self,
        mut store: SpanStore,
        limits: &PoolLimits,
    ) -> Option<SpanStore> {
        store.clear();
        let bytes = store.bytes();
        if bytes > LARGE {
            if !limits.large_bytes.claim(&mut self.large_bytes, bytes) {
                return Some(store);
            }
            self.large.push(store);
        } else {
            if !limits.bytes.claim(&mut self.bytes, bytes) {
                return Some(store);
            }
            if bytes == 0 || !limits.stores.claim(&mut self.store_share, 1) {
                limits.bytes.give_back(&mut self.bytes, bytes);
                return Some(store);
            }
            self.stores.push(store);
        }
        None
    }

    /// Clears and keeps a buffer, as [`release_store`](Self::release_store) does, whose content runs no code
    /// of another tracer when it goes. Any other is given back as it is.
    pub(super) fn release_plain_store(
        &mut self,
        store: SpanStore,
        limits: &PoolLimits,
    ) -> Option<SpanStore> {
        if store.is_foreign() {
            return Some(store);
        }
        self.release_store(store, limits)
    }

    /// Takes all traces out.
    pub(super) fn drain_traces(&mut self, limits: &PoolLimits) -> VecDeque<Arc<LocalTrace<O>>> {
        limits.traces.give_back(&mut self.trace_share, self.traces.len());
        std::mem::take(&mut self.traces)
    }

    pub(super) fn snapshot(&self) -> SpanPool {
        SpanPool {
            capacity: 0,
            available: self.stores.len() + self.large.len(),
            hits: self.hits,
            misses: self.misses,
        }
    }
}

/// The buffers that are kept for reuse, and how often they were of use.
///
/// A snapshot, taken by [`Pipeline::span_pool`](crate::Pipeline::span_pool). In the steady state every
/// local trace finds a buffer here and recording does not allocate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SpanPool {
    capacity: usize,
    available: usize,
    hits: u64,
    misses: u64,
}

impl SpanPool {
    /// How many buffers may wait at most.
    #[must_use]
    pub const fn capacity(self) -> usize {
        self.capacity
    }

    /// How many buffers are waiting.
    #[must_use]
    pub const fn available(self) -> usize {
        self.available
    }

    /// How many local traces found a buffer.
    #[must_use]
    pub const fn hits(self) -> u64 {
        self.hits
    }

    /// How many local traces had to make one.
    #[must_use]
    pub const fn misses(self) -> u64 {
        self.misses
    }

    /// This with the number of buffers that may wait at most.
    pub(super) const fn with_capacity(self, capacity: usize) -> Self {
        Self { capacity, ..self }
    }

    pub(super) const fn plus(self, other: Self) -> Self {
        Self {
            capacity: self.capacity.saturating_add(other.capacity),
            available: self.available + other.available,
            hits: self.hits + other.hits,
            misses: self.misses + other.misses,
        }
    }
}
