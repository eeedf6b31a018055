//! Why other services kept traces, and how many parts of each are still kept for that.

use std::sync::Arc;
use std::time::Duration;

use crate::coherence::MOST_RING_ENTRIES;
use crate::model::TraceId;
use crate::record::recent_ids::RecentIds;
use crate::time::Tick;

/// A trace that another service kept.
#[derive(Debug)]
struct HeardTrace {
    reason: Arc<str>,
    /// How many parts of it may still be kept. A trace of very many parts, of which a few fail, is not kept whole.
    left: usize,
    /// When it was heard of last.
    heard_at: Tick,
}

/// Whether a part of a remembered trace is kept.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum RememberedPart {
    Kept(Arc<str>),
    /// As many parts of its trace were kept as may be.
    OverBudget,
    /// A notice is about to look for the trace in the ring, and finds the part there. Or the id is taken for another.
    FoundInRing,
}

/// Why other services kept the traces that were heard of last.
#[derive(Debug)]
pub(super) struct HeardReasons {
    traces: RecentIds<HeardTrace>,
    /// The last one, which the next one often is as well.
    last: Arc<str>,
    /// How long a trace is not heard of until its parts have a budget again.
    quiet: Duration,
}

impl HeardReasons {
    /// Remembers at least so many, once there were that many; about 40 bytes each.
    pub(super) fn new(capacity: usize, lifetime: Duration) -> Self {
        // A whole trace that goes on failing is announced again as soon as its id is forgotten. Filled by then, its budget
        // would let through 64 parts a minute for a handful that fail.
        let quiet = lifetime.saturating_mul(10);
        Self { traces: RecentIds::new(capacity), last: Arc::default(), quiet }
    }

    /// Remembers why a trace was kept elsewhere.
    pub(super) fn insert(&mut self, id: TraceId, reason: &str, now: Tick) {
        if &*self.last != reason {
            self.last = reason.into();
        }
        let reason = Arc::clone(&self.last);
        let known = self.traces.get(id).filter(|known| now.since(known.heard_at) < self.quiet);
        let left = known.map_or(MOST_RING_ENTRIES, |known| known.left);
        self.traces.insert(id, HeardTrace { reason, left, heard_at: now });
    }

    /// How many parts of a trace may still be kept.
    pub(super) fn left(&self, id: TraceId) -> usize {
        self.traces.get(id).map_or(MOST_RING_ENTRIES, |known| known.left)
    }

    /// So many parts of a trace are kept.
    pub(super) fn spend(&mut self, id: TraceId, parts: usize) {
        if let Some(known) = self.traces.get_mut(id) {
            known.left = known.left.saturating_sub(parts);
        }
    }

    /// A part of a remembered trace is about to be dropped into the ring: whether it is kept.
    pub(super) fn keep(&mut self, id: TraceId) -> RememberedPart {
        match self.traces.get_mut(id) {
            // An id is remembered a moment before its reason.
            None => RememberedPart::FoundInRing,
            Some(known) if known.left == 0 => RememberedPart::OverBudget,
            Some(known) => {
                known.left -= 1;
                RememberedPart::Kept(Arc::clone(&known.reason))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Tick {
        Tick::from_nanos(seconds * 1_000_000_000)
    }

    fn reasons() -> HeardReasons {
        HeardReasons::new(1_000, Duration::from_secs(60))
    }

    #[test]
    fn of_one_trace_so_many_parts_are_kept_whatever_the_number_of_notices() {
        let mut reasons = reasons();
        let id = TraceId::new();
        reasons.insert(id, "Errors of bank", at(0));
        assert_eq!(reasons.left(id), MOST_RING_ENTRIES);
        reasons.spend(id, MOST_RING_ENTRIES - 2);
        reasons.insert(id, "Errors of shop", at(30));
        for left in [2, 1] {
            assert_eq!(reasons.left(id), left);
            assert_eq!(reasons.keep(id), RememberedPart::Kept("Errors of shop".into()));
        }
        assert_eq!(reasons.keep(id), RememberedPart::OverBudget);
        reasons.insert(id, "Errors of bank", at(59));
        assert_eq!(reasons.left(id), 0);
    }

    #[test]
    fn a_trace_that_is_heard_of_again_after_a_quiet_time_has_its_budget_again() {
        let mut reasons = reasons();
        let id = TraceId::new();
        reasons.insert(id, "Errors of bank", at(0));
        reasons.spend(id, MOST_RING_ENTRIES);
        for seconds in [61, 122, 700] {
            reasons.insert(id, "Errors of bank", at(seconds));
            assert_eq!(reasons.left(id), 0);
        }
        reasons.insert(id, "Errors of bank", at(1_300));
        assert_eq!(reasons.left(id), MOST_RING_ENTRIES);
    }

    #[test]
    fn an_id_that_is_only_taken_for_another_keeps_nothing() {
        let mut reasons = reasons();
        let id = TraceId::new();
        for _ in 0..2 * MOST_RING_ENTRIES {
            assert_eq!(reasons.keep(id), RememberedPart::FoundInRing);
        }
    }
}
