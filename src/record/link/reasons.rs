//! Why other services kept traces.

use std::collections::HashMap;
use std::mem;
use std::sync::Arc;

use foldhash::fast::RandomState;

use crate::model::TraceId;

/// How many reasons are remembered at least; twice as many are at most, about 40 bytes each.
const REASONS: usize = 65_536;

/// Why other services kept the traces that were heard of last, in two halves: the older one is forgotten when the
/// younger is full.
#[derive(Debug, Default)]
pub(super) struct HeardReasons {
    young: HashMap<TraceId, Arc<str>, RandomState>,
    old: HashMap<TraceId, Arc<str>, RandomState>,
    /// The last one, which the next one often is as well.
    last: Arc<str>,
}

impl HeardReasons {
    pub(super) fn insert(&mut self, id: TraceId, reason: &str) {
        if &*self.last != reason {
            self.last = reason.into();
        }
        self.young.insert(id, Arc::clone(&self.last));
        if self.young.len() >= REASONS {
            mem::swap(&mut self.young, &mut self.old);
            self.young.clear();
        }
    }

    pub(super) fn find(&self, id: TraceId) -> Option<Arc<str>> {
        self.young.get(&id).or_else(|| self.old.get(&id)).cloned()
    }
}
