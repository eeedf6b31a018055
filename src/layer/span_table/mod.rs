//! The open spans of a layer, by the ids of the registry, and those of a subscriber, by ids of its own.

mod handles;
mod numbers;
mod own_spans;
mod pieces;
mod place;
mod slot;
mod slots;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use tracing::Metadata;

use self::handles::SpilledHandles;
use self::numbers::Numbers;
pub(super) use self::place::is_own;
use self::place::{Place, SHARDS};
use self::slot::SlotEnd;
use self::slots::Slots;
use super::deferred_decision::DeferredDecision;
use super::fields::ValueLimit;
use super::open_span::OpenSpan;
use crate::kit::fork::ForkLock;

/// The open spans of one layer.
///
/// The table stands beside the registry's extensions: finding a span in it costs a fraction, inserting
/// one does not allocate, and the layer holds no lock of the registry while it works. The table's locks
/// guard plain data: no user code runs under them.
///
/// The table knows how the registry numbers its spans, and uses that for speed alone: spans whose ids do
/// not fit the scheme, or meet the slot of another span, go into a map.
#[derive(Debug)]
pub(super) struct SpanTable(Box<[TableShard; SHARDS]>);

/// The spans of one thread, or of a few; alone on its cache lines.
#[derive(Debug, Default)]
#[repr(align(128))]
struct TableShard(ForkLock<ShardSpans>);

#[derive(Debug, Default)]
struct ShardSpans {
    slots: Slots,
    /// The spans that have no slot. A tree grows and shrinks in small steps.
    overflow: BTreeMap<u64, OpenSpan>,
    /// The numbers of the slots where the ids are our own.
    numbers: Numbers,
    spilled: SpilledHandles,
}

/// What a table says of a child that it has started.
#[derive(Clone, Copy, Debug)]
pub(super) struct StartedChild {
    /// How much of its values is kept; `None` when nothing is.
    pub(super) limit: Option<ValueLimit>,
}

impl Default for SpanTable {
    fn default() -> Self {
        Self(Box::new(std::array::from_fn(|_| TableShard::default())))
    }
}

impl ShardSpans {
    #[inline(always)]
    fn find(&mut self, place: Place) -> Option<&mut OpenSpan> {
        match self.slots.get_mut(place.number()) {
            Some(span) if span.id_rest() == place.rest() => Some(span),
            _ => find_in_overflow(&mut self.overflow, place.id()),
        }
    }

    #[inline]
    fn insert(&mut self, place: Place, mut span: OpenSpan) -> Option<OpenSpan> {
        span.set_id_rest(place.rest());
        match self.slots.put(place.number(), span) {
            Ok(()) if self.overflow.is_empty() => None,
            // It may have stood there when it was opened before.
            Ok(()) => self.overflow.remove(&place.id()),
            Err(span) => self.insert_without_slot(place, span),
        }
    }

    #[cold]
    fn insert_without_slot(&mut self, place: Place, span: OpenSpan) -> Option<OpenSpan> {
        match self.slots.get_mut(place.number()) {
            Some(old) if old.id_rest() == place.rest() => Some(std::mem::replace(old, span)),
            _ => self.overflow.insert(place.id(), span),
        }
    }

    /// Starts a child whose parent has a slot, in a slot that is free; `None` in other cases.
    #[inline(always)]
    fn start_child(
        &mut self,
        parent: Place,
        place: Place,
        metadata: &'static Metadata<'static>,
    ) -> Option<StartedChild> {
        if !self.overflow.is_empty() && self.overflow.contains_key(&place.id()) {
            return None;
        }
        let limit = self.slots.start_child(parent, place, metadata)?;
        Some(StartedChild { limit })
    }

    #[inline(always)]
    fn close(&mut self, place: Place, decision: &mut Option<DeferredDecision>) {
        if self.slots.end(place, decision) == SlotEnd::NotThere {
            self.close_in_overflow(place.id(), decision);
        }
    }

    #[cold]
    fn close_in_overflow(
        &mut self,
        id: u64,
        decision: &mut Option<DeferredDecision>,
    ) -> Option<SlotEnd> {
        if !self.overflow.get(&id)?.has_one_handle() {
            return Some(SlotEnd::HasHandles);
        }
        self.overflow.remove(&id)?.close(decision);
        Some(SlotEnd::Ended)
    }

    /// All spans with their ids.
    fn iter(&self) -> impl Iterator<Item = (u64, &OpenSpan)> {
        let in_slots = self.slots.iter();
        let in_slots =
            in_slots.map(|(number, span)| (Place::at(number, span.id_rest()).id(), span));
        in_slots.chain(self.overflow.iter().map(|(id, span)| (*id, span)))
    }
}

#[cold]
fn find_in_overflow(overflow: &mut BTreeMap<u64, OpenSpan>, id: u64) -> Option<&mut OpenSpan> {
    overflow.get_mut(&id)
}

impl SpanTable {
    #[inline]
    fn shard(&self, place: Place) -> &ForkLock<ShardSpans> {
        &self.0[place.shard()].0
    }

    /// Inserts a span, and returns the one that had its id, whose closing the layer was not told.
    #[inline]
    pub(super) fn insert(&self, id: u64, span: OpenSpan) -> Option<OpenSpan> {
        let place = Place::of(id);
        self.shard(place).lock().insert(place, span)
    }

    /// Starts and inserts a child of an open span, in the usual case: both stand in one shard, the parent
    /// has been settled, and the child's slot is free. `None` in other cases.
    #[inline(always)]
    pub(super) fn start_child(
        &self,
        parent: u64,
        id: u64,
        metadata: &'static Metadata<'static>,
    ) -> Option<StartedChild> {
        let parent = Place::of(parent);
        let place = Place::of(id);
        if parent.shard() != place.shard() {
            return None;
        }
        self.shard(place).lock().start_child(parent, place, metadata)
    }

    /// Ends a span and forgets it. A decision that its end calls for goes to `decision`.
    #[inline(always)]
    pub(super) fn close(&self, id: u64, decision: &mut Option<DeferredDecision>) {
        let place = Place::of(id);
        self.shard(place).lock().close(place, decision);
    }

    /// Runs `work`, which must run no user code, on a span; `None` when the span is not open.
    #[inline]
    pub(super) fn with<R>(&self, id: u64, work: impl FnOnce(&mut OpenSpan) -> R) -> Option<R> {
        let place = Place::of(id);
        self.shard(place).lock().find(place).map(work)
    }

    /// Removes all spans.
    pub(super) fn drain(&self) -> Vec<OpenSpan> {
        let all = self.0.iter().map(|shard| std::mem::take(&mut *shard.0.lock()));
        all.flat_map(|ShardSpans { slots, overflow, .. }| {
            slots.into_spans().chain(overflow.into_values())
        })
        .collect()
    }

    /// The ids of all spans that are wanted. Costs a look at every slot.
    pub(super) fn ids_of(&self, is_wanted: impl Fn(&OpenSpan) -> bool) -> Vec<u64> {
        let mut ids = Vec::new();
        for shard in self.0.iter() {
            let spans = shard.0.lock();
            ids.extend(spans.iter().filter(|(_, span)| is_wanted(span)).map(|(id, _)| id));
        }
        ids
    }

    /// Whether the span is open.
    pub(super) fn contains(&self, id: u64) -> bool {
        self.with(id, |_| ()).is_some()
    }
}
