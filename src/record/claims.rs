//! For how many requests the thresholds of callers may let traces stand.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::model::{Threshold, TraceContext};

/// What callers may claim before anything was seen: the first request of a service may be one of a thousand.
const FIRST: u64 = 4096;

/// How much more than was seen may be claimed, because chance does not sample evenly.
const TIMES: u64 = 2;

/// The requests for which sampled traces stand by a caller's threshold.
///
/// A caller that samples one request in a hundred sends the other ninety-nine too, so over time the counts that
/// sampled requests claim add up to what was seen here. More than that is not plausible, and not claimed on.
#[derive(Debug)]
pub(super) struct Claims {
    // Relaxed: a sum of its own; threads that claim at once may exceed the bound by one claim each.
    claimed: AtomicU64,
    /// How much was plausible when that was last asked; it only grows.
    plausible: AtomicU64,
}

impl Default for Claims {
    fn default() -> Self {
        Self { claimed: AtomicU64::new(0), plausible: AtomicU64::new(FIRST) }
    }
}

impl Claims {
    /// The threshold with which a trace is exported and goes on: none where a remote caller claims too much. `seen` sums
    /// what was seen here over all threads, and is asked only when what was plausible so far is claimed.
    pub(super) fn checked(
        &self,
        threshold: Option<Threshold>,
        parent: Option<&TraceContext>,
        seen: impl FnOnce() -> u64,
    ) -> Option<Threshold> {
        let threshold = threshold?;
        let caller = parent.filter(|parent| parent.is_remote && parent.is_sampled());
        let callers = caller.and_then(|caller| caller.trace_state.threshold());
        if callers.is_none_or(|callers| callers == Threshold::ALWAYS) {
            return Some(threshold);
        }
        // A float that is too large becomes the largest number.
        let count = threshold.adjusted_count() as u64;
        let after = self.claimed.load(Ordering::Relaxed).saturating_add(count);
        if after > self.plausible.load(Ordering::Relaxed) {
            let plausible = FIRST.saturating_add(seen().saturating_mul(TIMES));
            self.plausible.fetch_max(plausible, Ordering::Relaxed);
            if after > plausible {
                return None;
            }
        }
        self.claimed.fetch_add(count, Ordering::Relaxed);
        Some(threshold)
    }
}
