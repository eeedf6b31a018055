//! The local traces of spans that another tracer makes, found by the id of their trace.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex};

use foldhash::fast::RandomState;

use super::local::LocalTrace;
use super::open_foreign_spans::OpenForeignSpans;
use super::recorder::Recorder;
use crate::kit::guarded::lock;
use crate::model::{SpanId, Threshold, TraceId};

/// How many decided traces one shard remembers, so that late spans follow the decision.
const REMEMBERED: usize = 256;

/// How many decisions of the head one shard remembers until the span they are about starts.
const NOTES: usize = 64;

/// Spans that are open, by trace. Locks are held for some instructions, and none of them with another.
pub(super) struct ForeignTraces(Box<[Mutex<ForeignShard>]>);

#[derive(Default)]
struct ForeignShard {
    groups: ForeignTable,
    /// Those that had no open span at some moment, the oldest first.
    idle: VecDeque<TraceId>,
    /// What the head sampled, with the threshold, the newest last.
    notes: VecDeque<(TraceId, Option<Threshold>)>,
}

/// ForeignTraces by trace id. Spans of one trace start and end after each other more often than not, so the group
/// that was asked for last is looked at before anything is hashed.
#[derive(Default)]
struct ForeignTable {
    // Trace ids come from strangers, so the hash has a seed of its own.
    places: HashMap<TraceId, usize, RandomState>,
    groups: Vec<ForeignTrace>,
    last: usize,
    /// The list of a group that was forgotten, for the next.
    spare: OpenForeignSpans,
}

struct ForeignTrace {
    id: TraceId,
    trace: Arc<LocalTrace>,
    open: OpenForeignSpans,
    open_roots: u32,
}

/// The first span of a local trace.
pub(super) struct FirstForeignSpan<'a> {
    pub(super) id: TraceId,
    pub(super) span: SpanId,
    pub(super) trace: &'a Arc<LocalTrace>,
    /// What the head sampled.
    pub(super) note: Option<Option<Threshold>>,
    /// Whether the trace is dropped from its beginning.
    pub(super) is_refused: bool,
}

/// What a span that starts finds.
pub(super) enum ForeignStart {
    /// The trace has other open spans, and this is counted among them.
    Counted,
    /// The trace had none, and may be decided: the span is yet to be counted.
    Uncounted(Arc<LocalTrace>),
    /// It begins a local trace.
    NewTrace,
}

/// The group a span belongs to.
pub(super) struct EndedForeignSpan {
    pub(super) trace: Arc<LocalTrace>,
    /// Whether the span is a local root.
    pub(super) is_root: bool,
    /// Whether it was the last open local root of its trace.
    pub(super) is_last_root: bool,
}

impl ForeignTraces {
    pub(super) fn new(shards: usize) -> Self {
        let shards = shards.next_power_of_two();
        Self((0..shards).map(|_| Mutex::default()).collect())
    }

    #[inline]
    fn shard(&self, id: TraceId) -> &Mutex<ForeignShard> {
        let bits = id.to_bits();
        let mixed = ((bits >> 64) as u64 ^ bits as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        &self.0[(mixed >> 32) as usize & (self.0.len() - 1)]
    }

    /// Remembers that the head sampled a trace whose root is about to start.
    pub(super) fn note(&self, id: TraceId, threshold: Option<Threshold>) {
        let mut shard = lock(self.shard(id));
        // Where no root follows, as in a set-up without a processor of ours, notes must not pile up.
        if shard.notes.len() >= NOTES {
            shard.notes.pop_front();
        }
        shard.notes.push_back((id, threshold));
    }

    /// With which threshold the head sampled a trace, if it did; the note is gone then.
    pub(super) fn take_note(&self, id: TraceId) -> Option<Option<Threshold>> {
        take_note(&mut lock(self.shard(id)).notes, id)
    }

    /// Enters a span into the group of its trace. A root only joins a group in which spans are open:
    /// where all have ended, it begins another local trace.
    #[inline(always)]
    pub(super) fn join(&self, id: TraceId, span: SpanId, is_root: bool) -> ForeignStart {
        let shard = &mut *lock(self.shard(id));
        let Some(group) = shard.groups.get_mut(id) else { return ForeignStart::NewTrace };
        let is_beside = group.trace.foreign_spans().join();
        if is_root {
            if !is_beside && group.open.is_empty() {
                return ForeignStart::NewTrace;
            }
            if let Some(threshold) = take_note(&mut shard.notes, id) {
                group.trace.sample(threshold);
            }
        }
        group.enter(span, is_root);
        if is_beside {
            ForeignStart::Counted
        } else {
            ForeignStart::Uncounted(Arc::clone(&group.trace))
        }
    }

    /// Enters the first span of a new local trace, or of one that is dropped from its beginning. Where another
    /// thread began one of the same id meanwhile, the span joins that.
    pub(super) fn found(&self, first: &FirstForeignSpan<'_>) -> ForeignStart {
        let FirstForeignSpan { id, span, trace, note, is_refused } = *first;
        let mut shard = lock(self.shard(id));
        if let Some(group) = shard.groups.get_mut(id).filter(|group| !group.open.is_empty()) {
            note.into_iter().for_each(|threshold| group.trace.sample(threshold));
            let is_beside = group.trace.foreign_spans().join();
            group.enter(span, true);
            return if is_beside {
                ForeignStart::Counted
            } else {
                ForeignStart::Uncounted(Arc::clone(&group.trace))
            };
        }
        let root = (!is_refused).then_some(span);
        let replaced = shard.groups.put(id, Arc::clone(trace), root);
        let forgotten = if is_refused { shard.idle(id) } else { None };
        drop(shard);
        replaced.into_iter().chain(forgotten).for_each(Recorder::release);
        ForeignStart::NewTrace
    }

    /// Takes a span that ended out of its group; `None` when it was not in one.
    #[inline(always)]
    pub(super) fn leave(&self, id: TraceId, span: SpanId) -> Option<EndedForeignSpan> {
        let mut shard = lock(self.shard(id));
        let group = shard.groups.get_mut(id)?;
        let is_root = group.open.remove(span)?;
        group.open_roots -= u32::from(is_root);
        let is_last_root = is_root && group.open_roots == 0;
        let member = EndedForeignSpan { trace: Arc::clone(&group.trace), is_root, is_last_root };
        let is_idle = group.open.is_empty();
        if is_idle {
            let forgotten = shard.idle(id);
            drop(shard);
            forgotten.into_iter().for_each(Recorder::release);
        }
        Some(member)
    }

    /// The local trace of a trace id, while it is remembered.
    pub(super) fn find(&self, id: TraceId) -> Option<Arc<LocalTrace>> {
        lock(self.shard(id)).groups.get_mut(id).map(|group| Arc::clone(&group.trace))
    }

    /// Forgets the open spans of a trace that was put out: they are counted.
    pub(super) fn retire(&self, trace: &Arc<LocalTrace>) {
        let id = trace.head.trace_id;
        let mut shard = lock(self.shard(id));
        let Some(group) = shard.groups.get_mut(id) else { return };
        if !Arc::ptr_eq(&group.trace, trace) || group.open.is_empty() {
            return;
        }
        group.open.clear();
        group.open_roots = 0;
        let forgotten = shard.idle(id);
        drop(shard);
        forgotten.into_iter().for_each(Recorder::release);
    }

    /// How many traces are remembered, open ones included.
    pub(super) fn len(&self) -> usize {
        self.0.iter().map(|shard| lock(shard).groups.len()).sum()
    }
}

impl ForeignTrace {
    fn enter(&mut self, id: SpanId, is_root: bool) {
        self.open.push(id, is_root);
        self.open_roots += u32::from(is_root);
    }
}

impl ForeignTable {
    #[inline(always)]
    fn get_mut(&mut self, id: TraceId) -> Option<&mut ForeignTrace> {
        if self.groups.get(self.last).is_none_or(|group| group.id != id) {
            self.last = self.place_of(id)?;
        }
        self.groups.get_mut(self.last)
    }

    #[inline(never)]
    fn place_of(&self, id: TraceId) -> Option<usize> {
        self.places.get(&id).copied()
    }

    /// Enters a trace, with its root if that is open; whose place it takes.
    fn put(
        &mut self,
        id: TraceId,
        trace: Arc<LocalTrace>,
        root: Option<SpanId>,
    ) -> Option<Arc<LocalTrace>> {
        let mut group =
            ForeignTrace { id, trace, open: std::mem::take(&mut self.spare), open_roots: 0 };
        root.into_iter().for_each(|root| group.enter(root, true));
        self.last = *self.places.entry(id).or_insert(self.groups.len());
        match self.groups.get_mut(self.last) {
            Some(old) => Some(std::mem::replace(old, group).trace),
            None => {
                self.groups.push(group);
                None
            }
        }
    }

    fn remove(&mut self, id: TraceId) -> Option<Arc<LocalTrace>> {
        let place = self.places.remove(&id)?;
        let mut removed = self.groups.swap_remove(place);
        if removed.open.is_small() {
            removed.open.clear();
            self.spare = removed.open;
        }
        if let Some(moved) = self.groups.get(place) {
            self.places.insert(moved.id, place);
        }
        Some(removed.trace)
    }

    fn len(&self) -> usize {
        self.groups.len()
    }
}

fn take_note(
    notes: &mut VecDeque<(TraceId, Option<Threshold>)>,
    id: TraceId,
) -> Option<Option<Threshold>> {
    let at = notes.iter().rposition(|(noted, _)| *noted == id)?;
    notes.remove(at).map(|(_, threshold)| threshold)
}

impl ForeignShard {
    /// A trace has no open spans at this moment; the oldest such trace beyond the limit is forgotten.
    fn idle(&mut self, id: TraceId) -> Option<Arc<LocalTrace>> {
        self.idle.push_back(id);
        if self.idle.len() <= REMEMBERED {
            return None;
        }
        let oldest = self.idle.pop_front()?;
        // It may be busy again; then it comes back when it is idle.
        if self.groups.get_mut(oldest)?.open.is_empty() { self.groups.remove(oldest) } else { None }
    }
}

impl fmt::Debug for ForeignTraces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ForeignTraces").finish_non_exhaustive()
    }
}
