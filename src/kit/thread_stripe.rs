//! Which stripe of what threads share is the calling thread's.
//!
//! What many threads write at every trace stands in stripes, each alone on its cache lines. A thread leases the
//! stripe that the fewest threads have, until it ends: up to [`STRIPES`] threads share nothing, and a thousand do
//! not need a thousand stripes.

use std::cell::Cell;
use std::sync::atomic::{AtomicU32, Ordering};

/// How many stripes there are at most. A power of two.
pub(crate) const STRIPES: usize = 16;

/// How many threads lease each stripe.
// Relaxed: two threads that begin at the same moment may lease one stripe, which costs them speed alone. No lock: one
// that a thread holds while the process forks would be held for ever in the child.
static HOLDERS: [AtomicU32; STRIPES] = [const { AtomicU32::new(0) }; STRIPES];

thread_local! {
    // `const` and free of destructors: reading it is one instruction and works while a thread ends.
    static MINE: Cell<usize> = const { Cell::new(usize::MAX) };
    static LEASE: Cell<Option<Lease>> = const { Cell::new(None) };
}

/// A thread's hold on its stripe.
struct Lease(usize);

impl Lease {
    fn of_least_used() -> Self {
        let least = HOLDERS.iter().zip(0..).min_by_key(|(count, _)| count.load(Ordering::Relaxed));
        let index = least.map_or(0, |(_, index)| index);
        HOLDERS[index].fetch_add(1, Ordering::Relaxed);
        Self(index)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        HOLDERS[self.0].fetch_sub(1, Ordering::Relaxed);
    }
}

/// The stripe of the calling thread, below [`STRIPES`].
#[inline]
pub(crate) fn of_this_thread() -> usize {
    let mine = MINE.get();
    if mine < STRIPES { mine } else { lease() }
}

#[cold]
fn lease() -> usize {
    let lease = Lease::of_least_used();
    let index = lease.0;
    MINE.set(index);
    // A thread that is ending keeps none: it goes on with the stripe for its last steps.
    let _ = LEASE.try_with(|slot| slot.set(Some(lease)));
    index
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn on_a_thread() -> usize {
        std::thread::spawn(of_this_thread).join().unwrap()
    }

    #[test]
    fn a_thread_has_one_stripe_for_life() {
        assert_eq!(of_this_thread(), of_this_thread());
    }

    #[test]
    fn a_thread_that_ends_gives_its_stripe_back() {
        for _ in 0..10 * STRIPES {
            assert!(on_a_thread() < STRIPES);
        }
        // Other tests run beside this one, on fewer threads than would make this many holders.
        let most = HOLDERS.iter().map(|count| count.load(Ordering::Relaxed)).max().unwrap();
        assert!(most < 10, "{most} threads lease one stripe");
    }

    #[test]
    fn threads_that_run_at_the_same_time_spread_over_the_stripes() {
        let all = std::sync::Barrier::new(4);
        let taken: HashSet<_> = std::thread::scope(|scope| {
            let spawn = |_| {
                scope.spawn(|| {
                    let mine = of_this_thread();
                    all.wait();
                    mine
                })
            };
            let threads: Vec<_> = (0..4).map(spawn).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(taken.len() > 1);
    }
}
