//! Why other services kept traces, and how many parts of each are still kept for that.

use std::collections::HashMap;
use std::mem;
use std::sync::Arc;

use foldhash::fast::RandomState;

use crate::coherence::MOST_RING_ENTRIES;
use crate::model::TraceId;

/// How many reasons are remembered at least; twice as many are at most, about 40 bytes each.
const REASONS: usize = 65_536;

/// A trace that another service kept.
#[derive(Debug)]
struct HeardTrace {
    /// `None` until it is known: the id is remembered a moment before its reason.
    reason: Option<Arc<str>>,
    /// How many parts of it may still be kept. A trace of very many parts, of which a few fail, is not kept whole.
    left: usize,
}

/// Whether a part of a remembered trace is kept.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum RememberedPart {
    /// It is kept, for this reason where that is known already.
    Kept(Option<Arc<str>>),
    /// As many parts of its trace were kept as may be.
    OverBudget,
}

/// Why other services kept the traces that were heard of last, in two halves: the older one is forgotten when the
/// younger is full.
#[derive(Debug, Default)]
pub(super) struct HeardReasons {
    young: HashMap<TraceId, HeardTrace, RandomState>,
    old: HashMap<TraceId, HeardTrace, RandomState>,
    /// The last one, which the next one often is as well.
    last: Arc<str>,
}

impl HeardReasons {
    /// Remembers why a trace was kept elsewhere; how many parts of it may still be kept.
    pub(super) fn insert(&mut self, id: TraceId, reason: &str) -> usize {
        if &*self.last != reason {
            self.last = reason.into();
        }
        let left = self.find(id).map_or(MOST_RING_ENTRIES, |known| known.left);
        let reason = Some(Arc::clone(&self.last));
        self.remember(id, HeardTrace { reason, left });
        left
    }

    fn remember(&mut self, id: TraceId, heard: HeardTrace) {
        self.young.insert(id, heard);
        if self.young.len() >= REASONS {
            mem::swap(&mut self.young, &mut self.old);
            self.young.clear();
        }
    }

    /// So many parts of a trace were kept.
    pub(super) fn spend(&mut self, id: TraceId, parts: usize) {
        if let Some(known) = self.find(id) {
            known.left = known.left.saturating_sub(parts);
        }
    }

    /// A part of a remembered trace is about to be dropped: whether it is kept.
    pub(super) fn keep(&mut self, id: TraceId) -> RememberedPart {
        match self.find(id) {
            // Its reason comes in a moment, or was forgotten, or the id is taken for another: it has no more parts then.
            None => {
                self.remember(id, HeardTrace { reason: None, left: MOST_RING_ENTRIES - 1 });
                RememberedPart::Kept(None)
            }
            Some(known) if known.left == 0 => RememberedPart::OverBudget,
            Some(known) => {
                known.left -= 1;
                RememberedPart::Kept(known.reason.clone())
            }
        }
    }

    fn find(&mut self, id: TraceId) -> Option<&mut HeardTrace> {
        self.young.get_mut(&id).or_else(|| self.old.get_mut(&id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_one_trace_so_many_parts_are_kept_whatever_the_number_of_notices() {
        let mut reasons = HeardReasons::default();
        let id = TraceId::new();
        assert_eq!(reasons.keep(id), RememberedPart::Kept(None));
        assert_eq!(reasons.insert(id, "Errors of bank"), MOST_RING_ENTRIES - 1);
        reasons.spend(id, MOST_RING_ENTRIES - 2);
        assert_eq!(reasons.insert(id, "Errors of shop"), 1);
        assert_eq!(reasons.keep(id), RememberedPart::Kept(Some("Errors of shop".into())));
        assert_eq!(reasons.keep(id), RememberedPart::OverBudget);
        assert_eq!(reasons.insert(id, "Errors of bank"), 0);
    }

    #[test]
    fn of_a_trace_without_a_known_reason_no_more_parts_are_kept() {
        let mut reasons = HeardReasons::default();
        let id = TraceId::new();
        for _ in 0..MOST_RING_ENTRIES {
            assert_eq!(reasons.keep(id), RememberedPart::Kept(None));
        }
        assert_eq!(reasons.keep(id), RememberedPart::OverBudget);
    }
}
