//! A token bucket without a lock.

use std::sync::atomic::{AtomicU64, Ordering};

use super::Tick;

/// Lets `rate` tokens pass per second and saves up at most `burst` of them.
///
/// Kept as one number, the moment at which the bucket would be full again (the generic cell rate
/// algorithm), so that taking is a compare-and-swap. The bucket starts full.
#[derive(Debug)]
pub(crate) struct TokenBucket {
    nanos_per_token: f64,
    capacity_nanos: u64,
    full_at: AtomicU64,
}

impl TokenBucket {
    /// `rate` is in tokens per second and must be above zero; `burst` is at least one token.
    pub(crate) fn new(rate: f64, burst: f64) -> Self {
        let nanos_per_token = 1e9 / rate;
        let capacity_nanos = (nanos_per_token * burst.max(1.0)) as u64;
        Self { nanos_per_token, capacity_nanos, full_at: AtomicU64::new(0) }
    }

    /// Takes `tokens` if that many are there; a refusal takes nothing.
    pub(crate) fn try_take(&self, now: Tick, tokens: u64) -> bool {
        let cost = (self.nanos_per_token * tokens as f64) as u64;
        let now = now.as_nanos();
        let take = |full_at: u64| {
            // A cost beyond the end of time is never affordable; saturating would make it free.
            let next = full_at.max(now).checked_add(cost)?;
            (next - now <= self.capacity_nanos).then_some(next)
        };
        self.full_at.fetch_update(Ordering::AcqRel, Ordering::Acquire, take).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Tick {
        Tick::from_nanos(millis * 1_000_000)
    }

    #[test]
    fn it_starts_full_and_refills_at_its_rate() {
        let bucket = TokenBucket::new(10.0, 5.0);
        assert_eq!((0..20).filter(|_| bucket.try_take(at(0), 1)).count(), 5);
        assert!(!bucket.try_take(at(99), 1));
        assert!(bucket.try_take(at(100), 1));
        assert_eq!((0..20).filter(|_| bucket.try_take(at(10_000), 1)).count(), 5);
    }

    #[test]
    fn frequent_asking_does_not_keep_it_empty() {
        let bucket = TokenBucket::new(2.0, 1.0);
        let passed = (0..10_000).filter(|ms| bucket.try_take(at(*ms), 1)).count();
        assert!((20..=21).contains(&passed), "{passed} in ten seconds at two a second");
    }

    #[test]
    fn a_token_that_takes_longer_than_the_clock_lasts_is_had_once_at_most() {
        let bucket = TokenBucket::new(1e-300, 1e9);
        let passed = (0..1_000).filter(|ms| bucket.try_take(at(*ms), 1)).count();
        assert!(passed <= 1, "{passed} passed");
    }

    #[test]
    fn more_than_the_burst_never_passes_and_costs_nothing() {
        let bucket = TokenBucket::new(10.0, 5.0);
        assert!(!bucket.try_take(at(0), 6));
        assert!(bucket.try_take(at(0), 5));
    }
}
