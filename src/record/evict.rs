//! What goes when there is too much.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::local::{LocalTrace, Phase};
use super::recorder::Recorder;
use crate::kit::guarded::lock;
use crate::ledger::Reason;

/// How many traces are compared to find one that is worth little.
const LOOKS: usize = 32;

/// How many traces one call may put out, so that no caller pays for everybody.
const MOST_AT_ONCE: usize = 8;

impl Recorder {
    /// Puts the least valuable traces out until the limits hold.
    #[cold]
    pub(super) fn relieve(&self) {
        for _ in 0..MOST_AT_ONCE {
            let reason = if self.live_traces.load(Ordering::Relaxed) > self.limits.live_traces {
                Reason::LiveTraces
            } else if self.live_bytes.load(Ordering::Relaxed) > self.limits.live_bytes {
                Reason::LiveBytes
            } else {
                return;
            };
            let Some(trace) = self.least_valuable() else {
                return;
            };
            let live = trace.live();
            // One that is being decided leaves by itself.
            if !matches!(live.phase, Phase::Deciding) {
                self.abandon(&trace, live, reason);
            }
        }
    }

    fn least_valuable(&self) -> Option<Arc<LocalTrace>> {
        let random = self.random.next_u64();
        let from = usize::try_from(random >> 56).unwrap_or(0);
        let (after, before) =
            (self.shards.iter().skip(from % self.shards.len()), self.shards.iter());
        after
            .chain(before)
            .take(self.shards.len() * 2)
            .find_map(|shard| lock(shard).least_valuable(LOOKS, random))
    }
}
