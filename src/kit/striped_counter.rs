//! A counter that many threads raise without sharing a cache line.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::thread_stripe::{self, STRIPES};

/// One thread's share of a [`StripedCounter`] counter, alone on its cache line.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(crate) struct Stripe(
    /// Relaxed throughout: a sum of counters orders no other access.
    AtomicU64,
);

impl Stripe {
    pub(crate) fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    #[inline]
    pub(crate) fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    /// Subtracts what was added on this stripe or on another of the same counter: only the sum counts.
    #[cfg(feature = "layer")]
    pub(crate) fn subtract(&self, count: u64) {
        self.0.fetch_sub(count, Ordering::Relaxed);
    }
}

/// A sum over stripes. Adding is wait-free; reading adds the stripes up.
#[derive(Debug, Default)]
pub(crate) struct StripedCounter([Arc<Stripe>; STRIPES]);

impl StripedCounter {
    /// The calling thread's stripe.
    #[inline]
    pub(crate) fn of_this_thread(&self) -> &Arc<Stripe> {
        &self.0[thread_stripe::of_this_thread()]
    }

    /// A stripe by its index; what holds a clone of it may add on any thread.
    pub(crate) fn stripe(&self, index: usize) -> &Arc<Stripe> {
        &self.0[index % STRIPES]
    }

    /// Whether a stripe is one of this counter's.
    pub(crate) fn has(&self, stripe: &Arc<Stripe>) -> bool {
        self.0.iter().any(|own| Arc::ptr_eq(own, stripe))
    }

    pub(crate) fn sum(&self) -> u64 {
        self.0.iter().fold(0, |sum, stripe| sum.wrapping_add(stripe.count()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_lost_between_threads() {
        let counter = StripedCounter::default();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..1000).for_each(|_| counter.of_this_thread().add(1)));
            }
        });
        assert_eq!(counter.sum(), 4000);
    }
}
