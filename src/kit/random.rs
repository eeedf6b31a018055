//! The only source of randomness.

use std::cell::RefCell;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::{Arc, Mutex};

use rand::rngs::SmallRng;
#[expect(clippy::disallowed_types, reason = "the one reader of the system's randomness")]
use rand::rngs::SysRng;
use rand::{Rng, SeedableRng};

use super::unwind_safe::lock;

thread_local! {
    // `const` and free of destructors: reading it is one instruction and works while a thread ends.
    static LOCAL: RefCell<Option<SmallRng>> = const { RefCell::new(None) };
}

/// Makes the random numbers that become trace and span ids.
///
/// The default draws from a fast generator of the calling thread, seeded by the operating system.
/// Ids need to be unique, not secret.
///
/// ```
/// use tailtrace::model::Random;
/// let one = Random::seeded(7);
/// let same = Random::seeded(7);
/// assert_eq!(one.next_u64(), same.next_u64());
/// ```
#[derive(Clone, Debug, Default)]
pub struct Random(Option<Arc<Mutex<SmallRng>>>);

impl Random {
    /// Each thread's own generator.
    #[must_use]
    pub const fn thread() -> Self {
        Self(None)
    }

    /// A sequence that is the same in every run; for tests.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self(Some(Arc::new(Mutex::new(SmallRng::seed_from_u64(seed)))))
    }

    /// The next 64 random bits.
    #[must_use]
    #[inline]
    pub fn next_u64(&self) -> u64 {
        match &self.0 {
            None => thread_u64(),
            Some(seeded) => lock(seeded).next_u64(),
        }
    }
}

#[inline]
fn thread_u64() -> u64 {
    LOCAL.with_borrow_mut(|local| local.get_or_insert_with(seed).next_u64())
}

#[cold]
fn seed() -> SmallRng {
    SmallRng::try_from_rng(&mut SysRng).unwrap_or_else(|_| {
        // Without a system source the standard library's per-process hash keys are the next best.
        SmallRng::seed_from_u64(RandomState::new().build_hasher().finish())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_draw_different_numbers() {
        let draw = || std::thread::scope(|s| s.spawn(thread_u64).join().unwrap());
        assert_ne!(draw(), draw());
    }

    #[test]
    fn other_seeds_give_other_sequences() {
        assert_ne!(Random::seeded(1).next_u64(), Random::seeded(2).next_u64());
    }
}
