//! What a subscriber remembers of each callsite.

use std::sync::atomic::{AtomicUsize, Ordering};

use tracing::Metadata;

/// How many callsites there is room for, as a power of two: programs have hundreds, seldom a few thousand.
const ROOM_BITS: u32 = 13;

const ROOM: usize = 1 << ROOM_BITS;

/// How many places are looked at before a callsite counts as unknown.
const MOST_PROBES: usize = 16;

/// Which bits of an address are free for what is remembered: metadata are aligned to eight bytes.
const NOTE_BITS: usize = 0b111;

/// A few bits for each callsite, by the address of its metadata, which is static.
///
/// A place holds an address with the note in its lowest bits, or zero. Callsites for which there is no room stay
/// unknown.
// Relaxed: an entry is whole in itself, and one that is missed or old for a moment is what `tracing` itself allows
// while filters change.
#[derive(Debug)]
pub(super) struct CallsiteNotes(Box<[AtomicUsize; ROOM]>);

impl Default for CallsiteNotes {
    fn default() -> Self {
        Self(Box::new([const { AtomicUsize::new(0) }; ROOM]))
    }
}

impl CallsiteNotes {
    /// The places in which a callsite may stand, in order.
    #[inline(always)]
    fn places(&self, address: usize) -> impl Iterator<Item = &AtomicUsize> {
        let hash = (address as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (u64::BITS - ROOM_BITS);
        let from = hash as usize;
        (from..from + MOST_PROBES).filter_map(|at| self.0.get(at % ROOM))
    }

    /// Whether the note on a callsite is known to be this one: one look, for what is asked most.
    #[inline(always)]
    pub(super) fn is(&self, metadata: &Metadata<'_>, note: usize) -> bool {
        let address = std::ptr::from_ref(metadata).addr();
        let first = self.places(address).next();
        first.is_some_and(|first| first.load(Ordering::Relaxed) == address | note)
    }

    /// The note on a callsite, if there is one.
    #[inline(always)]
    pub(super) fn get(&self, metadata: &Metadata<'_>) -> Option<usize> {
        let address = std::ptr::from_ref(metadata).addr();
        for place in self.places(address) {
            let known = place.load(Ordering::Relaxed);
            if known & !NOTE_BITS == address {
                return Some(known & NOTE_BITS);
            }
            if known == 0 {
                return None;
            }
        }
        None
    }

    /// Notes at most three bits on a callsite from now on.
    pub(super) fn set(&self, metadata: &'static Metadata<'static>, note: usize) {
        let address = std::ptr::from_ref(metadata).addr();
        debug_assert!(address & NOTE_BITS == 0 && note & !NOTE_BITS == 0, "a note fits");
        let new = address | note;
        for place in self.places(address) {
            let taken = place.compare_exchange(0, new, Ordering::Relaxed, Ordering::Relaxed);
            let known = taken.err().unwrap_or(new);
            if known & !NOTE_BITS == address {
                place.store(new, Ordering::Relaxed);
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_comes_back_as_it_was_set() {
        let notes = CallsiteNotes::default();
        tracing::subscriber::with_default(tracing_subscriber::registry(), || {
            let one = tracing::info_span!("one");
            let other = tracing::info_span!("other");
            let one = one.metadata().unwrap();
            let other = other.metadata().unwrap();
            for note in 0..=NOTE_BITS {
                notes.set(one, note);
                assert_eq!((notes.get(one), notes.get(other)), (Some(note), None));
            }
        });
    }
}
