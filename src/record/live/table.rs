//! The live traces of one stripe, found by their trace ids.

use std::hash::BuildHasher;
use std::sync::Arc;

use foldhash::fast::RandomState;

use crate::model::TraceId;
use crate::record::local::LocalTrace;

/// The fewest slots for which memory is worth giving back.
const FEWEST: usize = 64;

/// How many free slots one call gives up.
const TRIMMED_AT_ONCE: usize = 64;

/// Live traces, each in a slot that stays its own.
///
/// A search looks through the hashes, which lie side by side: a few instructions for eight traces. Most traces come and
/// go and are never looked for, so an index would cost more than it saves.
#[derive(Debug)]
pub(super) struct LiveTable<O> {
    // Trace ids come from other services, so the hash has a seed of its own.
    hasher: RandomState,
    slots: Vec<Option<Arc<LocalTrace<O>>>>,
    /// The hash of each slot's trace id, as long as the slot is not free.
    hashes: Vec<u32>,
    /// Slots that may be free; others are skipped.
    free: Vec<u32>,
    len: usize,
}

impl<O> LiveTable<O> {
    pub(super) fn new() -> Self {
        Self {
            hasher: RandomState::default(),
            slots: Vec::new(),
            hashes: Vec::new(),
            free: Vec::new(),
            len: 0,
        }
    }

    /// Lists a trace; false when it is listed already.
    #[inline]
    pub(super) fn insert(&mut self, trace: &Arc<LocalTrace<O>>) -> bool {
        if trace.slot().is_some() {
            return false;
        }
        let hash = self.hash(trace.trace_id());
        let at = self.free_slot();
        trace.set_slot(Some(at as u32));
        match (self.slots.get_mut(at), self.hashes.get_mut(at)) {
            (Some(slot), Some(known)) => {
                *slot = Some(Arc::clone(trace));
                *known = hash;
            }
            _ => {
                self.slots.push(Some(Arc::clone(trace)));
                self.hashes.push(hash);
            }
        }
        self.len += 1;
        true
    }

    /// Takes a trace off the list; `None` when it is not on it.
    #[inline]
    pub(super) fn remove(&mut self, trace: &LocalTrace<O>) -> Option<Arc<LocalTrace<O>>> {
        let at = trace.slot()?;
        trace.set_slot(None);
        let removed = self.slots.get_mut(at)?.take();
        debug_assert!(removed.as_ref().is_some_and(|own| std::ptr::eq(&raw const **own, trace)));
        self.len -= 1;
        self.free.push(at as u32);
        if self.slots.len() > FEWEST && self.len * 4 < self.slots.len() {
            self.trim();
        }
        removed
    }

    /// The live local traces of a trace id.
    pub(super) fn find(&self, id: TraceId) -> impl Iterator<Item = &Arc<LocalTrace<O>>> {
        let hash = self.hash(id);
        let alike = self.hashes.iter().enumerate().filter(move |(_, other)| **other == hash);
        let traces = alike.filter_map(|(at, _)| self.slots.get(at)?.as_ref());
        traces.filter(move |trace| trace.trace_id() == id)
    }

    /// The least valuable of up to `looks` traces, from a place that `random` picks.
    pub(super) fn least_valuable(&self, looks: usize, random: u64) -> Option<Arc<LocalTrace<O>>> {
        let from = usize::try_from(random % (self.slots.len().max(1) as u64)).unwrap_or(0);
        let (before, after) = self.slots.split_at(from.min(self.slots.len()));
        let live = after.iter().chain(before).flatten();
        live.take(looks).min_by_key(|trace| trace.worth()).cloned()
    }

    /// The traces of up to `most` slots, and the slot after them; none when there is no more.
    pub(super) fn traces_from(
        &self,
        slot: usize,
        most: usize,
    ) -> Option<(Vec<Arc<LocalTrace<O>>>, usize)> {
        let rest = self.slots.get(slot..).filter(|rest| !rest.is_empty())?;
        let traces = rest.iter().take(most).flatten().cloned();
        Some((traces.collect(), slot + most.min(rest.len())))
    }

    #[inline]
    fn hash(&self, id: TraceId) -> u32 {
        (self.hasher.hash_one(id.to_bits()) >> 32) as u32
    }

    /// A slot that is free, or the one after the last.
    #[inline]
    fn free_slot(&mut self) -> usize {
        while let Some(at) = self.free.pop() {
            if self.slots.get(at as usize).is_some_and(Option::is_none) {
                return at as usize;
            }
        }
        self.slots.len()
    }

    /// Gives back the memory of free slots at the end.
    #[cold]
    fn trim(&mut self) {
        for _ in 0..TRIMMED_AT_ONCE {
            if self.slots.last().is_none_or(Option::is_some) {
                break;
            }
            self.slots.pop();
            self.hashes.pop();
        }
        let few = (2 * self.slots.len()).max(FEWEST);
        if self.slots.capacity() > 2 * few {
            self.slots.shrink_to(few);
            self.hashes.shrink_to(few);
            self.free.retain(|at| (*at as usize) < self.slots.len());
            self.free.shrink_to(few);
        }
    }
}
