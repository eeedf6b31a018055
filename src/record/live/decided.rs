//! How traces that have gone were decided, for a while.

use crate::model::TraceId;
use crate::record::recent_ids::RecentIds;

/// How many ids are remembered at least, once there were that many; twice as many are at most.
const REMEMBERED: usize = 2_048;

/// A decision that leaves nothing behind in which it could be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DecidedAs {
    Kept = 1,
    DroppedOnPurpose = 2,
}

/// The decisions about the local traces of one id: they may differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::record) struct Decisions(u8);

impl Decisions {
    pub(super) fn add(&mut self, more: Self) {
        self.0 |= more.0;
    }

    /// Whether one was kept.
    pub(in crate::record) const fn has_kept(self) -> bool {
        self.0 & DecidedAs::Kept as u8 != 0
    }

    /// Whether a policy dropped one on purpose.
    pub(in crate::record) const fn has_dropped_on_purpose(self) -> bool {
        self.0 & DecidedAs::DroppedOnPurpose as u8 != 0
    }
}

/// The ids of one stripe that were decided last.
#[derive(Debug)]
pub(super) struct DecidedIds(RecentIds<Decisions>);

impl Default for DecidedIds {
    fn default() -> Self {
        Self(RecentIds::new(REMEMBERED))
    }
}

impl DecidedIds {
    pub(super) fn insert(&mut self, id: TraceId, decided: DecidedAs) {
        let mut decisions = self.find(id);
        decisions.add(Decisions(decided as u8));
        self.0.insert(id, decisions);
    }

    pub(super) fn find(&self, id: TraceId) -> Decisions {
        self.0.get(id).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_ids_are_remembered_with_every_decision_and_older_ones_are_forgotten() {
        let mut decided = DecidedIds::default();
        let ids: Vec<TraceId> = (0..3 * REMEMBERED).map(|_| TraceId::new()).collect();
        for id in &ids {
            decided.insert(*id, DecidedAs::Kept);
        }
        let (forgotten, last) = ids.split_at(2 * REMEMBERED);
        assert!(last.iter().all(|id| decided.find(*id).has_kept()));
        assert!(!decided.find(forgotten[0]).has_kept());
        decided.insert(last[0], DecidedAs::DroppedOnPurpose);
        let both = decided.find(last[0]);
        assert!(both.has_kept() && both.has_dropped_on_purpose());
    }
}
