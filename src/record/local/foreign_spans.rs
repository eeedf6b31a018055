//! How many spans of another tracer a local trace waits for.

use std::sync::atomic::{AtomicU32, Ordering};

use super::live_spans::LiveSpans;

/// How many spans of another tracer are open, or have ended and are on their way into the buffer.
///
/// The count falls, and rises from zero, under the trace's lock; the methods that do so take what the
/// lock guards as a witness. From any other number it may rise without the lock: then the trace is among
/// the live ones and not complete, and the additional span keeps it so. The accesses are relaxed, because
/// what follows from the count (completion, registration) is ordered by the trace's lock.
#[derive(Debug, Default)]
pub(in crate::record) struct ForeignSpanCount(AtomicU32);

impl ForeignSpanCount {
    pub(super) fn new(count: u32) -> Self {
        Self(AtomicU32::new(count))
    }

    #[inline]
    pub(in crate::record) fn count(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }

    /// Counts a span that starts while another is open; false, without counting it, when none is.
    #[inline]
    pub(in crate::record) fn add_beside(&self) -> bool {
        let mut count = self.count();
        while count != 0 {
            match self.0.compare_exchange_weak(
                count,
                count + 1,
                Ordering::Relaxed,
                Ordering::Relaxed,
            ) {
                Ok(_) => return true,
                Err(now) => count = now,
            }
        }
        false
    }

    /// Counts a span that starts, whether or not another is open.
    pub(in crate::record) fn add(&self, _locked: &LiveSpans) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// Takes off a span that has ended; how many are left.
    #[inline]
    pub(in crate::record) fn remove(&self, _locked: &LiveSpans) -> u32 {
        let before = self.0.fetch_sub(1, Ordering::Relaxed);
        debug_assert!(before > 0, "a foreign span ends once");
        before.saturating_sub(1)
    }

    /// Takes all off; how many there were.
    pub(in crate::record) fn clear(&self, _locked: &LiveSpans) -> u32 {
        self.0.swap(0, Ordering::Relaxed)
    }
}
