//! One local trace.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::evict::Worth;
use super::recorder::Recorder;
use crate::kit::guarded::lock;
use crate::ledger::Reason;
use crate::model::{LocalHandle, SpanId, Threshold, TraceContext};
use crate::trace::head::TraceHead;
use crate::trace::store::SpanStore;
use crate::trace::{Kept, SpanMut};

/// The memory of a live trace besides its buffer: itself, its counters, its place in its shard.
pub(super) const SHELL_BYTES: usize = size_of::<LocalTrace>() + 4 * size_of::<usize>();

/// The slot of a trace that stands in no shard.
pub(super) const UNREGISTERED: u32 = u32::MAX;

/// What one local root and its descendants do in this process.
///
/// What never changes while spans refer to it lies foreign_spans the lock. A local trace to which nothing
/// refers any more is reused whole.
#[derive(Debug)]
pub(crate) struct LocalTrace {
    /// `None` only while it waits in the pool, so that a recorder's pool does not keep it alive.
    pub(super) recorder: Option<Arc<Recorder>>,
    pub(super) head: TraceHead,
    pub(super) slot: AtomicU32,
    worth_keeping: AtomicBool,
    keep_asked: AtomicBool,
    foreign_spans: ForeignSpanCount,
    /// Whether, and with which threshold, the head sampled another local root that joined this trace.
    sampled_since: AtomicU64,
    live: Mutex<LiveSpans>,
}

/// Bits of `sampled_since` above a threshold's.
const SAMPLED: u64 = 1 << 63;
const IS_KNOWN: u64 = 1 << 62;

/// How many spans of another tracer are open, or have ended and are on their way into the buffer.
///
/// It falls, and rises from zero, under the trace's lock. From any other number it may rise without: then
/// the trace is among the live ones and not complete, and the one more keeps it so.
#[derive(Debug, Default)]
pub(super) struct ForeignSpanCount(AtomicU32);

impl ForeignSpanCount {
    #[inline]
    pub(super) fn count(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }

    /// One more beside others; false when there are none.
    #[inline]
    pub(super) fn join(&self) -> bool {
        let mut count = self.count();
        while count != 0 {
            match self.0.compare_exchange_weak(
                count,
                count + 1,
                Ordering::Relaxed,
                Ordering::Relaxed,
            ) {
                Ok(_) => return true,
                Err(now) => count = now,
            }
        }
        false
    }

    /// One more, whatever there is.
    pub(super) fn enter(&self, _locked: &LiveSpans) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// One less; how many are left.
    #[inline]
    pub(super) fn leave(&self, _locked: &LiveSpans) -> u32 {
        self.0.fetch_sub(1, Ordering::Relaxed).saturating_sub(1)
    }

    /// None any more; how many there were.
    pub(super) fn clear(&self, _locked: &LiveSpans) -> u32 {
        self.0.swap(0, Ordering::Relaxed)
    }
}

/// What changes while spans start and end.
#[derive(Debug)]
pub(super) struct LiveSpans {
    pub(super) store: SpanStore,
    /// Bytes that the recorder's total includes for this trace.
    pub(super) counted_bytes: u32,
    /// Spans that have not ended, those beyond the limit included.
    pub(super) open: u32,
    /// Open spans of ours that are not in the store, being beyond a limit.
    pub(super) over_limit: u32,
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
            slot: AtomicU32::new(UNREGISTERED),
            worth_keeping: AtomicBool::new(head.is_sampled()),
            keep_asked: AtomicBool::new(false),
            foreign_spans: ForeignSpanCount::default(),
            sampled_since: AtomicU64::new(0),
            live: Mutex::new(LiveSpans::new(store)),
            head,
        }
    }

    /// Makes this trace, to which nothing else refers, a new one.
    #[inline]
    pub(super) fn reset(&mut self, recorder: Arc<Recorder>, head: TraceHead, store: SpanStore) {
        *self.worth_keeping.get_mut() = head.is_sampled();
        *self.keep_asked.get_mut() = false;
        *self.slot.get_mut() = UNREGISTERED;
        self.foreign_spans = ForeignSpanCount::default();
        *self.sampled_since.get_mut() = 0;
        *self.live_mut() = LiveSpans::new(store);
        self.recorder = Some(recorder);
        self.head = head;
    }

    #[inline]
    pub(super) fn live(&self) -> MutexGuard<'_, LiveSpans> {
        lock(&self.live)
    }

    /// The same for whoever has the trace to themselves.
    #[inline]
    pub(super) fn live_mut(&mut self) -> &mut LiveSpans {
        self.live.get_mut().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes into the record of a span; `None` when it has none or has ended.
    #[inline]
    pub(super) fn write<R>(
        self: &Arc<Self>,
        guess: u32,
        id: SpanId,
        write: impl FnOnce(&mut SpanMut<'_>) -> R,
    ) -> Option<R> {
        let recorder = self.recorder.as_deref()?;
        let mut live = self.live();
        let index = live.store.find_open(guess, id)?;
        let (correction, limits) = (self.head.correction, &recorder.limits.span);
        let result = write(&mut SpanMut::new(&mut live.store, correction, index, limits));
        recorder.unlock(self, live, false);
        Some(result)
    }

    /// Makes this trace, which holds nothing, one for another tracer's spans: of which one is open, or which
    /// is dropped from its beginning.
    pub(super) fn gather(&mut self, refused: Option<Reason>) {
        *self.foreign_spans.0.get_mut() = u32::from(refused.is_none());
        let live = self.live_mut();
        live.open = 0;
        if let Some(reason) = refused {
            live.phase = Phase::Dropped(reason);
        }
    }

    /// Open spans of another tracer.
    #[inline]
    pub(super) fn foreign_spans(&self) -> &ForeignSpanCount {
        &self.foreign_spans
    }

    /// Spans that no other column counts.
    pub(super) fn spans(&self, live: &LiveSpans) -> u64 {
        live.spans() + u64::from(self.foreign_spans.count())
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

    /// Marks the trace, which others know already, as one that the head keeps; the first threshold stands.
    pub(super) fn sample(&self, threshold: Option<Threshold>) {
        let known = threshold.map_or(0, |threshold| threshold.bits() | IS_KNOWN);
        let (new, relaxed) = (SAMPLED | known, Ordering::Relaxed);
        let _ = self.sampled_since.compare_exchange(0, new, relaxed, relaxed);
        self.mark_worth_keeping();
    }

    /// With which threshold the head sampled it, if it did.
    pub(super) fn sampled(&self) -> Option<Option<Threshold>> {
        if self.head.is_sampled() {
            return Some(self.head.threshold());
        }
        let since = self.sampled_since.load(Ordering::Relaxed);
        let known = (since & IS_KNOWN != 0).then_some(since & !(SAMPLED | IS_KNOWN));
        (since != 0).then(|| known.and_then(Threshold::from_bits))
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

impl LiveSpans {
    #[inline]
    fn new(store: SpanStore) -> Self {
        Self { store, counted_bytes: 0, open: 1, over_limit: 0, children: 0, phase: Phase::Open }
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

    /// Spans of ours that no other column counts.
    #[inline]
    pub(super) fn spans(&self) -> u64 {
        self.store.len() as u64 + u64::from(self.over_limit)
    }
}
