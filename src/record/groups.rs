//! The local traces of spans that another tracer makes, found by the id of their trace.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex};

use foldhash::fast::RandomState;

use super::local::LocalTrace;
use super::recorder::Recorder;
use crate::kit::guarded::lock;
use crate::model::{SpanId, Threshold, TraceId};

/// How many decided traces one shard remembers, so that late spans follow the decision.
const REMEMBERED: usize = 256;

/// How many decisions of the head one shard remembers until the span they are about starts.
const NOTES: usize = 64;

/// Spans that are open, by trace. Locks are held for some instructions, and none of them with another.
pub(super) struct Groups(Box<[Mutex<Shard>]>);

#[derive(Default)]
struct Shard {
    // Trace ids come from strangers, so the hash has a seed of its own.
    groups: HashMap<TraceId, Group, RandomState>,
    /// Those that had no open span at some moment, the oldest first.
    idle: VecDeque<TraceId>,
    /// What the head sampled, with the threshold, the newest last.
    notes: VecDeque<(TraceId, Option<Threshold>)>,
}

struct Group {
    trace: Arc<LocalTrace>,
    open: Vec<Open>,
    open_roots: u32,
}

struct Open {
    id: SpanId,
    is_root: bool,
}

/// The group a span belongs to.
pub(super) struct Member {
    pub(super) trace: Arc<LocalTrace>,
    /// Whether the span is a local root.
    pub(super) is_root: bool,
    /// Whether it was the last open local root of its trace.
    pub(super) is_last_root: bool,
}

impl Groups {
    pub(super) fn new(shards: usize) -> Self {
        Self((0..shards).map(|_| Mutex::default()).collect())
    }

    fn shard(&self, id: TraceId) -> &Mutex<Shard> {
        let bits = id.to_bits();
        let mixed = ((bits >> 64) as u64 ^ bits as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        &self.0[(mixed >> 32) as usize % self.0.len()]
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
        let mut shard = lock(self.shard(id));
        let at = shard.notes.iter().rposition(|(noted, _)| *noted == id)?;
        shard.notes.remove(at).map(|(_, threshold)| threshold)
    }

    /// Enters a span into the group of its trace. A root only joins a group in which spans are open:
    /// where all have ended, it begins another local trace.
    pub(super) fn join(&self, id: TraceId, span: SpanId, is_root: bool) -> Option<Arc<LocalTrace>> {
        let mut shard = lock(self.shard(id));
        let group = shard.groups.get_mut(&id)?;
        if is_root && group.open.is_empty() {
            return None;
        }
        group.enter(span, is_root);
        Some(Arc::clone(&group.trace))
    }

    /// Enters the first span of a new local trace.
    pub(super) fn found(&self, id: TraceId, span: SpanId, trace: Arc<LocalTrace>) {
        let mut group = Group { trace, open: Vec::with_capacity(4), open_roots: 0 };
        group.enter(span, true);
        let replaced = lock(self.shard(id)).groups.insert(id, group);
        let old = replaced.map(|group| group.trace);
        old.into_iter().for_each(Recorder::let_go);
    }

    /// Remembers a trace that is dropped from its beginning.
    pub(super) fn refuse(&self, id: TraceId, trace: Arc<LocalTrace>) {
        let group = Group { trace, open: Vec::new(), open_roots: 0 };
        let mut shard = lock(self.shard(id));
        let replaced = shard.groups.insert(id, group);
        let forgotten = shard.idle(id);
        drop(shard);
        let old = replaced.map(|group| group.trace);
        old.into_iter().chain(forgotten).for_each(Recorder::let_go);
    }

    /// Takes a span that ended out of its group; `None` when it was not in one.
    pub(super) fn leave(&self, id: TraceId, span: SpanId) -> Option<Member> {
        let mut shard = lock(self.shard(id));
        let group = shard.groups.get_mut(&id)?;
        // The span that ends is usually among the last that started.
        let at = group.open.iter().rposition(|open| open.id == span)?;
        let Open { is_root, .. } = group.open.swap_remove(at);
        group.open_roots -= u32::from(is_root);
        let is_last_root = is_root && group.open_roots == 0;
        let member = Member { trace: Arc::clone(&group.trace), is_root, is_last_root };
        let is_idle = group.open.is_empty();
        let forgotten = if is_idle { shard.idle(id) } else { None };
        drop(shard);
        forgotten.into_iter().for_each(Recorder::let_go);
        Some(member)
    }

    /// The local trace of a trace id, while it is remembered.
    pub(super) fn find(&self, id: TraceId) -> Option<Arc<LocalTrace>> {
        lock(self.shard(id)).groups.get(&id).map(|group| Arc::clone(&group.trace))
    }

    /// Forgets the open spans of a trace that was put out: they are counted.
    pub(super) fn retire(&self, trace: &Arc<LocalTrace>) {
        let id = trace.head.trace_id;
        let mut shard = lock(self.shard(id));
        let Some(group) = shard.groups.get_mut(&id) else { return };
        if !Arc::ptr_eq(&group.trace, trace) || group.open.is_empty() {
            return;
        }
        (group.open, group.open_roots) = (Vec::new(), 0);
        let forgotten = shard.idle(id);
        drop(shard);
        forgotten.into_iter().for_each(Recorder::let_go);
    }

    /// How many traces are remembered, open ones included.
    pub(super) fn len(&self) -> usize {
        self.0.iter().map(|shard| lock(shard).groups.len()).sum()
    }
}

impl Group {
    fn enter(&mut self, id: SpanId, is_root: bool) {
        self.open.push(Open { id, is_root });
        self.open_roots += u32::from(is_root);
    }
}

impl Shard {
    /// A trace has no open spans at this moment; the oldest such trace beyond the limit is forgotten.
    fn idle(&mut self, id: TraceId) -> Option<Arc<LocalTrace>> {
        self.idle.push_back(id);
        if self.idle.len() <= REMEMBERED {
            return None;
        }
        let oldest = self.idle.pop_front()?;
        // It may be busy again; then it comes back when it is idle.
        if self.groups.get(&oldest)?.open.is_empty() {
            return self.groups.remove(&oldest).map(|group| group.trace);
        }
        None
    }
}

impl fmt::Debug for Groups {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Groups").finish_non_exhaustive()
    }
}
