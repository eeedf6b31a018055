//! The local traces of spans that another tracer makes, found by the id of their trace.

mod open_spans;
mod place_index;
mod sampled_heads;
mod table;

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;

use self::sampled_heads::SampledHeads;
use self::table::ForeignTable;
use super::local::{LocalTrace, TraceOwner};
use super::trace_hash::TraceHash;
use crate::model::{SpanId, TraceId};
use crate::trace::header::HeadSample;

/// How many decided traces one shard remembers, so that late spans follow the decision.
const REMEMBERED: usize = 256;

/// How many of them came with a long trace state. They have a row of their own, so that callers who send such states
/// have no other trace forgotten.
const REMEMBERED_LONG: usize = 8;

/// A trace state that takes more than this is long.
const LONG_STATE: usize = 512;

/// The open spans of other tracers, by trace. Its locks are held for some instructions, and none of them
/// together with another lock.
pub(super) struct ForeignTraces<O>(Box<[Mutex<ForeignShard<O>>]>);

struct ForeignShard<O> {
    traces: ForeignTable<O>,
    /// Traces that had no open span at some moment, the oldest first.
    idle: VecDeque<TraceId>,
    /// The same of traces with a long trace state.
    long_idle: VecDeque<TraceId>,
    sampled_heads: SampledHeads,
}

/// The first span of a local trace.
pub(super) struct FirstForeignSpan<'a, O> {
    pub(super) span: SpanId,
    pub(super) trace: &'a Arc<LocalTrace<O>>,
    /// The answer of a head that sampled it.
    pub(super) sample: Option<HeadSample>,
    /// Whether the trace is dropped from its beginning.
    pub(super) is_refused: bool,
}

/// What a span that starts finds.
pub(super) enum ForeignStart<O> {
    /// The trace has other open spans, and the span is counted among them.
    Counted,
    /// The same, and the span is a local root of its own.
    CountedRoot(Arc<LocalTrace<O>>),
    /// The trace has none, and may be decided: the span is yet to be counted.
    Uncounted(Arc<LocalTrace<O>>),
    /// It begins a local trace.
    NewTrace,
}

/// A span that ended and was taken out of its trace's open spans.
pub(super) struct EndedForeignSpan<O> {
    pub(super) trace: Arc<LocalTrace<O>>,
    /// Whether the span is a local root.
    pub(super) is_root: bool,
    /// Whether it was the last open local root of its trace.
    pub(super) is_last_root: bool,
}

impl<O: TraceOwner> ForeignTraces<O> {
    pub(super) fn new(shards: usize) -> Self {
        let shards = shards.next_power_of_two();
        Self((0..shards).map(|_| Mutex::default()).collect())
    }

    #[inline]
    fn shard(&self, id: TraceId) -> &Mutex<ForeignShard<O>> {
        &self.0[TraceHash::new(id).foreign_shard(self.0.len())]
    }

    /// Remembers that the head sampled a trace whose root is about to start.
    pub(super) fn remember_sample(&self, id: TraceId, sample: HeadSample) {
        self.shard(id).lock().sampled_heads.insert(id, sample);
    }

    /// The head's answer about a trace, if it sampled that; it is forgotten with this.
    pub(super) fn remove_sample(&self, id: TraceId) -> Option<HeadSample> {
        self.shard(id).lock().sampled_heads.remove(id)
    }

    /// Enters a span that starts into its trace. A root only joins a trace in which spans are open: where
    /// all have ended, it begins another local trace.
    #[inline(always)]
    pub(super) fn start_span(&self, id: TraceId, span: SpanId, is_root: bool) -> ForeignStart<O> {
        let shard = &mut *self.shard(id).lock();
        let Some(mut foreign) = shard.traces.find(id) else { return ForeignStart::NewTrace };
        let is_counted = foreign.trace.foreign_spans().add_beside();
        if is_root {
            if !is_counted && !foreign.has_open() {
                return ForeignStart::NewTrace;
            }
            if let Some(sample) = shard.sampled_heads.remove(id) {
                foreign.trace.add_sample(sample);
            }
        }
        foreign.insert_open(span, is_root);
        if is_counted && is_root {
            ForeignStart::CountedRoot(Arc::clone(foreign.trace))
        } else if is_counted {
            ForeignStart::Counted
        } else {
            ForeignStart::Uncounted(Arc::clone(foreign.trace))
        }
    }

    /// Enters the first span of a new local trace, or of one that is dropped from its beginning. Where another
    /// thread began one of the same id meanwhile, the span joins that.
    pub(super) fn start_trace(&self, first: &FirstForeignSpan<'_, O>) -> ForeignStart<O> {
        let FirstForeignSpan { span, trace, sample, is_refused } = *first;
        let id = trace.trace_id();
        let mut shard = self.shard(id).lock();
        if let Some(mut foreign) = shard.traces.find(id).filter(|foreign| foreign.has_open()) {
            if let Some(sample) = sample {
                foreign.trace.add_sample(sample);
            }
            let is_counted = foreign.trace.foreign_spans().add_beside();
            foreign.insert_open(span, true);
            let joined = Arc::clone(foreign.trace);
            return if is_counted {
                ForeignStart::CountedRoot(joined)
            } else {
                ForeignStart::Uncounted(joined)
            };
        }
        let root = (!is_refused).then_some(span);
        let replaced = shard.traces.insert(Arc::clone(trace), root);
        let forgotten = if is_refused { shard.mark_idle(trace) } else { None };
        drop(shard);
        release(replaced);
        release(forgotten);
        ForeignStart::NewTrace
    }

    /// Takes a span that ended out of the open ones; `None` when it was not among them.
    #[inline(always)]
    pub(super) fn end_span(&self, id: TraceId, span: SpanId) -> Option<EndedForeignSpan<O>> {
        let mut shard = self.shard(id).lock();
        let mut foreign = shard.traces.find(id)?;
        let is_root = foreign.remove_open(span)?;
        let is_last_root = is_root && !foreign.has_open_root();
        let ended = EndedForeignSpan { trace: Arc::clone(foreign.trace), is_root, is_last_root };
        if !foreign.has_open() {
            foreign.clear_open();
            let forgotten = shard.mark_idle(&ended.trace);
            drop(shard);
            release(forgotten);
        }
        Some(ended)
    }

    /// The local trace of a trace id, while it is remembered.
    pub(super) fn find(&self, id: TraceId) -> Option<Arc<LocalTrace<O>>> {
        self.shard(id).lock().traces.find(id).map(|foreign| Arc::clone(foreign.trace))
    }

    /// Forgets the open spans of a trace that was dropped with them: the ledger has counted them.
    pub(super) fn forget_open_spans(&self, trace: &Arc<LocalTrace<O>>) {
        let id = trace.trace_id();
        let mut shard = self.shard(id).lock();
        let Some(mut foreign) = shard.traces.find(id) else { return };
        if !Arc::ptr_eq(foreign.trace, trace) || !foreign.has_open() {
            return;
        }
        foreign.clear_open();
        let forgotten = shard.mark_idle(trace);
        drop(shard);
        release(forgotten);
    }

    /// Forgets all traces, when none may begin any more and none is open: each refers to its owner, which would keep
    /// both for ever.
    pub(super) fn forget_all(&self) {
        for shard in &self.0 {
            let forgotten = std::mem::take(&mut *shard.lock());
            drop(forgotten);
        }
    }

    /// How many traces are remembered, open ones included.
    pub(super) fn len(&self) -> usize {
        self.0.iter().map(|shard| shard.lock().traces.len()).sum()
    }
}

impl<O> Default for ForeignShard<O> {
    fn default() -> Self {
        Self {
            traces: ForeignTable::default(),
            idle: VecDeque::new(),
            long_idle: VecDeque::new(),
            sampled_heads: SampledHeads::default(),
        }
    }
}

impl<O> ForeignShard<O> {
    /// Records that a trace has no open spans at this moment. The oldest such trace beyond the limit is
    /// forgotten and given back.
    fn mark_idle(&mut self, trace: &LocalTrace<O>) -> Option<Arc<LocalTrace<O>>> {
        let is_long = trace.own_bytes() > LocalTrace::<O>::BYTES + LONG_STATE;
        let row = if is_long { &mut self.long_idle } else { &mut self.idle };
        row.push_back(trace.trace_id());
        if row.len() <= if is_long { REMEMBERED_LONG } else { REMEMBERED } {
            return None;
        }
        let oldest = row.pop_front()?;
        // It may be busy again; then it comes back when it is idle.
        self.traces.remove_idle(oldest)
    }
}

/// Gives the memory of a trace that was forgotten to the next, if one was. The caller holds no lock.
#[inline]
fn release<O: TraceOwner>(forgotten: Option<Arc<LocalTrace<O>>>) {
    if let Some(trace) = forgotten {
        trace.owner.reclaim(Arc::clone(&trace));
    }
}

impl<O> fmt::Debug for ForeignTraces<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ForeignTraces").finish_non_exhaustive()
    }
}
