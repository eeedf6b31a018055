//! The memory of traces that have gone, for the next ones.

use std::sync::Arc;

use crate::record::local::LocalTrace;
use crate::trace::store::SpanStore;

/// A buffer that has grown beyond this is not kept for reuse.
const LARGEST_POOLED: usize = 256 * 1024;

/// The memory of all buffers that one pool keeps for reuse.
const POOLED_BYTES: usize = 2 * 1024 * 1024;

/// Traces and buffers that wait to be used again.
#[derive(Debug)]
pub(super) struct BufferPool<O> {
    traces: Vec<Arc<LocalTrace<O>>>,
    stores: Vec<SpanStore>,
    bytes: usize,
    capacity: usize,
    hits: u64,
    misses: u64,
}

impl<O> BufferPool<O> {
    pub(super) fn new(capacity: usize) -> Self {
        Self { traces: Vec::new(), stores: Vec::new(), bytes: 0, capacity, hits: 0, misses: 0 }
    }

    pub(super) fn acquire_trace(&mut self) -> Option<Arc<LocalTrace<O>>> {
        self.traces.pop()
    }

    /// An empty buffer with memory; `None`, which is counted, when there is none.
    pub(super) fn acquire_store(&mut self) -> Option<SpanStore> {
        let store = self.stores.pop();
        match &store {
            Some(store) => {
                self.hits += 1;
                self.bytes -= store.bytes();
            }
            None => self.misses += 1,
        }
        store
    }

    /// Keeps a trace for reuse, unless there are enough of them.
    pub(super) fn release_trace(&mut self, trace: Arc<LocalTrace<O>>) {
        if self.traces.len() < self.capacity {
            self.traces.push(trace);
        }
    }

    /// Clears a buffer and keeps it for reuse, unless there are enough of them.
    pub(super) fn release_store(&mut self, mut store: SpanStore) {
        store.clear();
        let bytes = store.bytes();
        let fits = bytes <= LARGEST_POOLED && self.bytes + bytes <= POOLED_BYTES;
        if fits && self.stores.len() < self.capacity {
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
    pub(super) fn drain_traces(&mut self) -> Vec<Arc<LocalTrace<O>>> {
        std::mem::take(&mut self.traces)
    }

    pub(super) fn snapshot(&self) -> SpanPool {
        SpanPool {
            capacity: self.capacity,
            available: self.stores.len(),
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
