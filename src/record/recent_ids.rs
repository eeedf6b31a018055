//! What is known of the trace ids that were met last.

use std::collections::HashMap;
use std::mem;

use foldhash::fast::RandomState;

use crate::model::TraceId;

/// Values of the last ids, in two halves: the older one is forgotten when the younger is full.
#[derive(Debug)]
pub(super) struct RecentIds<V> {
    // Trace ids come from other services, so the hash has a seed of its own.
    young: HashMap<TraceId, V, RandomState>,
    old: HashMap<TraceId, V, RandomState>,
    /// How many are remembered at least, once there were that many; twice as many are at most.
    capacity: usize,
}

impl<V> RecentIds<V> {
    pub(super) fn new(capacity: usize) -> Self {
        Self { young: HashMap::default(), old: HashMap::default(), capacity }
    }

    /// Gives an id this value, and makes it the last one.
    pub(super) fn insert(&mut self, id: TraceId, value: V) {
        self.young.insert(id, value);
        if self.young.len() >= self.capacity {
            mem::swap(&mut self.young, &mut self.old);
            self.young.clear();
        }
    }

    pub(super) fn get(&self, id: TraceId) -> Option<&V> {
        self.young.get(&id).or_else(|| self.old.get(&id))
    }

    pub(super) fn get_mut(&mut self, id: TraceId) -> Option<&mut V> {
        self.young.get_mut(&id).or_else(|| self.old.get_mut(&id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_ids_are_known_and_at_most_twice_as_many() {
        let mut recent = RecentIds::new(100);
        let ids: Vec<TraceId> = (0..1_000).map(|_| TraceId::new()).collect();
        for (at, id) in ids.iter().enumerate() {
            recent.insert(*id, at);
            assert!(recent.young.len() + recent.old.len() <= 200);
        }
        let (earlier, last) = ids.split_at(900);
        assert!(last.iter().all(|id| recent.get(*id).is_some()));
        assert!(recent.get(earlier[0]).is_none());
    }
}
