//! The local traces of one shard by trace id.

use std::hash::BuildHasher;
use std::sync::Arc;

use foldhash::fast::RandomState;

use super::open_spans::{OpenForeignSpans, OpenList};
use super::place_index::PlaceIndex;
use crate::model::{SpanId, TraceId};
use crate::record::local::LocalTrace;

/// Room for this many traces is kept whether or not it is used.
const MOST_KEPT: usize = 1024;

/// Foreign traces by trace id. Spans of one trace start and end after each other more often than not, so
/// the trace that was asked for last is looked at before anything is hashed.
pub(super) struct ForeignTable<O> {
    places: PlaceIndex,
    // Trace ids come from other services, so the hash has a seed of its own.
    hasher: RandomState,
    traces: Vec<ForeignTrace<O>>,
    last: usize,
    /// The list of a trace that needs it no more, for the next.
    spare: Option<Box<OpenList>>,
}

/// A local trace and the spans of another tracer that are open in it.
pub(super) struct ForeignTrace<O> {
    pub(super) trace: Arc<LocalTrace<O>>,
    open: OpenForeignSpans,
}

/// The trace that was asked for.
pub(super) struct Found<'a, O> {
    pub(super) trace: &'a Arc<LocalTrace<O>>,
    open: &'a mut OpenForeignSpans,
    spare: &'a mut Option<Box<OpenList>>,
}

impl<O> Default for ForeignTable<O> {
    fn default() -> Self {
        Self {
            places: PlaceIndex::default(),
            hasher: RandomState::default(),
            traces: Vec::new(),
            last: 0,
            spare: None,
        }
    }
}

impl<O> ForeignTable<O> {
    #[inline(always)]
    pub(super) fn find(&mut self, id: TraceId) -> Option<Found<'_, O>> {
        if self.traces.get(self.last).is_none_or(|foreign| foreign.trace.trace_id() != id) {
            self.last = self.place_of(id)?;
        }
        let ForeignTrace { trace, open } = self.traces.get_mut(self.last)?;
        Some(Found { trace, open, spare: &mut self.spare })
    }

    #[inline(never)]
    fn place_of(&self, id: TraceId) -> Option<usize> {
        let is_it = |place| {
            let foreign: Option<&ForeignTrace<O>> = self.traces.get(place);
            foreign.is_some_and(|foreign| foreign.trace.trace_id() == id)
        };
        self.places.find(self.hasher.hash_one(id), is_it)
    }

    /// Enters a trace, with its root if that is open. The trace that had this id before is given back.
    pub(super) fn insert(
        &mut self,
        trace: Arc<LocalTrace<O>>,
        root: Option<SpanId>,
    ) -> Option<Arc<LocalTrace<O>>> {
        let id = trace.trace_id();
        let mut open = OpenForeignSpans::default();
        if let Some(root) = root {
            open.push(root, true, &mut self.spare);
        }
        let foreign = ForeignTrace { trace, open };
        if let Some(found) = self.place_of(id) {
            self.last = found;
            return self.traces.get_mut(found).map(|old| std::mem::replace(old, foreign).trace);
        }
        self.last = self.traces.len();
        self.places.insert(self.hasher.hash_one(id), self.last);
        self.traces.push(foreign);
        None
    }

    /// Takes out a trace in which no span is open.
    pub(super) fn remove_idle(&mut self, id: TraceId) -> Option<Arc<LocalTrace<O>>> {
        let place = self.place_of(id)?;
        if !self.traces.get(place)?.open.is_empty() {
            return None;
        }
        self.places.remove(self.hasher.hash_one(id), place);
        let removed = self.traces.swap_remove(place);
        if let Some(moved) = self.traces.get(place) {
            let hash = self.hasher.hash_one(moved.trace.trace_id());
            self.places.moved(hash, self.traces.len(), place);
        }
        // After a burst the memory goes back.
        if self.traces.capacity() > MOST_KEPT && self.traces.len() * 8 < self.traces.capacity() {
            self.traces.shrink_to(self.traces.len() * 2);
        }
        Some(removed.trace)
    }

    pub(super) fn len(&self) -> usize {
        self.traces.len()
    }
}

impl<O> Found<'_, O> {
    #[inline]
    pub(super) fn insert_open(&mut self, id: SpanId, is_root: bool) {
        self.open.push(id, is_root, self.spare);
    }

    /// Takes a span out of the open ones: whether it is a local root; `None` when it was not among them.
    #[inline]
    pub(super) fn remove_open(&mut self, id: SpanId) -> Option<bool> {
        self.open.remove(id)
    }

    #[inline]
    pub(super) fn has_open(&self) -> bool {
        !self.open.is_empty()
    }

    #[inline]
    pub(super) fn has_open_root(&self) -> bool {
        self.open.has_root()
    }

    /// Forgets the spans that are open. Where there are none, their list serves the next trace.
    #[inline]
    pub(super) fn clear_open(&mut self) {
        if let Some(list) = self.open.clear() {
            *self.spare = Some(list);
        }
    }
}
