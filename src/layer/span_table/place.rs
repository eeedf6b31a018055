//! Where a span stands in the table.

use std::num::NonZeroU64;

/// How many shards a table has. Threads whose numbers are equal modulo this share one.
pub(super) const SHARDS: usize = 64;

/// How many of an id's lower bits number the spans of one thread in `tracing_subscriber::Registry`; the
/// bits above number the threads, and how often a slot of the registry was used.
const NUMBER_BITS: u32 = 38;

/// The bit of an id's rest that says that this crate gave the id out: the threads of a registry never have so high
/// a number.
const OWN: u32 = 1 << 12;

/// How many bits of a generation stand between the shard and [`OWN`]; the others stand above that.
const GENERATION_LOW_BITS: u32 = 6;

/// Where a span stands, as its id says: the id, less one, because ids are not zero and the registry adds
/// one to what it packs into them.
#[derive(Clone, Copy)]
pub(super) struct Place(u64);

impl Place {
    #[inline(always)]
    pub(super) fn of(id: u64) -> Self {
        Self(id.wrapping_sub(1))
    }

    /// The place with this number and this rest of its id.
    #[inline(always)]
    pub(super) fn at(number: usize, rest: u32) -> Self {
        Self((u64::from(rest) << NUMBER_BITS) | number as u64)
    }

    /// The place of a span to which this crate gives an id.
    #[inline(always)]
    pub(super) fn own(shard: usize, number: usize, generation: u32) -> Self {
        let low = generation % (1 << GENERATION_LOW_BITS);
        let high = generation >> GENERATION_LOW_BITS;
        Self::at(number, high << 13 | OWN | low << 6 | (shard % SHARDS) as u32)
    }

    #[inline(always)]
    pub(super) fn id(self) -> u64 {
        self.0.wrapping_add(1)
    }

    /// The id of a place that this crate gave out.
    #[inline(always)]
    pub(super) fn own_id(self) -> NonZeroU64 {
        NonZeroU64::MIN.saturating_add(self.0)
    }

    #[inline(always)]
    pub(super) fn shard(self) -> usize {
        self.rest() as usize % SHARDS
    }

    /// The span's number on its thread, which is the number of its slot.
    #[inline(always)]
    pub(super) fn number(self) -> usize {
        (self.0 & ((1 << NUMBER_BITS) - 1)) as usize
    }

    /// The rest of the id, which tells the span from others that had this slot or want it.
    #[inline(always)]
    pub(super) fn rest(self) -> u32 {
        (self.0 >> NUMBER_BITS) as u32
    }
}

/// Whether this crate gave the id out, and not a registry.
#[inline(always)]
pub(in crate::layer) fn is_own(id: u64) -> bool {
    id & (u64::from(OWN) << NUMBER_BITS) != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_ids_differ_from_those_of_a_registry_and_say_their_place() {
        for generation in [0, 1, 63, 64, (1 << 19) - 1, u32::MAX] {
            let place = Place::own(15, 70_000, generation);
            assert_eq!((place.shard(), place.number()), (15, 70_000));
            assert!(is_own(place.id()));
            assert_eq!(Place::of(place.id()).rest(), place.rest());
        }
        // The most that a registry packs: every bit of a thread's number but the highest.
        let registry = ((u64::from(u32::MAX) & !u64::from(OWN)) << NUMBER_BITS) + 70_001;
        assert!(!is_own(1) && !is_own(registry));
    }

    #[test]
    fn a_place_gives_back_the_id_it_was_made_from() {
        for id in [1, 64, 65, 1 << NUMBER_BITS, (1 << NUMBER_BITS) + 1, u64::MAX] {
            let place = Place::of(id);
            assert_eq!(Place::at(place.number(), place.rest()).id(), id);
        }
    }
}
