//! A part of the live traces with its own lock, its buffers for release_buffer and its ring of recent drops.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::local::{LocalTrace, UNREGISTERED};
use super::ring::Ring;
use crate::model::TraceId;
use crate::trace::store::SpanStore;

/// A buffer that has grown beyond this is not kept for release_buffer.
const LARGEST_POOLED: usize = 256 * 1024;

/// The memory of all buffers that one shard keeps for release_buffer.
const POOLED_BYTES: usize = 2 * 1024 * 1024;

/// Alone on its cache lines: threads that work on different traces do not disturb each other.
#[derive(Debug)]
#[repr(align(128))]
pub(super) struct Shard {
    live: Vec<Arc<LocalTrace>>,
    shells: Vec<Arc<LocalTrace>>,
    stores: Vec<SpanStore>,
    pooled_bytes: usize,
    pool_capacity: usize,
    hits: u64,
    misses: u64,
    pub(super) ring: Ring,
}

impl Shard {
    pub(super) fn new(pool_capacity: usize, ring: Ring) -> Self {
        let (live, shells, stores) = (Vec::new(), Vec::new(), Vec::new());
        let (pooled_bytes, hits, misses) = (0, 0, 0);
        Self { live, shells, stores, pooled_bytes, pool_capacity, hits, misses, ring }
    }

    /// A local trace to be reused.
    pub(super) fn take_shell(&mut self) -> Option<Arc<LocalTrace>> {
        self.shells.pop()
    }

    /// A buffer to record into.
    pub(super) fn take_store(&mut self) -> Option<SpanStore> {
        let store = self.stores.pop();
        match &store {
            Some(store) => {
                self.hits += 1;
                self.pooled_bytes -= store.bytes();
            }
            None => self.misses += 1,
        }
        store
    }

    pub(super) fn put_shell(&mut self, shell: Arc<LocalTrace>) {
        if self.shells.len() < self.pool_capacity {
            self.shells.push(shell);
        }
    }

    /// Keeps a buffer for release_buffer, as long as there is not too much of them.
    pub(super) fn put_store(&mut self, mut store: SpanStore) {
        store.clear();
        let bytes = store.bytes();
        let fits = bytes <= LARGEST_POOLED && self.pooled_bytes + bytes <= POOLED_BYTES;
        if fits && self.stores.len() < self.pool_capacity {
            self.pooled_bytes += bytes;
            self.stores.push(store);
        }
    }

    /// The same for a buffer whose content runs nobody else's code when it goes; another one is given back.
    pub(super) fn put_plain(&mut self, store: SpanStore) -> Option<SpanStore> {
        if store.has_originals() {
            return Some(store);
        }
        self.put_store(store);
        None
    }

    pub(super) fn insert(&mut self, trace: Arc<LocalTrace>) {
        trace.slot.store(u32::try_from(self.live.len()).unwrap_or(UNREGISTERED), Ordering::Relaxed);
        self.live.push(trace);
    }

    /// Takes a trace out; `None` when it was not there.
    pub(super) fn remove(&mut self, trace: &LocalTrace) -> Option<Arc<LocalTrace>> {
        let slot = trace.slot.swap(UNREGISTERED, Ordering::Relaxed) as usize;
        if slot >= self.live.len() {
            return None;
        }
        let removed = self.live.swap_remove(slot);
        if let Some(moved) = self.live.get(slot) {
            moved.slot.store(u32::try_from(slot).unwrap_or(UNREGISTERED), Ordering::Relaxed);
        }
        Some(removed)
    }

    pub(super) fn live(&self) -> &[Arc<LocalTrace>] {
        &self.live
    }

    /// The live local traces of a trace id. Costs a walk over the shard.
    pub(super) fn find(&self, id: TraceId) -> impl Iterator<Item = &Arc<LocalTrace>> {
        self.live.iter().filter(move |trace| trace.head.trace_id == id)
    }

    /// The least valuable of up to `looks` traces, from a place that `random` picks.
    pub(super) fn least_valuable(&self, looks: usize, random: u64) -> Option<Arc<LocalTrace>> {
        let from = usize::try_from(random % (self.live.len().max(1) as u64)).unwrap_or(0);
        let (before, after) = self.live.split_at(from.min(self.live.len()));
        after.iter().chain(before).take(looks).min_by_key(|trace| trace.worth()).cloned()
    }

    pub(super) fn pool(&self) -> SpanPool {
        let available = self.stores.len();
        SpanPool { capacity: self.pool_capacity, available, hits: self.hits, misses: self.misses }
    }
}

/// The buffers that are kept for release_buffer, and how often they were of use.
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
