//! The numbers of a shard's slots, where this crate gives out the ids.

/// How many numbers a word has a bit for.
const BITS: usize = u64::BITS as usize;

/// Which numbers are taken: a span gets the lowest that is free, so that the slots stay close together and
/// the memory of a burst goes with its spans.
#[derive(Debug, Default)]
pub(super) struct Numbers {
    /// A bit for each number, set where it is taken.
    taken: Vec<u64>,
    /// A bit for each word of `taken`, set where no number of it is free.
    full: Vec<u64>,
    /// How many ids were given out, which tells an id from an earlier one of the same slot.
    generation: u32,
}

impl Numbers {
    /// The lowest number that is free, which stays free, and the generation of the next id.
    #[inline(always)]
    pub(super) fn next(&self) -> (usize, u32) {
        let number = match self.taken.first() {
            Some(word) if *word != u64::MAX => word.trailing_ones() as usize,
            _ => self.lowest_beyond(),
        };
        (number, self.generation)
    }

    #[inline(never)]
    fn lowest_beyond(&self) -> usize {
        let with_room = self.full.iter().position(|word| *word != u64::MAX);
        let word = match with_room.and_then(|at| Some((at, self.full.get(at)?))) {
            Some((at, bits)) => at * BITS + bits.trailing_ones() as usize,
            // No word past those was ever full.
            None => self.full.len() * BITS,
        };
        let taken = self.taken.get(word).map_or(0, |bits| bits.trailing_ones() as usize);
        word * BITS + taken
    }

    /// Takes a number that is free, for an id of this generation.
    #[inline(always)]
    pub(super) fn take(&mut self, number: usize) {
        self.generation = self.generation.wrapping_add(1);
        match self.taken.get_mut(number / BITS) {
            Some(word) => {
                *word |= 1 << (number % BITS);
                if *word == u64::MAX {
                    self.set_full(number / BITS, true);
                }
            }
            None => self.take_beyond(number),
        }
    }

    #[cold]
    fn take_beyond(&mut self, number: usize) {
        self.taken.resize(number / BITS + 1, 0);
        if let Some(word) = self.taken.get_mut(number / BITS) {
            *word |= 1 << (number % BITS);
        }
    }

    /// Gives a number back.
    #[inline(always)]
    pub(super) fn release(&mut self, number: usize) {
        let Some(word) = self.taken.get_mut(number / BITS) else { return };
        let was_full = *word == u64::MAX;
        *word &= !(1 << (number % BITS));
        let is_empty = *word == 0;
        if was_full {
            self.set_full(number / BITS, false);
        }
        if is_empty && number >= BITS {
            self.shrink();
        }
    }

    #[cold]
    fn set_full(&mut self, word: usize, is_full: bool) {
        if word / BITS >= self.full.len() {
            self.full.resize(word / BITS + 1, 0);
        }
        if let Some(bits) = self.full.get_mut(word / BITS) {
            if is_full {
                *bits |= 1 << (word % BITS);
            } else {
                *bits &= !(1 << (word % BITS));
            }
        }
    }

    /// Gives back the memory of the highest numbers where none of them is taken.
    #[cold]
    fn shrink(&mut self) {
        while self.taken.len() > 1 && self.taken.pop_if(|word| *word == 0).is_some() {}
        self.full.truncate(self.taken.len().div_ceil(BITS));
        if self.taken.capacity() > 4 * self.taken.len().max(BITS) {
            self.taken.shrink_to(2 * self.taken.len());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn take(numbers: &mut Numbers) -> usize {
        let (number, _) = numbers.next();
        numbers.take(number);
        number
    }

    #[test]
    fn memory_of_a_burst_goes_with_its_numbers() {
        let mut numbers = Numbers::default();
        (0..100_000).for_each(|number| assert_eq!(take(&mut numbers), number));
        (1..100_000).for_each(|number| numbers.release(number));
        assert!(numbers.taken.capacity() <= 4 * BITS && numbers.full.len() <= 1);
        assert_eq!(take(&mut numbers), 1);
    }

    proptest! {
        #[test]
        fn the_lowest_free_number_is_next(
            ops in proptest::collection::vec((any::<bool>(), 0..9_000usize), 0..400),
            taken in 0..9_000usize,
        ) {
            let mut numbers = Numbers::default();
            let mut end = taken;
            let mut free = BTreeSet::new();
            (0..taken).for_each(|_| _ = take(&mut numbers));
            for (is_release, number) in ops {
                if is_release && number < end && free.insert(number) {
                    numbers.release(number);
                } else {
                    let lowest = free.pop_first().unwrap_or(end);
                    prop_assert_eq!(take(&mut numbers), lowest);
                    end = end.max(lowest + 1);
                }
            }
        }
    }
}
