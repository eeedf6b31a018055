//! The open spans of a layer, by the ids of the registry.

use std::collections::HashMap;
use std::sync::Mutex;

use tracing::Metadata;

use super::deferred_decision::DeferredDecision;
use super::fields::ValueLimit;
use super::open_span::OpenSpan;
use crate::kit::unwind_safe::lock;

/// How many shards a table has. Threads whose numbers are equal modulo this share one.
const SHARDS: usize = 64;

/// How many of an id's lower bits number the spans of one thread in `tracing_subscriber::Registry`, from
/// zero; the bits above number the threads.
const NUMBER_BITS: u32 = 38;

/// How far beyond twice a shard's length the number of a new span may lie. The numbers of a registry
/// grow one by one, so that one further away is of another scheme.
const MAX_NUMBER_GAP: usize = 1024;

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
struct TableShard(Mutex<ShardSpans>);

#[derive(Debug, Default)]
struct ShardSpans {
    /// By number.
    slots: Vec<Slot>,
    /// The spans that have no slot.
    overflow: HashMap<u64, OpenSpan>,
}

#[derive(Debug, Default)]
struct Slot {
    /// Zero, which no span has, when the slot is free.
    id: u64,
    span: Option<OpenSpan>,
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

/// The index of the shard with the spans of a thread.
#[inline(always)]
fn shard_index(id: u64) -> usize {
    (id >> NUMBER_BITS) as usize % SHARDS
}

/// The number of a span on its thread, which is the index of its slot.
#[inline]
fn slot_index(id: u64) -> usize {
    // Ids are not zero, so the registry adds one.
    (id.wrapping_sub(1) & ((1 << NUMBER_BITS) - 1)) as usize
}

impl ShardSpans {
    #[inline(always)]
    fn find(&mut self, id: u64) -> Option<&mut OpenSpan> {
        match self.slots.get_mut(slot_index(id)) {
            Some(slot) if slot.id == id => slot.span.as_mut(),
            _ => find_in_overflow(&mut self.overflow, id),
        }
    }

    #[inline]
    fn insert(&mut self, id: u64, span: OpenSpan) -> Option<OpenSpan> {
        match self.slots.get_mut(slot_index(id)) {
            Some(slot) if slot.id == 0 || slot.id == id => {
                slot.id = id;
                slot.span.replace(span)
            }
            _ => self.insert_without_slot(id, span),
        }
    }

    #[cold]
    fn insert_without_slot(&mut self, id: u64, span: OpenSpan) -> Option<OpenSpan> {
        let index = slot_index(id);
        let len = self.slots.len();
        if index < len || index > len * 2 + MAX_NUMBER_GAP {
            return self.overflow.insert(id, span);
        }
        self.slots.resize_with((index + 1).next_power_of_two().max(64), Slot::default);
        if let Some(slot) = self.slots.get_mut(index) {
            *slot = Slot { id, span: Some(span) };
        }
        None
    }

    /// Starts a child whose parent has a slot, in a slot that is free; `None` in other cases.
    #[inline(always)]
    fn start_child(
        &mut self,
        parent: u64,
        id: u64,
        metadata: &'static Metadata<'static>,
    ) -> Option<StartedChild> {
        // Looked at first: a child that has started has to stand somewhere.
        if self.slots.get(slot_index(id))?.id != 0 {
            return None;
        }
        let slot = self.slots.get_mut(slot_index(parent))?;
        if slot.id != parent {
            return None;
        }
        let child = slot.span.as_mut()?.start_child(metadata)?;
        let limit = child.value_limit();
        *self.slots.get_mut(slot_index(id))? = Slot { id, span: Some(child) };
        Some(StartedChild { limit })
    }

    #[inline(always)]
    fn close(&mut self, id: u64, decision: &mut Option<DeferredDecision>) {
        match self.slots.get_mut(slot_index(id)) {
            Some(slot) if slot.id == id => {
                slot.id = 0;
                // Closed where it stands: moving a span out costs more than the rest of this function.
                if let Some(span) = &mut slot.span {
                    span.close(decision);
                }
                slot.span = None;
            }
            _ => self.close_in_overflow(id, decision),
        }
    }

    #[cold]
    fn close_in_overflow(&mut self, id: u64, decision: &mut Option<DeferredDecision>) {
        if let Some(mut span) = self.overflow.remove(&id) {
            span.close(decision);
        }
    }
}

#[cold]
fn find_in_overflow(overflow: &mut HashMap<u64, OpenSpan>, id: u64) -> Option<&mut OpenSpan> {
    overflow.get_mut(&id)
}

impl SpanTable {
    #[inline]
    fn shard(&self, id: u64) -> &Mutex<ShardSpans> {
        &self.0[shard_index(id)].0
    }

    /// Inserts a span, and returns the one that had its id, whose closing the layer was not told.
    #[inline]
    pub(super) fn insert(&self, id: u64, span: OpenSpan) -> Option<OpenSpan> {
        lock(self.shard(id)).insert(id, span)
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
        if shard_index(id) != shard_index(parent) {
            return None;
        }
        lock(self.shard(id)).start_child(parent, id, metadata)
    }

    /// Ends a span and forgets it. A decision that its end calls for goes to `decision`.
    #[inline(always)]
    pub(super) fn close(&self, id: u64, decision: &mut Option<DeferredDecision>) {
        lock(self.shard(id)).close(id, decision);
    }

    /// Runs `work`, which must run no user code, on a span; `None` when the span is not open.
    #[inline]
    pub(super) fn with<R>(&self, id: u64, work: impl FnOnce(&mut OpenSpan) -> R) -> Option<R> {
        lock(self.shard(id)).find(id).map(work)
    }

    /// Removes all spans.
    pub(super) fn drain(&self) -> Vec<OpenSpan> {
        let all = self.0.iter().map(|shard| std::mem::take(&mut *lock(&shard.0)));
        all.flat_map(|spans| {
            let slots = spans.slots.into_iter().filter_map(|slot| slot.span);
            slots.chain(spans.overflow.into_values())
        })
        .collect()
    }

    /// The ids of all spans that are wanted. Costs a look at every slot.
    pub(super) fn ids_of(&self, is_wanted: impl Fn(&OpenSpan) -> bool) -> Vec<u64> {
        let mut ids = Vec::new();
        for shard in self.0.iter() {
            let spans = lock(&shard.0);
            let slots = spans.slots.iter().filter_map(|slot| Some((&slot.id, slot.span.as_ref()?)));
            let found = slots.chain(&spans.overflow).filter(|(_, span)| is_wanted(span));
            ids.extend(found.map(|(id, _)| *id));
        }
        ids
    }

    /// Whether the span is open.
    pub(super) fn contains(&self, id: u64) -> bool {
        self.with(id, |_| ()).is_some()
    }
}
