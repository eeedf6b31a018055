//! The memory of traces that have gone, for the next ones.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::record::local::LocalTrace;
use crate::trace::store::SpanStore;

/// A buffer that has grown beyond this counts among the large ones.
const LARGE: usize = 256 * 1024;

/// The memory of all buffers that one pool keeps for reuse, and of the large ones besides.
const POOLED_BYTES: usize = 2 * 1024 * 1024;
const LARGE_BYTES: usize = 8 * 1024 * 1024;

/// How many traces are tried before one is made.
const TRIES: usize = 4;

/// Traces and buffers that wait to be used again, the last one first: it is the warmest.
#[derive(Debug)]
pub(super) struct BufferPool<O> {
    /// Something may refer to them still: a context that was handed out, a thread that has just ended a span. Such a
    /// trace waits on.
    traces: VecDeque<Arc<LocalTrace<O>>>,
    stores: Vec<SpanStore>,
    /// Buffers that few traces need, apart from those that most do.
    large: Vec<SpanStore>,
    bytes: usize,
    large_bytes: usize,
    capacity: usize,
    hits: u64,
    misses: u64,
}

impl<O> BufferPool<O> {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            traces: VecDeque::new(),
            stores: Vec::new(),
            large: Vec::new(),
            bytes: 0,
            large_bytes: 0,
            capacity,
            hits: 0,
            misses: 0,
        }
    }

    /// A trace to which nothing refers, made what `reset` makes of it.
    pub(super) fn acquire_trace<T>(
        &mut self,
        value: T,
        reset: impl Fn(&mut LocalTrace<O>, T),
    ) -> Result<Arc<LocalTrace<O>>, T> {
        for _ in 0..TRIES.min(self.traces.len()) {
            let Some(mut pooled) = self.traces.pop_back() else { break };
            if let Some(trace) = Arc::get_mut(&mut pooled) {
                reset(trace, value);
                return Ok(pooled);
            }
            self.traces.push_front(pooled);
        }
        Err(value)
    }

    /// An empty buffer with memory; `None`, which is counted, when there is none.
    pub(super) fn acquire_store(&mut self) -> Option<SpanStore> {
        if let Some(store) = self.stores.pop() {
            self.hits += 1;
            self.bytes -= store.bytes();
            return Some(store);
        }
        self.acquire_large()
    }

    #[cold]
    fn acquire_large(&mut self) -> Option<SpanStore> {
        let store = self.large.pop();
        match &store {
            Some(store) => {
                self.hits += 1;
                self.large_bytes -= store.bytes();
            }
            None => self.misses += 1,
        }
        store
    }

    /// Keeps a trace for reuse. Where there are enough of them, the one that has waited longest is given back.
    pub(super) fn release_trace(
        &mut self,
        trace: Arc<LocalTrace<O>>,
    ) -> Option<Arc<LocalTrace<O>>> {
        if self.capacity == 0 {
            return Some(trace);
        }
        trace.set_pooled(true);
        self.traces.push_back(trace);
        if self.traces.len() <= self.capacity {
            return None;
        }
        let oldest = self.traces.pop_front()?;
        oldest.set_pooled(false);
        Some(oldest)
    }

    /// Clears a buffer and keeps it for reuse, unless there are enough of them.
    pub(super) fn release_store(&mut self, mut store: SpanStore) {
        store.clear();
        let bytes = store.bytes();
        if self.stores.len() >= self.capacity || bytes == 0 {
            return;
        }
        if bytes > LARGE {
            if self.large_bytes + bytes <= LARGE_BYTES {
                self.large_bytes += bytes;
                self.large.push(store);
            }
        } else if self.bytes + bytes <= POOLED_BYTES {
            self.bytes += bytes;
            self.stores.push(store);
        }
    }

    /// Clears and keeps a buffer, as [`release_store`](Self::release_store) does, whose content runs no code
    /// of another tracer when it goes. Any other is given back, for the caller to clear it without a lock.
    pub(super) fn release_plain_store(&mut self, store: SpanStore) -> Option<SpanStore> {
        if store.is_foreign() {
            return Some(store);
        }
        self.release_store(store);
        None
    }

    /// Takes all traces out.
    pub(super) fn drain_traces(&mut self) -> VecDeque<Arc<LocalTrace<O>>> {
        std::mem::take(&mut self.traces)
    }

    pub(super) fn snapshot(&self) -> SpanPool {
        SpanPool {
            capacity: self.capacity,
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

    pub(super) const fn plus(self, other: Self) -> Self {
        Self {
            capacity: self.capacity.saturating_add(other.capacity),
            available: self.available + other.available,
            hits: self.hits + other.hits,
            misses: self.misses + other.misses,
        }
    }
}
