//! The operations that have a rate of their own, by name.

use std::hash::BuildHasher;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use foldhash::fast::RandomState;
use parking_lot::Mutex;

use super::operation::{Operation, Plan};

/// How far from its home a name is looked for. Slots are at most half full, so that nearly every name finds one.
const REACH: usize = 64;

/// Longer names find no place, so that the bound on names is one on bytes.
const LONGEST: usize = 256;

/// A slot at which a search ends: no name stands behind it that could stand in it.
const EMPTY: u64 = 0;

/// A slot whose name was forgotten, and over which a search goes on.
const GONE: u64 = 1;

/// The bits of a slot that say which place its name has, counted from two. The others are those of the name's hash.
const PLACE: u64 = (1 << 17) - 1;

/// Operations by name: so many names have a place each, until they are forgotten.
///
/// An open-addressing table of fixed size. A look-up neither locks nor allocates, and knows a name by 47 bits of a hash
/// whose seed no caller knows. Names are entered and forgotten under a lock that no caller waits for: one that finds it taken
/// does without. A caller that holds an operation while its place is given to another name counts one arrival there.
#[derive(Debug)]
pub(super) struct OperationTable {
    slots: Box<[AtomicU64]>,
    /// Made when a place is used first, and kept for the names that have it later.
    operations: Box<[OnceLock<Box<Operation>>]>,
    /// How many names have a place.
    // Relaxed: a count orders no other access, and a caller that enters a name looks again under the lock.
    len: AtomicUsize,
    register: Mutex<Register>,
    hasher: RandomState,
}

#[derive(Debug, Default)]
struct Register {
    /// The names that have the places used so far.
    known: Vec<Option<Known>>,
    /// Places whose names were forgotten.
    free: Vec<usize>,
}

/// A name that has a place.
#[derive(Debug)]
struct Known {
    name: Box<str>,
    slot: usize,
}

impl OperationTable {
    /// A table for `capacity` names: 32 to 48 bytes for each, and the memory of each that is entered.
    pub(super) fn new(capacity: usize) -> Self {
        let slots = capacity.saturating_mul(2).next_power_of_two();
        Self {
            slots: (0..slots).map(|_| AtomicU64::new(EMPTY)).collect(),
            operations: (0..capacity).map(|_| OnceLock::new()).collect(),
            len: AtomicUsize::new(0),
            register: Mutex::default(),
            hasher: RandomState::default(),
        }
    }

    /// The operation of this name, which begins anew if the name has no place yet; `None` when there is none for it.
    pub(super) fn get_or_insert(&self, name: &str, plan: &Plan) -> Option<&Operation> {
        if name.len() > LONGEST {
            return None;
        }
        let hash = self.hasher.hash_one(name);
        self.find(hash).or_else(|| self.insert(hash, name, plan))
    }

    fn find(&self, hash: u64) -> Option<&Operation> {
        for (_, slot) in self.probe(hash) {
            // Acquire: what was set of the operation before its name was entered is seen.
            let word = slot.load(Ordering::Acquire);
            if word == EMPTY {
                return None;
            }
            if (word ^ hash) & !PLACE == 0
                && let Some(place) = (word & PLACE).checked_sub(2)
            {
                return self.operations.get(place as usize)?.get().map(|operation| &**operation);
            }
        }
        None
    }

    #[cold]
    fn insert(&self, hash: u64, name: &str, plan: &Plan) -> Option<&Operation> {
        if self.len() >= self.operations.len() {
            return None;
        }
        let mut register = self.register.try_lock()?;
        if let Some(found) = self.find(hash) {
            return Some(found);
        }
        let is_free = |slot: &AtomicU64| slot.load(Ordering::Relaxed) <= GONE;
        let (at, _) = self.probe(hash).find(|(_, slot)| is_free(slot))?;
        let place = register.free.last().copied().unwrap_or(register.known.len());
        let operation = self.operations.get(place)?.get_or_init(|| Box::new(Operation::new(plan)));
        operation.begin(plan);
        let known = Some(Known { name: name.into(), slot: at });
        match register.known.get_mut(place) {
            Some(forgotten) => *forgotten = known,
            None => register.known.push(known),
        }
        register.free.pop();
        self.len.fetch_add(1, Ordering::Relaxed);
        self.set_slot(at, hash & !PLACE | (place as u64 + 2));
        Some(operation)
    }

    /// Forgets the names of operations that are quiet, if all places are taken: a look at each place.
    pub(super) fn make_room(&self) {
        if self.len() < self.operations.len() {
            return;
        }
        let Some(mut register) = self.register.try_lock() else { return };
        let Register { known, free } = &mut *register;
        for (place, (entry, operation)) in known.iter_mut().zip(&self.operations).enumerate() {
            if operation.get().is_some_and(|operation| operation.is_quiet())
                && let Some(Known { slot, .. }) = entry.take()
            {
                free.push(place);
                self.len.fetch_sub(1, Ordering::Relaxed);
                self.clear_slot(slot);
            }
        }
    }

    /// Takes the name out of a slot. Slots behind which none stands are empty again, so that forgotten names do not make
    /// look-ups longer for ever. The caller holds the lock.
    fn clear_slot(&self, slot: usize) {
        let mask = self.slots.len() - 1;
        let slot_at = |at: usize| self.slots.get(at & mask);
        let next = slot_at(slot + 1).map_or(EMPTY, |next| next.load(Ordering::Relaxed));
        if next != EMPTY {
            self.set_slot(slot, GONE);
            return;
        }
        self.set_slot(slot, EMPTY);
        let mut before = slot.wrapping_sub(1);
        while let Some(slot) = slot_at(before)
            && slot.load(Ordering::Relaxed) == GONE
        {
            slot.store(EMPTY, Ordering::Release);
            before = before.wrapping_sub(1);
        }
    }

    fn set_slot(&self, at: usize, word: u64) {
        if let Some(slot) = self.slots.get(at) {
            slot.store(word, Ordering::Release);
        }
    }

    /// How many names have a place.
    pub(super) fn len(&self) -> usize {
        self.len.load(Ordering::Relaxed)
    }

    /// All operations that were made, also those whose names were forgotten.
    pub(super) fn operations(&self) -> impl Iterator<Item = &Operation> {
        self.operations.iter().filter_map(OnceLock::get).map(|operation| &**operation)
    }

    /// All names that have a place, each with what is read of its operation.
    pub(super) fn names<T>(&self, read: impl Fn(&Operation) -> T) -> Vec<(String, T)> {
        let register = self.register.lock();
        let known = register.known.iter().zip(self.operations());
        known
            .filter_map(|(known, operation)| Some((known.as_ref()?, operation)))
            .map(|(known, operation)| (known.name.to_string(), read(operation)))
            .collect()
    }

    /// The slots in which a name with this hash may stand.
    fn probe(&self, hash: u64) -> impl Iterator<Item = (usize, &AtomicU64)> {
        // There is at least one slot, and their number is a power of two. The lowest bits say the place.
        let home = (hash >> 17) as usize & (self.slots.len() - 1);
        let (before, after) = self.slots.split_at(home);
        (home..).zip(after).chain((0..).zip(before)).take(REACH)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    fn plan() -> Plan {
        Plan::new(1.0, 0.75, (0.001, 1.0))
    }

    /// Lets intervals pass until an operation without arrivals is quiet, of which these have some.
    fn pass(table: &OperationTable, heard: &[String], plan: &Plan) {
        for _ in 0..30 {
            for name in heard {
                table.get_or_insert(name, plan).map(|operation| operation.arrive(plan));
            }
            table.operations().for_each(|operation| operation.end_interval(1.0, plan));
        }
        table.make_room();
    }

    #[test]
    fn names_that_come_and_go_do_not_wear_the_table_out() {
        let plan = plan();
        let table = OperationTable::new(64);
        for round in 0..200 {
            for name in 0..64 {
                assert!(table.get_or_insert(&format!("{round}/{name}"), &plan).is_some());
            }
            pass(&table, &[], &plan);
            assert_eq!(table.len(), 0);
            assert!(table.slots.iter().all(|slot| slot.load(Ordering::Relaxed) == EMPTY));
        }
        assert_eq!(table.operations().count(), 64);
    }

    #[test]
    fn threads_that_add_the_same_names_share_one_operation_each() {
        let plan = plan();
        let table = OperationTable::new(64);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for n in 0..6_400 {
                        table.get_or_insert(&format!("op {}", n % 64), &plan);
                    }
                });
            }
        });
        assert_eq!(table.len(), 64);
        assert_eq!(table.names(|_| ()).len(), 64);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

        #[test]
        fn it_is_a_map_with_a_bound_that_forgets_what_is_quiet(
            capacity in 0..12_usize,
            rounds in prop::collection::vec(
                (prop::collection::vec("[ab]{0,3}", 0..30), prop::collection::vec("[ab]{0,3}", 0..4)),
                0..12,
            ),
        ) {
            let plan = plan();
            let table = OperationTable::new(capacity);
            let mut model: HashMap<String, ()> = HashMap::new();
            for (names, heard) in rounds {
                for name in names.iter().chain(&heard) {
                    let fits = model.len() < capacity || model.contains_key(name);
                    prop_assert_eq!(table.get_or_insert(name, &plan).is_some(), fits);
                    if fits {
                        model.insert(name.clone(), ());
                    }
                }
                pass(&table, &heard, &plan);
                if model.len() == capacity {
                    model.retain(|name, ()| heard.contains(name));
                }
                let names: HashMap<String, ()> = table.names(|_| ()).into_iter().collect();
                prop_assert_eq!(&names, &model);
                prop_assert_eq!(table.len(), model.len());
            }
        }
    }
}
