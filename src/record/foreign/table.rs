//! The local traces of one shard by trace id.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;

use super::open_spans::OpenForeignSpans;
use crate::model::{SpanId, TraceId};
use crate::record::local::LocalTrace;

/// Foreign traces by trace id. Spans of one trace start and end after each other more often than not, so
/// the trace that was asked for last is looked at before anything is hashed.
pub(super) struct ForeignTable<O> {
    // Trace ids come from other services, so the hash has a seed of its own.
    places: HashMap<TraceId, usize, RandomState>,
    traces: Vec<ForeignTrace<O>>,
    last: usize,
    /// The list of a trace that was forgotten, for the next.
    spare: OpenForeignSpans,
}

/// A local trace and the spans of another tracer that are open in it.
pub(super) struct ForeignTrace<O> {
    id: TraceId,
    pub(super) trace: Arc<LocalTrace<O>>,
    pub(super) open: OpenForeignSpans,
    pub(super) open_roots: u32,
}

impl<O> Default for ForeignTable<O> {
    fn default() -> Self {
        Self {
            places: HashMap::default(),
            traces: Vec::new(),
            last: 0,
            spare: OpenForeignSpans::default(),
        }
    }
}

impl<O> ForeignTable<O> {
    #[inline(always)]
    pub(super) fn get_mut(&mut self, id: TraceId) -> Option<&mut ForeignTrace<O>> {
        if self.traces.get(self.last).is_none_or(|foreign| foreign.id != id) {
            self.last = self.place_of(id)?;
        }
        self.traces.get_mut(self.last)
    }

    #[inline(never)]
    fn place_of(&self, id: TraceId) -> Option<usize> {
        self.places.get(&id).copied()
    }

    /// Enters a trace, with its root if that is open. The trace that had this id before is given back.
    pub(super) fn insert(
        &mut self,
        id: TraceId,
        trace: Arc<LocalTrace<O>>,
        root: Option<SpanId>,
    ) -> Option<Arc<LocalTrace<O>>> {
        let open = std::mem::take(&mut self.spare);
        let mut foreign = ForeignTrace { id, trace, open, open_roots: 0 };
        if let Some(root) = root {
            foreign.insert_open(root, true);
        }
        self.last = *self.places.entry(id).or_insert(self.traces.len());
        match self.traces.get_mut(self.last) {
            Some(old) => Some(std::mem::replace(old, foreign).trace),
            None => {
                self.traces.push(foreign);
                None
            }
        }
    }

    pub(super) fn remove(&mut self, id: TraceId) -> Option<Arc<LocalTrace<O>>> {
        let place = self.places.remove(&id)?;
        let mut removed = self.traces.swap_remove(place);
        if removed.open.is_small() {
            removed.open.clear();
            self.spare = removed.open;
        }
        if let Some(moved) = self.traces.get(place) {
            self.places.insert(moved.id, place);
        }
        debug_assert_eq!(self.places.len(), self.traces.len(), "each trace has one place");
        Some(removed.trace)
    }

    pub(super) fn len(&self) -> usize {
        self.traces.len()
    }
}

impl<O> ForeignTrace<O> {
    pub(super) fn insert_open(&mut self, id: SpanId, is_root: bool) {
        self.open.push(id, is_root);
        self.open_roots += u32::from(is_root);
    }
}
