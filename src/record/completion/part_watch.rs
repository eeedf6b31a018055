//! When it is time to look for traces that have been open for long.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::time::{Tick, nanos};

/// How long a look at all live traces is followed by none.
const SHORTEST_PERIOD: Duration = Duration::from_millis(100);
const LONGEST_PERIOD: Duration = Duration::from_secs(1);

/// How long traces may be open before they are decided in parts, and when they were looked at.
#[derive(Debug)]
pub(super) struct PartWatch {
    age: Duration,
    /// The moment of the last look, in nanoseconds; the largest number before the first.
    // Relaxed: of two threads that look at once both may find the time come, and the second has nothing to do.
    last_look: AtomicU64,
}

impl PartWatch {
    pub(super) const fn new(age: Duration) -> Self {
        Self { age, last_look: AtomicU64::new(u64::MAX) }
    }

    /// The latest moment at which a span began that has been open for long.
    pub(super) fn began_by(&self, now: Tick) -> Tick {
        Tick::from_nanos(now.as_nanos().saturating_sub(nanos(self.age)))
    }

    /// Whether it is time for a look; if it is, the next time is counted from now.
    pub(super) fn is_time(&self, now: Tick) -> bool {
        if self.age == Duration::MAX {
            return false;
        }
        let period = nanos((self.age / 16).clamp(SHORTEST_PERIOD, LONGEST_PERIOD));
        let last = self.last_look.load(Ordering::Relaxed);
        let is_time = last == u64::MAX || now.as_nanos().saturating_sub(last) >= period;
        if is_time {
            self.last_look.store(now.as_nanos(), Ordering::Relaxed);
        }
        is_time
    }
}
