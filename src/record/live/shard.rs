//! A part of the live traces with its own lock.

use std::sync::Arc;

use super::pool::BufferPool;
use crate::model::TraceId;
use crate::record::local::LocalTrace;
use crate::record::ring::Ring;

/// Some of the live traces, the memory for the next ones, and the ring of those that were dropped.
///
/// Alone on its cache lines: threads that work on different traces do not disturb each other.
#[derive(Debug)]
#[repr(align(128))]
pub(super) struct Shard<O> {
    traces: Vec<Arc<LocalTrace<O>>>,
    pub(super) pool: BufferPool<O>,
    pub(super) ring: Ring,
}

impl<O> Shard<O> {
    pub(super) fn new(pool_capacity: usize, ring: Ring) -> Self {
        Self { traces: Vec::new(), pool: BufferPool::new(pool_capacity), ring }
    }

    /// Lists a trace; false when it is listed already.
    pub(super) fn insert(&mut self, trace: &Arc<LocalTrace<O>>) -> bool {
        let is_new = trace.slot().is_none();
        if is_new {
            trace.set_slot(Some(self.traces.len()));
            self.traces.push(Arc::clone(trace));
        }
        is_new
    }

    /// Takes a trace off the list; `None` when it is not on it.
    pub(super) fn remove(&mut self, trace: &LocalTrace<O>) -> Option<Arc<LocalTrace<O>>> {
        let slot = trace.slot()?;
        trace.set_slot(None);
        debug_assert!(slot < self.traces.len(), "a slot leads to a trace");
        // The last trace takes the place that becomes free.
        let removed = self.traces.swap_remove(slot);
        debug_assert!(std::ptr::eq(&raw const *removed, trace), "a slot leads to its own trace");
        if let Some(moved) = self.traces.get(slot) {
            moved.set_slot(Some(slot));
        }
        Some(removed)
    }

    pub(super) fn traces(&self) -> &[Arc<LocalTrace<O>>] {
        &self.traces
    }

    /// The live local traces of a trace id. Costs a walk over the shard.
    pub(super) fn find(&self, id: TraceId) -> impl Iterator<Item = &Arc<LocalTrace<O>>> {
        self.traces.iter().filter(move |trace| trace.trace_id() == id)
    }

    /// The least valuable of up to `looks` traces, from a place that `random` picks.
    pub(super) fn least_valuable(&self, looks: usize, random: u64) -> Option<Arc<LocalTrace<O>>> {
        let from = usize::try_from(random % (self.traces.len().max(1) as u64)).unwrap_or(0);
        let (before, after) = self.traces.split_at(from.min(self.traces.len()));
        after.iter().chain(before).take(looks).min_by_key(|trace| trace.worth()).cloned()
    }
}
