//! Where things stand in a list, found by a hash of theirs.

/// A slot without a place.
const EMPTY: PlaceSlot = PlaceSlot { tag: 0, place: u32::MAX };

/// The least slots there are, once there is one.
const LEAST: usize = 8;

/// The places of a list by the hashes of what stands there.
///
/// A map from the keys themselves would hold each key a second time; eight bytes lead to a place. The list
/// says whether what stands there is what is looked for. Slots are probed in a row, and a removal closes
/// the gap it leaves, so that no search passes over what is gone.
#[derive(Default)]
pub(super) struct PlaceIndex {
    /// As many as a power of two, of which a quarter is empty; or none.
    slots: Vec<PlaceSlot>,
    len: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct PlaceSlot {
    /// A part of the hash, which also says where the search begins.
    tag: u32,
    place: u32,
}

impl PlaceIndex {
    /// The place that is the one looked for, among those of this hash.
    #[inline]
    pub(super) fn find(&self, hash: u64, is_it: impl Fn(usize) -> bool) -> Option<usize> {
        let at = self.position(hash, |place| is_it(place as usize))?;
        self.slots.get(at).map(|slot| slot.place as usize)
    }

    pub(super) fn insert(&mut self, hash: u64, place: usize) {
        if (self.len + 1) * 4 > self.slots.len() * 3 {
            self.resize(LEAST.max(self.slots.len() * 2));
        }
        self.put(PlaceSlot { tag: hash as u32, place: place as u32 });
        self.len += 1;
    }

    /// What stood at `from` stands at `to` now.
    pub(super) fn moved(&mut self, hash: u64, from: usize, to: usize) {
        let at = self.position(hash, |place| place as usize == from);
        if let Some(slot) = at.and_then(|at| self.slots.get_mut(at)) {
            slot.place = to as u32;
        }
    }

    pub(super) fn remove(&mut self, hash: u64, place: usize) {
        let found = self.position(hash, |other| other as usize == place);
        let Some(mut gap) = found else { return };
        let mask = self.slots.len() - 1;
        let mut next = (gap + 1) & mask;
        while let Some(slot) = self.slots.get(next).copied().filter(|slot| *slot != EMPTY) {
            // One whose search begins behind the gap stays, for its search does not pass the gap.
            let from_start = next.wrapping_sub(slot.tag as usize) & mask;
            let from_gap = next.wrapping_sub(gap) & mask;
            if from_start >= from_gap {
                self.set(gap, slot);
                gap = next;
            }
            next = (next + 1) & mask;
        }
        self.set(gap, EMPTY);
        self.len -= 1;
        // After a burst the memory goes back.
        if self.slots.len() > 64 * LEAST && self.len * 8 < self.slots.len() {
            self.resize(self.slots.len() / 4);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub(super) fn has_memory(&self) -> bool {
        self.slots.capacity() > 0
    }

    #[inline]
    fn position(&self, hash: u64, is_it: impl Fn(u32) -> bool) -> Option<usize> {
        let tag = hash as u32;
        let mask = self.slots.len().checked_sub(1)?;
        let mut at = tag as usize & mask;
        loop {
            let slot = self.slots.get(at).filter(|slot| **slot != EMPTY)?;
            if slot.tag == tag && is_it(slot.place) {
                return Some(at);
            }
            at = (at + 1) & mask;
        }
    }

    /// Puts a slot where its search finds it. There is an empty one.
    fn put(&mut self, slot: PlaceSlot) {
        let mask = self.slots.len() - 1;
        let mut at = slot.tag as usize & mask;
        while self.slots.get(at).is_some_and(|taken| *taken != EMPTY) {
            at = (at + 1) & mask;
        }
        self.set(at, slot);
    }

    fn set(&mut self, at: usize, slot: PlaceSlot) {
        if let Some(old) = self.slots.get_mut(at) {
            *old = slot;
        }
    }

    #[cold]
    fn resize(&mut self, slots: usize) {
        let old = std::mem::replace(&mut self.slots, vec![EMPTY; slots]);
        old.into_iter().filter(|slot| *slot != EMPTY).for_each(|slot| self.put(slot));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn it_finds_what_a_list_has(
            // Few hashes, so that many searches begin at one slot or run around the end.
            steps in prop::collection::vec((0_u8..3, 0_u64..12, any::<prop::sample::Index>()), 0..60),
        ) {
            let mut index = PlaceIndex::default();
            let mut list: Vec<u64> = Vec::new();
            for (step, hash, chosen) in steps {
                if step > 0 || list.is_empty() {
                    index.insert(hash, list.len());
                    list.push(hash);
                } else {
                    let place = chosen.index(list.len());
                    index.remove(list[place], place);
                    list.swap_remove(place);
                    if place < list.len() {
                        index.moved(list[place], list.len(), place);
                    }
                }
                prop_assert_eq!(index.is_empty(), list.is_empty());
                for hash in 0..12 {
                    for (place, there) in list.iter().enumerate() {
                        let found = index.find(hash, |other| other == place);
                        prop_assert_eq!(found, (*there == hash).then_some(place));
                    }
                }
            }
        }
    }

    #[test]
    fn after_a_burst_its_memory_goes_back() {
        let mut index = PlaceIndex::default();
        (0..10_000).for_each(|place| index.insert(place, place as usize));
        let most = index.slots.len();
        (100..10_000).for_each(|place| index.remove(place, place as usize));
        assert!(index.slots.len() <= most / 16, "{} of {most}", index.slots.len());
        assert!((0..100).all(|place| index.find(place, |_| true) == Some(place as usize)));
    }
}
