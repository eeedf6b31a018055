//! The only source of randomness.

use std::cell::RefCell;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::{Arc, Mutex};

use rand::rngs::SmallRng;
#[expect(clippy::disallowed_types, reason = "the one reader of the system's randomness")]
use rand::rngs::SysRng;
use rand::{Rng, SeedableRng};

use super::fork::ForkGuard;
use super::unwind_safe::lock;

thread_local! {
    // `const` and free of destructors: reading it is one instruction and works while a thread ends.
    static LOCAL: RefCell<Option<ThreadRandom>> = const { RefCell::new(None) };
}

/// The generator of a thread, and the process that it was seeded in.
struct ThreadRandom {
    generator: SmallRng,
    guard: ForkGuard,
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

    /// The next 64 random bits, which are others at another moment even where the generator is the same: two copies
    /// of a machine that go on from one snapshot have the same generators. A seeded sequence stays what it is.
    #[inline]
    pub(crate) fn next_u64_at(&self, moment: u64) -> u64 {
        match &self.0 {
            // An odd factor takes no two moments to one number, and spreads them over all bits.
            None => thread_u64() ^ moment.wrapping_mul(0x9e37_79b9_7f4a_7c15),
            Some(seeded) => lock(seeded).next_u64(),
        }
    }

    /// The next two of [`next_u64_at`](Self::next_u64_at), for little more than one of them.
    #[inline]
    pub(crate) fn next_two_at(&self, moment: u64) -> [u64; 2] {
        match &self.0 {
            None => {
                let of_moment = moment.wrapping_mul(0x9e37_79b9_7f4a_7c15);
                with_thread_random(|random| [0; 2].map(|_| random.next_u64() ^ of_moment))
            }
            Some(seeded) => {
                let mut seeded = lock(seeded);
                [0; 2].map(|_| seeded.next_u64())
            }
        }
    }
}

#[inline]
fn thread_u64() -> u64 {
    with_thread_random(SmallRng::next_u64)
}

#[inline]
fn with_thread_random<R>(draw: impl FnOnce(&mut SmallRng) -> R) -> R {
    LOCAL.with_borrow_mut(|local| match local {
        Some(local) if !local.guard.is_in_child() => draw(&mut local.generator),
        _ => draw(&mut local.insert(ThreadRandom::seeded_anew()).generator),
    })
}

impl ThreadRandom {
    /// For a thread that has none yet, or whose generator came with a fork and is the parent's too.
    #[cold]
    fn seeded_anew() -> Self {
        Self { generator: seed(), guard: ForkGuard::new() }
    }
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
    fn a_moment_changes_what_a_thread_draws_and_no_seeded_sequence() {
        let [first, same] = [Random::seeded(7), Random::seeded(7)];
        assert_eq!(first.next_u64_at(1), same.next_u64_at(2));
        let twin = || SmallRng::seed_from_u64(7);
        let at = |moment| {
            LOCAL.set(Some(ThreadRandom { generator: twin(), guard: ForkGuard::new() }));
            Random::thread().next_u64_at(moment)
        };
        assert_eq!(at(1), at(1));
        assert_ne!(at(1), at(2));
    }

    #[test]
    fn other_seeds_give_other_sequences() {
        assert_ne!(Random::seeded(1).next_u64(), Random::seeded(2).next_u64());
    }
}
