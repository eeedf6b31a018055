//! A bounded map from names to values that only grows, read and filled without a lock.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::kit::folded_product;

/// How far from its home a name is looked for. Slots are at most half full, so that a name which does
/// not fit was made not to.
const REACH: usize = 64;

/// Longer names find no place, so that the bound on names is one on bytes.
const LONGEST: usize = 256;

/// Values by name: the first `capacity` names get one each, later ones none.
///
/// An open-addressing table of fixed size. Nothing is ever removed, so that a name is always found
/// before the first empty slot and two threads that add one name meet at the same slot. A look-up
/// neither locks nor allocates; names made to collide cost at most [`REACH`] comparisons.
#[derive(Debug)]
pub(crate) struct NameTable<T> {
    slots: Box<[OnceLock<Box<Entry<T>>>]>,
    /// How many further names have a place. Relaxed: a count orders no other access, and a slot's `OnceLock`
    /// publishes its entry.
    left: AtomicUsize,
}

#[derive(Debug)]
struct Entry<T> {
    hash: u64,
    name: Box<str>,
    value: T,
}

impl<T> NameTable<T> {
    /// Makes a table for `capacity` names: 32 to 64 bytes for each, and the memory of each name that is entered.
    pub(crate) fn new(capacity: usize) -> Self {
        let slots = capacity.saturating_mul(2).next_power_of_two();
        Self {
            slots: (0..slots).map(|_| OnceLock::new()).collect(),
            left: AtomicUsize::new(capacity),
        }
    }

    /// The value of this name, made if it is new; `None` when there is no place for another name.
    pub(crate) fn get_or_insert_with(&self, name: &str, make: impl FnOnce() -> T) -> Option<&T> {
        if name.len() > LONGEST {
            return None;
        }
        let hash = hash(name.as_bytes());
        // Where nearly every name that is known stands.
        let home = self.slots.get(self.home(hash)).and_then(OnceLock::get);
        if let Some(entry) = home.filter(|entry| entry.is(hash, name)) {
            return Some(&entry.value);
        }
        self.search_or_insert(hash, name, make)
    }

    #[inline(never)]
    fn search_or_insert(&self, hash: u64, name: &str, make: impl FnOnce() -> T) -> Option<&T> {
        let mut new = None;
        let mut make = Some(make);
        for slot in self.probe(hash) {
            if slot.get().is_none() {
                let entry = match new.take() {
                    Some(entry) => entry,
                    None => self.acquire(hash, name, make.take()?)?,
                };
                new = slot.set(entry).err();
            }
            let found = slot.get().filter(|entry| entry.is(hash, name));
            if let Some(entry) = found {
                self.release(new);
                return Some(&entry.value);
            }
        }
        self.release(new);
        None
    }

    /// All names with their values, in no order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &T)> {
        let entries = self.slots.iter().filter_map(OnceLock::get);
        entries.map(|entry| (&*entry.name, &entry.value))
    }

    /// The first slot in which a name with this hash may stand.
    fn home(&self, hash: u64) -> usize {
        // There is at least one slot, and their number is a power of two.
        hash as usize & (self.slots.len() - 1)
    }

    /// The slots in which a name with this hash may stand.
    fn probe(&self, hash: u64) -> impl Iterator<Item = &OnceLock<Box<Entry<T>>>> {
        let (before, after) = self.slots.split_at(self.home(hash));
        after.iter().chain(before).take(REACH)
    }

    /// Takes a place for a name and makes its entry; `None` when no place is left.
    fn acquire(&self, hash: u64, name: &str, make: impl FnOnce() -> T) -> Option<Box<Entry<T>>> {
        let take = |left: usize| left.checked_sub(1);
        self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).ok()?;
        Some(Box::new(Entry { hash, name: name.into(), value: make() }))
    }

    /// Gives back the place of an entry that another thread entered first, or for which no slot was free.
    fn release(&self, unused: Option<Box<Entry<T>>>) {
        if unused.is_some() {
            self.left.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl<T> Entry<T> {
    fn is(&self, hash: u64, name: &str) -> bool {
        self.hash == hash && *self.name == *name
    }
}

/// Spreads names over 64 bits, eight bytes a step. It need not withstand an attack: see [`REACH`].
fn hash(name: &[u8]) -> u64 {
    const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
    let mix = |hash: u64, word: u64| folded_product(hash ^ word, ODD);
    let (words, rest) = name.as_chunks::<8>();
    let words = words.iter().map(|word| u64::from_le_bytes(*word));
    let last = rest.iter().fold(0, |last, byte| last << 8 | u64::from(*byte));
    mix(words.chain([last]).fold(name.len() as u64, mix), ODD)
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};
    use std::sync::atomic::AtomicU64;

    use super::*;
    use proptest::prelude::*;

    fn count(table: &NameTable<AtomicU64>, name: &str) -> bool {
        let counter = table.get_or_insert_with(name, AtomicU64::default);
        counter.map(|counter| counter.fetch_add(1, Ordering::Relaxed));
        counter.is_some()
    }

    fn counts(table: &NameTable<AtomicU64>) -> HashMap<String, u64> {
        let read = |(name, counter): (&str, &AtomicU64)| {
            (name.to_owned(), counter.load(Ordering::Relaxed))
        };
        table.iter().map(read).collect()
    }

    #[test]
    fn names_above_the_capacity_get_no_value_and_the_others_keep_theirs() {
        let table = NameTable::new(100);
        let names: Vec<String> = (0..10_000).map(|n| format!("GET /user/{n}")).collect();
        for _ in 0..2 {
            let placed = names.iter().filter(|name| count(&table, name));
            assert_eq!(placed.count(), 100);
        }
        assert!(counts(&table).values().all(|count| *count == 2));
        assert_eq!(table.iter().count(), 100);
    }

    #[test]
    fn a_table_for_nothing_holds_nothing() {
        assert!(!count(&NameTable::new(0), "a"));
    }

    #[test]
    fn a_name_longer_than_the_bound_gets_no_value() {
        let table = NameTable::new(10);
        assert!(count(&table, &"x".repeat(LONGEST)));
        assert!(!count(&table, &"x".repeat(LONGEST + 1)));
    }

    #[test]
    fn similar_names_are_spread() {
        let homes: HashSet<u64> =
            (0..256).map(|n| hash(format!("GET /v1/{n}").as_bytes()) % 512).collect();
        assert!(homes.len() > 180, "{} of 512 homes", homes.len());
        assert_ne!(hash(b"a"), hash(b"a\0"));
        assert_ne!(hash(b""), hash(b"\0"));
    }

    #[test]
    fn threads_that_add_the_same_names_share_one_value_each() {
        let table = NameTable::new(64);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for n in 0..6_400 {
                        count(&table, &format!("op {}", n % 64));
                    }
                });
            }
        });
        // A place reserved by the loser of a race looks taken for a moment, hence the second look.
        for n in 0..64 {
            assert!(count(&table, &format!("op {n}")));
        }
        assert_eq!(table.iter().count(), 64);
        assert_eq!(table.left.load(Ordering::Relaxed), 0);
    }

    proptest! {
        #[test]
        fn it_is_a_map_with_a_bound(capacity in 0..12_usize, names in prop::collection::vec("[ab]{0,3}", 0..200)) {
            let table = NameTable::new(capacity);
            let mut model: HashMap<String, u64> = HashMap::new();
            for name in names {
                let fits = model.len() < capacity || model.contains_key(&name);
                prop_assert_eq!(count(&table, &name), fits);
                if fits {
                    *model.entry(name).or_default() += 1;
                }
            }
            prop_assert_eq!(counts(&table), model);
        }
    }
}
