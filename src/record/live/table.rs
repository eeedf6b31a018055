//! The live traces of one stripe, found by their trace ids.

use std::hash::BuildHasher;
use std::sync::Arc;

use foldhash::fast::RandomState;

use crate::model::TraceId;
use crate::record::local::LocalTrace;

/// No slot.
const NONE: u32 = u32::MAX;

/// The fewest chains, and the fewest slots for which memory is worth giving back.
const FEWEST: usize = 16;

/// Live traces, each in a slot that stays its own.
///
/// Slots with the same hash are chained. The number of chains follows that of the traces one by one, so that no call
/// pays for a table that is made anew.
#[derive(Debug)]
pub(super) struct LiveTable<O> {
    // Trace ids come from other services, so the hash has a seed of its own.
    hasher: RandomState,
    slots: Vec<Slot<O>>,
    /// Slots that may be free; others are skipped.
    free: Vec<u32>,
    chains: Vec<u32>,
    len: usize,
}

#[derive(Debug)]
struct Slot<O> {
    trace: Option<Arc<LocalTrace<O>>>,
    hash: u32,
    before: u32,
    after: u32,
}

impl<O> LiveTable<O> {
    pub(super) fn new() -> Self {
        Self {
            hasher: RandomState::default(),
            slots: Vec::new(),
            free: Vec::new(),
            chains: vec![NONE; FEWEST],
            len: 0,
        }
    }

    /// Lists a trace; false when it is listed already.
    pub(super) fn insert(&mut self, trace: &Arc<LocalTrace<O>>) -> bool {
        if trace.slot().is_some() {
            return false;
        }
        let at = self.free_slot();
        let hash = self.hash(trace.trace_id());
        trace.set_slot(Some(at as usize));
        self.set(at, Slot { trace: Some(Arc::clone(trace)), hash, before: NONE, after: NONE });
        self.chain(at, hash);
        self.len += 1;
        if self.len > self.chains.len() {
            self.split_chain();
        }
        true
    }

    /// Takes a trace off the list; `None` when it is not on it.
    pub(super) fn remove(&mut self, trace: &LocalTrace<O>) -> Option<Arc<LocalTrace<O>>> {
        let at = trace.slot()?;
        trace.set_slot(None);
        let slot = self.slots.get_mut(at)?;
        let removed = slot.trace.take();
        debug_assert!(removed.as_ref().is_some_and(|own| std::ptr::eq(&raw const **own, trace)));
        let Slot { hash, before, after, .. } = *slot;
        self.unchain(hash, before, after);
        self.len -= 1;
        self.free.push(at as u32);
        if self.chains.len() > FEWEST && self.len * 4 < self.chains.len() {
            self.merge_chains();
        }
        self.trim();
        removed
    }

    /// The live local traces of a trace id.
    pub(super) fn find(&self, id: TraceId) -> impl Iterator<Item = &Arc<LocalTrace<O>>> {
        let hash = self.hash(id);
        let mut at = self.chains.get(self.chain_of(hash)).copied().unwrap_or(NONE);
        let all = std::iter::from_fn(move || {
            let slot = self.slots.get(at as usize)?;
            at = slot.after;
            Some(slot)
        });
        let same = all.filter(move |slot| slot.hash == hash);
        same.filter_map(|slot| slot.trace.as_ref()).filter(move |trace| trace.trace_id() == id)
    }

    /// The least valuable of up to `looks` traces, from a place that `random` picks.
    pub(super) fn least_valuable(&self, looks: usize, random: u64) -> Option<Arc<LocalTrace<O>>> {
        let from = usize::try_from(random % (self.slots.len().max(1) as u64)).unwrap_or(0);
        let (before, after) = self.slots.split_at(from.min(self.slots.len()));
        let live = after.iter().chain(before).filter_map(|slot| slot.trace.as_ref());
        live.take(looks).min_by_key(|trace| trace.worth()).cloned()
    }

    /// Up to `most` traces from a slot on, and the slot after them; none when there is no more.
    pub(super) fn traces_from(
        &self,
        slot: usize,
        most: usize,
    ) -> Option<(Vec<Arc<LocalTrace<O>>>, usize)> {
        let rest = self.slots.get(slot..).filter(|rest| !rest.is_empty())?;
        let traces = rest.iter().take(most).filter_map(|slot| slot.trace.clone());
        Some((traces.collect(), slot + most.min(rest.len())))
    }

    fn hash(&self, id: TraceId) -> u32 {
        (self.hasher.hash_one(id.to_bits()) >> 32) as u32
    }

    fn free_slot(&mut self) -> u32 {
        while let Some(at) = self.free.pop() {
            if self.slots.get(at as usize).is_some_and(|slot| slot.trace.is_none()) {
                return at;
            }
        }
        self.slots.len() as u32
    }

    fn set(&mut self, at: u32, new: Slot<O>) {
        match self.slots.get_mut(at as usize) {
            Some(slot) => *slot = new,
            None => self.slots.push(new),
        }
    }

    /// The chain of a hash: of the chains there would be if their number were a power of two, those that are not
    /// there yet are part of the one at half the distance.
    fn chain_of(&self, hash: u32) -> usize {
        let mask = self.chains.len().next_power_of_two() - 1;
        let at = hash as usize & mask;
        if at < self.chains.len() { at } else { at & (mask >> 1) }
    }

    /// Puts a slot at the beginning of its chain.
    fn chain(&mut self, at: u32, hash: u32) {
        let chain = self.chain_of(hash);
        let Some(head) = self.chains.get_mut(chain) else { return };
        let after = std::mem::replace(head, at);
        if let Some(next) = self.slots.get_mut(after as usize) {
            next.before = at;
        }
        if let Some(slot) = self.slots.get_mut(at as usize) {
            slot.before = NONE;
            slot.after = after;
        }
    }

    fn unchain(&mut self, hash: u32, before: u32, after: u32) {
        if let Some(next) = self.slots.get_mut(after as usize) {
            next.before = before;
        }
        match self.slots.get_mut(before as usize) {
            Some(previous) => previous.after = after,
            None => {
                let chain = self.chain_of(hash);
                if let Some(head) = self.chains.get_mut(chain) {
                    *head = after;
                }
            }
        }
    }

    /// Adds a chain, and moves into it what belongs there.
    fn split_chain(&mut self) {
        let old = self.chains.len() & !(1 << self.chains.len().ilog2());
        let moved = self.chains.get_mut(old).map_or(NONE, |head| std::mem::replace(head, NONE));
        self.chains.push(NONE);
        self.chain_all(moved);
    }

    /// Takes the last chain away, and moves what was in it to where it belongs then.
    fn merge_chains(&mut self) {
        let moved = self.chains.pop().unwrap_or(NONE);
        self.chain_all(moved);
        if self.chains.capacity() > 4 * self.chains.len() {
            self.chains.shrink_to(2 * self.chains.len());
        }
    }

    fn chain_all(&mut self, first: u32) {
        let mut at = first;
        while let Some(slot) = self.slots.get(at as usize) {
            let Slot { hash, after, .. } = *slot;
            self.chain(at, hash);
            at = after;
        }
    }

    /// Gives back the memory of free slots at the end.
    fn trim(&mut self) {
        while self.slots.last().is_some_and(|slot| slot.trace.is_none()) {
            self.slots.pop();
        }
        let few = (2 * self.slots.len()).max(FEWEST);
        if self.slots.capacity() > 2 * few {
            self.slots.shrink_to(few);
            self.free.retain(|at| (*at as usize) < self.slots.len());
            self.free.shrink_to(few);
        }
    }
}
