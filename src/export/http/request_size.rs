//! How large requests are, by what the link to the peer carries in time.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// Requests do not get smaller than this, whatever the link does.
const LEAST: usize = 16 * 1024;

/// A request without a time limit is judged by this one.
const USUAL_LIMIT: Duration = Duration::from_secs(10);

/// The most bytes that a request should have. A clone shares it.
///
/// A request whose time was over makes the next ones a quarter as large as it was; requests that are answered in a
/// small part of their time let them grow again.
#[derive(Clone, Debug)]
pub(in crate::export) struct RequestSize {
    // Alone: no other memory depends on its value.
    limit: Arc<AtomicUsize>,
    most: usize,
}

impl RequestSize {
    pub(in crate::export) fn new(most: usize) -> Self {
        Self { limit: Arc::new(AtomicUsize::new(most)), most }
    }

    pub(in crate::export) fn limit(&self) -> usize {
        self.limit.load(Ordering::Relaxed)
    }

    /// A request of `bytes` was not answered in time.
    pub(super) fn timed_out(&self, bytes: usize) {
        let smaller = (bytes.min(self.limit()) / 4).max(LEAST.min(self.most));
        self.limit.fetch_min(smaller, Ordering::Relaxed);
    }

    /// A request of `bytes` was answered after this time, of what it was `allowed`.
    pub(super) fn answered(&self, bytes: usize, took: Duration, allowed: Option<Duration>) {
        let limit = self.limit();
        let was_large = bytes >= limit / 2;
        if was_large && limit < self.most && took < allowed.unwrap_or(USUAL_LIMIT) / 8 {
            self.limit.store(limit.saturating_mul(2).min(self.most), Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: usize = 1024 * 1024;
    const ALLOWED: Option<Duration> = Some(Duration::from_secs(10));

    #[test]
    fn a_slow_link_gets_requests_that_it_carries_in_time() {
        let size = RequestSize::new(4 * MIB);
        // 15 kB a second carry 150 kB in the time of a request.
        let mut bytes = MIB;
        let mut tries = 0;
        while bytes > 150_000 {
            size.timed_out(bytes);
            bytes = bytes.min(size.limit());
            tries += 1;
        }
        assert_eq!((tries, size.limit()), (2, MIB / 16));
        size.answered(size.limit(), Duration::from_secs(4), ALLOWED);
        assert_eq!(size.limit(), MIB / 16, "it would not carry twice as much");
    }

    #[test]
    fn requests_grow_again_when_answers_are_quick_and_never_vanish() {
        let size = RequestSize::new(MIB);
        for _ in 0..20 {
            size.timed_out(size.limit());
        }
        assert_eq!(size.limit(), LEAST);
        size.answered(10, Duration::ZERO, ALLOWED);
        assert_eq!(size.limit(), LEAST, "a small request says nothing about a large one");
        for _ in 0..20 {
            size.answered(size.limit(), Duration::ZERO, None);
        }
        assert_eq!(size.limit(), MIB);
        let small = RequestSize::new(100);
        small.timed_out(100);
        assert_eq!(small.limit(), 100);
    }
}
