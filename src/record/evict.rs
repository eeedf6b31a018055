//! What goes when there is too much.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::local::{LocalTrace, Phase};
use super::recorder::Recorder;
use crate::kit::guarded::lock;
use crate::ledger::Reason;
use crate::model::Randomness;

/// How many traces are compared to find one that is worth little.
const LOOKS: usize = 32;

/// How many traces one call may put out, so that no caller pays for everybody.
const MOST_AT_ONCE: usize = 8;

/// What a trace is worth at a limit; the least goes first.
///
/// An error or somebody's wish to keep it comes first. Then randomness decides as it does for every
/// probabilistic policy in every service: what is left is what the others are likely to keep as well.
pub(super) type Worth = (bool, Randomness);

impl Recorder {
    /// Makes room for a new trace, unless that is worth less than what would have to go; `more` is how
    /// many traces it will be more than now.
    #[inline]
    pub(super) fn make_room(&self, new: Worth, more: usize) -> Result<(), Reason> {
        match self.surplus(more) {
            None => Ok(()),
            Some(reason) => self.compare(new, reason),
        }
    }

    #[cold]
    fn compare(&self, new: Worth, reason: Reason) -> Result<(), Reason> {
        match self.least_valuable() {
            Some(trace) if trace.worth() < new => {
                // One that is being decided is about to leave by itself, but is not gone yet.
                if self.evict(&trace, reason) { Ok(()) } else { Err(reason) }
            }
            _ => Err(reason),
        }
    }

    /// Puts the least valuable traces out until the limits hold.
    pub(super) fn evict_surplus(&self) {
        for _ in 0..MOST_AT_ONCE {
            let Some(reason) = self.surplus(0) else { return };
            let Some(trace) = self.least_valuable() else { return };
            self.evict(&trace, reason);
        }
    }

    /// Whether there is more than the limits allow.
    pub(crate) fn is_crowded(&self) -> bool {
        self.surplus(0).is_some()
    }

    /// Which limit does not allow this many traces more.
    fn surplus(&self, more: usize) -> Option<Reason> {
        if self.live_traces.load(Ordering::Relaxed) + more > self.limits.live_traces {
            Some(Reason::LiveTraces)
        } else if self.live_bytes.load(Ordering::Relaxed) > self.limits.live_bytes {
            Some(Reason::LiveBytes)
        } else {
            None
        }
    }

    /// Puts a trace out, unless it is being decided or has gone meanwhile.
    fn evict(&self, trace: &Arc<LocalTrace>, reason: Reason) -> bool {
        let live = trace.live();
        let is_there = !matches!(live.phase, Phase::Deciding) && trace.spans(&live) > 0;
        if is_there {
            self.drop_trace(trace, live, reason);
        }
        is_there
    }

    fn least_valuable(&self) -> Option<Arc<LocalTrace>> {
        let random = self.random.next_u64();
        let from = usize::try_from(random >> 56).unwrap_or(0) % self.shards.len();
        let mut shards = self.shards.iter().cycle().skip(from).take(self.shards.len());
        shards.find_map(|shard| lock(shard).least_valuable(LOOKS, random))
    }
}
