//! One local trace.

mod counted_extras;
mod due;
mod foreign_spans;
mod keep_request;
mod live_parts;
mod live_spans;
mod open_parts;
mod recent_parts;
mod requested;
mod trace_lock;
mod trace_owner;
mod worth;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, Ordering};

use parking_lot::MutexGuard;

pub(crate) use due::Due;
pub(super) use foreign_spans::ForeignSpanCount;
pub(super) use keep_request::kept_for;
pub(crate) use keep_request::{ASKED_FOR, KeepOrigin, KeepRequest};
pub(super) use live_spans::{LiveSpans, Phase};
pub(super) use recent_parts::PartOutcome;
use trace_lock::TraceLock;
pub(crate) use trace_owner::TraceOwner;
pub(super) use worth::Worth;

use crate::ledger::Reason;
use crate::model::{LocalHandle, SpanId, TraceContext, TraceId};
use crate::time::Tick;
use crate::trace::header::{HeadSample, TraceHeader};
use crate::trace::store::SpanIndex;

/// The slot of a trace that is not registered.
const UNREGISTERED: u32 = u32::MAX >> 1;

/// The bit beside the slot of a trace that the pool has.
const POOLED: u32 = 1 << 31;

/// The bit beside the number of the stripe of a trace to which the table of foreign traces leads.
const FOREIGN: u8 = 1 << 7;

const NANOS_PER_SECOND: u64 = 1_000_000_000;

/// What one local root and its descendants do in this process.
///
/// What never changes while spans refer to it lies outside the lock. A local trace to which nothing
/// refers any more is reused whole, by the recorder that owns it.
#[derive(Debug)]
pub(crate) struct LocalTrace<O> {
    pub(super) owner: Arc<O>,
    pub(super) header: TraceHeader,
    /// The number of the stripe it belongs to for as long as its memory lasts, and [`FOREIGN`] beside it.
    home: u8,
    /// Where it stands in its stripe, and whether the stripe's pool has it. Written under the stripe's lock only,
    /// which orders it.
    slot: AtomicU32,
    worth_keeping: AtomicBool,
    /// Where the strongest request for the trace comes from, as a [`KeepOrigin`]; zero where there is none.
    keep_requested: AtomicU8,
    /// Whether a late error had it decided a second time.
    // Relaxed: read and written under the trace's lock, beside which there is room for it.
    was_decided_anew: AtomicBool,
    foreign_spans: ForeignSpanCount,
    /// The second at which it was first looked at, for spans that tell their start when they end; zero before that.
    // Relaxed: read and written under the trace's lock.
    noticed: AtomicU32,
    live: TraceLock,
}

impl<O> LocalTrace<O> {
    /// The memory of a live trace besides its buffer: itself, its counters, its slot in its stripe.
    pub(super) const BYTES: usize = size_of::<Self>() + 4 * size_of::<usize>();

    /// The memory of this one besides its buffer: with the trace state that came with it.
    #[inline]
    pub(super) fn own_bytes(&self) -> usize {
        Self::BYTES + self.header.trace_state.bytes()
    }

    pub(super) fn new(owner: Arc<O>, home: usize, header: TraceHeader, spans: LiveSpans) -> Self {
        Self {
            owner,
            // There are a few stripes.
            home: home as u8,
            slot: AtomicU32::new(UNREGISTERED),
            worth_keeping: AtomicBool::new(header.is_worth_keeping()),
            keep_requested: AtomicU8::new(0),
            was_decided_anew: AtomicBool::new(false),
            foreign_spans: ForeignSpanCount::default(),
            noticed: AtomicU32::new(0),
            live: TraceLock::new(spans),
            header,
        }
    }

    /// Makes this trace, to which nothing else refers, a new one.
    #[inline]
    pub(super) fn reset(&mut self, header: TraceHeader, spans: LiveSpans) {
        debug_assert_eq!(self.slot(), None, "a pooled trace is not registered");
        *self.slot.get_mut() = UNREGISTERED;
        self.home &= !FOREIGN;
        *self.worth_keeping.get_mut() = header.is_worth_keeping();
        *self.keep_requested.get_mut() = 0;
        *self.was_decided_anew.get_mut() = false;
        self.foreign_spans = ForeignSpanCount::default();
        *self.lock_mut() = spans;
        self.header = header;
    }

    /// Makes this trace, which holds nothing, one for another tracer's spans. One of them is open, unless
    /// the trace was refused: then it is dropped from its beginning, for that reason.
    pub(super) fn make_foreign(&mut self, refused: Option<Reason>) {
        self.home |= FOREIGN;
        self.foreign_spans = ForeignSpanCount::new(u32::from(refused.is_none()));
        *self.noticed.get_mut() = 0;
        let live = self.lock_mut();
        live.open = 0;
        if let Some(reason) = refused {
            live.phase = Phase::Dropped(reason);
        }
    }

    #[inline]
    pub(super) fn trace_id(&self) -> TraceId {
        self.header.trace_id
    }

    /// What the lock guards, without locking: nothing else refers to the trace.
    #[inline]
    pub(super) fn lock_mut(&mut self) -> &mut LiveSpans {
        self.live.get_mut()
    }

    /// Whether the pool of its stripe has it. The caller holds the stripe's lock.
    pub(super) fn is_pooled(&self) -> bool {
        self.slot.load(Ordering::Relaxed) & POOLED != 0
    }

    /// Notes whether the pool of its stripe has it. The caller holds the stripe's lock.
    pub(super) fn set_pooled(&self, is_pooled: bool) {
        let slot = self.slot.load(Ordering::Relaxed) & !POOLED;
        self.slot.store(if is_pooled { slot | POOLED } else { slot }, Ordering::Relaxed);
    }

    /// Whether the table of foreign traces leads to it, which gives it to the pool later.
    pub(super) const fn is_foreign(&self) -> bool {
        self.home & FOREIGN != 0
    }

    /// Its place among the live traces of its stripe; `None` when it is not registered.
    // Relaxed, because it is read and written under the stripe's lock.
    pub(super) fn slot(&self) -> Option<usize> {
        let slot = self.slot.load(Ordering::Relaxed) & !POOLED;
        (slot != UNREGISTERED).then_some(slot as usize)
    }

    /// Sets where it stands now. The caller holds the stripe's lock.
    pub(super) fn set_slot(&self, slot: Option<u32>) {
        let pooled = self.slot.load(Ordering::Relaxed) & POOLED;
        self.slot.store(pooled | slot.unwrap_or(UNREGISTERED), Ordering::Relaxed);
    }

    #[inline]
    pub(super) fn foreign_spans(&self) -> &ForeignSpanCount {
        &self.foreign_spans
    }

    /// How many of its spans no other column of the ledger counts.
    pub(super) fn spans(&self, live: &LiveSpans) -> u64 {
        live.spans() + u64::from(self.foreign_spans.count())
    }

    /// Whether any span of it has not ended.
    #[inline]
    pub(super) fn has_open_spans(&self, live: &LiveSpans) -> bool {
        live.open > 0 || self.foreign_spans.count() > 0
    }

    /// How many of its spans are on record, or on their way there, and have not ended.
    pub(super) fn open_spans(&self, live: &LiveSpans) -> u64 {
        let own = live.open.saturating_sub(live.over_limit());
        u64::from(own) + u64::from(self.foreign_spans.count())
    }

    /// When the first span that it holds started; `None` where it holds none. Spans of another tracer tell that when
    /// they end: for them it is the second at which this was asked first.
    pub(super) fn since(&self, live: &LiveSpans, now: Tick) -> Option<Tick> {
        if self.is_foreign() {
            return (self.spans(live) > 0).then(|| self.first_noticed(now));
        }
        let records = live.store.outlines(self.header.correction);
        records.span(SpanIndex::FIRST).map(|first| first.start)
    }

    /// Begins anew with the next question when it began: it held no spans for a while.
    pub(super) fn forget_notice(&self) {
        self.noticed.store(0, Ordering::Relaxed);
    }

    fn first_noticed(&self, now: Tick) -> Tick {
        let mut second = self.noticed.load(Ordering::Relaxed);
        if second == 0 {
            second = u32::try_from(now.as_nanos() / NANOS_PER_SECOND).unwrap_or(u32::MAX);
            self.noticed.store(second, Ordering::Relaxed);
        }
        Tick::from_nanos(u64::from(second) * NANOS_PER_SECOND)
    }

    /// What it is worth at a limit.
    // The flag is a hint for the choice of what goes first, so it orders with nothing.
    pub(super) fn worth(&self) -> Worth {
        Worth::new(self.is_worth_keeping(), &self.header)
    }

    pub(super) fn is_worth_keeping(&self) -> bool {
        self.worth_keeping.load(Ordering::Relaxed)
    }

    /// Makes the trace outlive less valuable ones at a limit: a span failed, the head sampled it, or it was requested.
    pub(super) fn mark_worth_keeping(&self) {
        self.worth_keeping.store(true, Ordering::Relaxed);
    }

    /// Marks the trace, which has begun already, as one that the head keeps; the first answer stands.
    // Relaxed: the word is whole in itself, and the decision that reads it comes after the local root that
    // it is about has ended, which takes the trace's lock.
    pub(super) fn add_sample(&self, sample: HeadSample) {
        self.header.sample_too(sample);
        self.mark_worth_keeping();
    }

    /// The answer of a head that sampled it, if one did.
    pub(super) fn sample(&self) -> Option<HeadSample> {
        self.header.sampled()
    }

    /// Whether a late error had it decided a second time.
    pub(super) fn was_decided_anew(&self) -> bool {
        self.was_decided_anew.load(Ordering::Relaxed)
    }

    /// Notes that a late error has it decided a second time.
    pub(super) fn mark_decided_anew(&self) {
        self.was_decided_anew.store(true, Ordering::Relaxed);
    }

    /// The number of its stripe.
    #[inline]
    pub(super) fn home(&self) -> usize {
        usize::from(self.home & !FOREIGN)
    }
}

impl<O: TraceOwner> LocalTrace<O> {
    #[inline]
    pub(super) fn lock(&self) -> MutexGuard<'_, LiveSpans> {
        self.live.lock(|| self.owner.is_inherited())
    }

    /// What a span of this trace tells the next, with the way back to this trace.
    pub(super) fn context(self: &Arc<Self>, id: SpanId, parent: Option<SpanId>) -> TraceContext {
        let mut flags = self.header.flags();
        // Whom it calls follows the flag, also with a tracer that knows nothing of notices.
        if self.is_keep_requested() {
            flags = flags.with_sampled(true);
        }
        let mut context = TraceContext::new(self.header.trace_id, id).with_flags(flags);
        context.parent_span_id = parent;
        context.trace_state = self.header.outgoing_state();
        let local: Arc<Self> = Arc::clone(self);
        context.with_local(LocalHandle::new(local))
    }
}
