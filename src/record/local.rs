//! One local trace.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::evict::Worth;
use super::recorder::Recorder;
use crate::kit::guarded::lock;
use crate::ledger::Reason;
use crate::model::head::TraceHead;
use crate::model::store::SpanStore;
use crate::model::{Kept, Limits, LocalHandle, SpanId, TraceContext};

/// The memory of a live trace besides its buffer: itself, its counters, its place in its shard.
pub(super) const SHELL_BYTES: usize = size_of::<LocalTrace>() + 4 * size_of::<usize>();

/// The slot of a trace that stands in no shard.
pub(super) const NOWHERE: u32 = u32::MAX;

/// What one local root and its descendants do in this process.
///
/// What never changes while spans refer to it lies outside the lock. A local trace to which nothing
/// refers any more is reused whole.
#[derive(Debug)]
pub(crate) struct LocalTrace {
    /// `None` only while it waits in the pool, so that a recorder's pool does not keep it alive.
    pub(super) recorder: Option<Arc<Recorder>>,
    pub(super) head: TraceHead,
    pub(super) slot: AtomicU32,
    worth_keeping: AtomicBool,
    keep_asked: AtomicBool,
    /// Whether its spans are another tracer's, which are found by the trace's id.
    pub(super) is_gathered: bool,
    live: Mutex<Live>,
}

/// What changes while spans start and end.
#[derive(Debug)]
pub(super) struct Live {
    pub(super) store: SpanStore,
    /// Bytes that the recorder's total includes for this trace.
    pub(super) accounted: u32,
    /// Spans that have not ended, those beyond the limit included.
    pub(super) open: u32,
    /// Open spans that are not in the store: those beyond the limit, and those of another tracer.
    pub(super) beyond_limit: u32,
    /// Children that were started; what their ids are made of.
    pub(super) children: u32,
    pub(super) phase: Phase,
}

/// How far the decision has come.
#[derive(Clone, Debug)]
pub(super) enum Phase {
    /// Spans are being recorded.
    Open,
    /// Somebody has taken the spans and is asking the tail.
    Deciding,
    /// It was kept: what ends from now on is late and follows.
    Kept(Arc<Kept>),
    /// It was dropped: what starts or ends from now on is dropped too.
    Dropped(Reason),
}

impl LocalTrace {
    pub(super) fn new(recorder: Arc<Recorder>, head: TraceHead, store: SpanStore) -> Self {
        Self {
            recorder: Some(recorder),
            slot: AtomicU32::new(NOWHERE),
            worth_keeping: AtomicBool::new(head.is_sampled()),
            keep_asked: AtomicBool::new(false),
            is_gathered: false,
            live: Mutex::new(Live::new(store)),
            head,
        }
    }

    /// Makes this trace, to which nothing else refers, a new one.
    #[inline]
    pub(super) fn reset(&mut self, recorder: Arc<Recorder>, head: TraceHead, store: SpanStore) {
        *self.worth_keeping.get_mut() = head.is_sampled();
        *self.keep_asked.get_mut() = false;
        *self.slot.get_mut() = NOWHERE;
        self.is_gathered = false;
        *self.live_mut() = Live::new(store);
        self.recorder = Some(recorder);
        self.head = head;
    }

    #[inline]
    pub(super) fn live(&self) -> MutexGuard<'_, Live> {
        lock(&self.live)
    }

    /// The same for whoever has the trace to themselves.
    #[inline]
    pub(super) fn live_mut(&mut self) -> &mut Live {
        self.live.get_mut().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes into the record of a span; `None` when it has none or has ended.
    #[inline]
    pub(super) fn write<R>(
        self: &Arc<Self>,
        guess: u32,
        id: SpanId,
        write: impl FnOnce(&mut SpanStore, u32, &Limits) -> R,
    ) -> Option<R> {
        let recorder = self.recorder.as_deref()?;
        let mut live = self.live();
        let index = live.store.find_open(guess, id)?;
        let result = write(&mut live.store, index, &recorder.limits.span);
        recorder.unlock(self, live, false);
        Some(result)
    }

    /// What it is worth at a limit.
    pub(super) fn worth(&self) -> Worth {
        (self.worth_keeping.load(Ordering::Relaxed), self.head.randomness())
    }

    pub(super) fn is_worth_keeping(&self) -> bool {
        self.worth_keeping.load(Ordering::Relaxed)
    }

    pub(super) fn mark_worth_keeping(&self) {
        self.worth_keeping.store(true, Ordering::Relaxed);
    }

    /// Whether somebody asked for it by its id.
    pub(super) fn is_keep_asked(&self) -> bool {
        self.keep_asked.load(Ordering::Relaxed)
    }

    pub(super) fn ask_keep(&self) {
        self.keep_asked.store(true, Ordering::Relaxed);
        self.mark_worth_keeping();
    }

    /// What a span of this trace tells the next, with the way back to this trace.
    pub(super) fn context(self: &Arc<Self>, id: SpanId, parent: Option<SpanId>) -> TraceContext {
        let mut context = TraceContext::new(self.head.trace_id, id).with_flags(self.head.flags());
        context.parent_span_id = parent;
        context.trace_state = self.head.outgoing_state();
        let local: Arc<Self> = Arc::clone(self);
        context.with_local(LocalHandle::new(local))
    }
}

impl Live {
    #[inline]
    fn new(store: SpanStore) -> Self {
        Self { store, accounted: 0, open: 1, beyond_limit: 0, children: 0, phase: Phase::Open }
    }

    /// The id of the next child of `parent`.
    ///
    /// A bijective mix of a random id and a number that no other child of the trace has: as good as
    /// random, at a fraction of the cost of asking the generator.
    #[inline]
    pub(super) fn child_id(&mut self, parent: SpanId) -> SpanId {
        loop {
            self.children = self.children.wrapping_add(1);
            let step = u64::from(self.children).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let mut bits = parent.to_bits().wrapping_add(step);
            bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            if let Some(id) = SpanId::from_bits(bits ^ (bits >> 31)) {
                return id;
            }
        }
    }

    /// Spans that no other column counts.
    #[inline]
    pub(super) fn spans(&self) -> u64 {
        self.store.len() as u64 + u64::from(self.beyond_limit)
    }
}
