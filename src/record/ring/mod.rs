//! The recently dropped traces, which can still be kept.
//!
//! A ring keeps no buffers. A trace that is dropped is copied, compact and in sequence, into the last of the ring's
//! segments, and its buffer goes back to the pool while it is still in the cache. What is expensive to copy (a large
//! trace) or cannot be copied (spans of another tracer) is moved in as it is. The oldest segment goes first, whole.

mod dropped;
mod index;
mod segment;

use std::collections::VecDeque;
use std::time::Duration;

pub(super) use self::dropped::{DroppedTrace, NEVER, Pushed, RingPlace};
use self::index::RingIndex;
use self::segment::{Segment, SegmentShape};
use super::quota::{Quota, Share};
use crate::model::TraceId;
use crate::time::Tick;
use crate::trace::header::TraceHeader;
use crate::trace::store::SpanStore;

/// A segment is full when it has this many bytes, or an eighth of the ring.
const SEGMENT_BYTES: usize = 64 * 1024;

/// How much the rings of all stripes may hold together, and for how long.
#[derive(Debug)]
pub(super) struct RingLimits {
    pub(super) bytes: Quota,
    age: Duration,
    segment_bytes: usize,
}

/// What left a ring. The caller drops it where it holds no lock: spans of another tracer may run code when they go, and
/// what was many small traces takes its time.
#[derive(Debug, Default)]
pub(super) struct Leavings {
    pub(super) spans: u64,
    segments: Vec<Segment>,
    stores: Vec<SpanStore>,
}

/// The dropped traces of one stripe.
#[derive(Debug)]
pub(super) struct Ring {
    /// The oldest first; traces are added to the last.
    segments: VecDeque<Segment>,
    /// The number of the first segment: each that ever was has its own.
    first: u64,
    index: RingIndex,
    /// What the next segment reserves.
    shape: SegmentShape,
    spans: u64,
    bytes: Share,
}

/// The traces of an id that were taken out of a ring.
#[derive(Debug, Default)]
pub(super) struct TakenTraces {
    pub(super) traces: Vec<DroppedTrace>,
    /// How many more the ring has.
    pub(super) left: u64,
}

impl Leavings {
    /// Shows each trace that left with its segment, and that no request took out before, whose id `is_wanted`: with the
    /// time it took, where that is still known.
    pub(super) fn visit(
        &self,
        is_wanted: impl Fn(TraceId) -> bool,
        mut show: impl FnMut(TraceId, Option<Duration>),
    ) {
        self.segments.iter().for_each(|segment| segment.visit_left(&is_wanted, &mut show));
    }

    /// The buffers that were moved into the ring, for other traces to use.
    pub(super) fn into_stores(self) -> impl Iterator<Item = SpanStore> {
        self.segments.into_iter().flat_map(Segment::into_stores).chain(self.stores)
    }
}

impl RingLimits {
    pub(super) fn new(bytes: usize, age: Duration) -> Self {
        Self { bytes: Quota::new(bytes), age, segment_bytes: SEGMENT_BYTES.min(bytes / 8) }
    }

    fn is_too_old(&self, since: Tick, now: Tick) -> bool {
        now.since(since) >= self.age
    }
}

impl Ring {
    pub(super) fn new() -> Self {
        Self {
            segments: VecDeque::new(),
            first: 0,
            index: RingIndex::default(),
            shape: SegmentShape::default(),
            spans: 0,
            bytes: Share::default(),
        }
    }

    /// Holds a trace. The rings may have more than their limit then, which [`RingLimits::bytes`] says: the oldest
    /// segment of them all has to go.
    pub(super) fn push(
        &mut self,
        header: &TraceHeader,
        store: &mut SpanStore,
        now: Tick,
        limits: &RingLimits,
    ) -> Pushed {
        let bytes = store.content_bytes();
        if bytes >= limits.bytes.limit() {
            return Pushed::Refused;
        }
        let fingerprint = self.index.fingerprint(header.trace_id);
        self.spans += store.len() as u64;
        // What nearly every trace comes to: a copy into memory that is there.
        if let Some(segment) = self.segments.back_mut()
            && segment.has_room_for(store, bytes)
        {
            if segment.copy(header, fingerprint, now, store) {
                limits.bytes.add(&mut self.bytes, segment.take_uncounted());
            }
            return Pushed::Copied;
        }
        self.push_and_grow(header, fingerprint, store, bytes, now, limits)
    }

    #[cold]
    fn push_and_grow(
        &mut self,
        header: &TraceHeader,
        fingerprint: u32,
        store: &mut SpanStore,
        bytes: usize,
        now: Tick,
        limits: &RingLimits,
    ) -> Pushed {
        let is_full = |segment: &Segment| segment.is_full_for(store, bytes, limits.segment_bytes);
        if self.segments.back().is_none_or(is_full) {
            self.begin_segment(limits);
        }
        let Some(segment) = self.segments.back_mut() else { return Pushed::Refused };
        let pushed = segment.push(header, fingerprint, now, store, bytes);
        limits.bytes.add(&mut self.bytes, segment.take_uncounted());
        pushed
    }

    /// Enters the full segment into the index, and begins another.
    #[cold]
    fn begin_segment(&mut self, limits: &RingLimits) {
        if let Some(full) = self.segments.back() {
            self.shape = full.shape(limits.segment_bytes);
            let number = self.first + self.segments.len() as u64 - 1;
            let grown = self.index.enter(number, full.fingerprints());
            limits.bytes.add(&mut self.bytes, grown);
        }
        self.segments.push_back(Segment::with_capacity(self.shape));
    }

    /// When the oldest trace was dropped; [`NEVER`] where there is none.
    pub(super) fn oldest(&self) -> Tick {
        self.segments.front().map_or(NEVER, Segment::oldest)
    }

    /// How long ago the oldest trace was dropped that can still be found; zero where there is none.
    pub(super) fn reach(&self, now: Tick, limits: &RingLimits) -> Duration {
        if self.spans == 0 { Duration::ZERO } else { now.since(self.oldest()).min(limits.age) }
    }

    /// The memory it takes.
    pub(super) const fn bytes(&self) -> usize {
        self.bytes.used()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.segments.is_empty()
    }

    /// Takes the oldest segment out.
    pub(super) fn pop_segment(&mut self, limits: &RingLimits) -> Leavings {
        let mut left = Leavings::default();
        let Some(segment) = self.segments.pop_front() else { return left };
        self.first += 1;
        self.spans -= segment.spans();
        left.spans = segment.spans();
        let freed = segment.counted() + self.index.forget_before(self.first);
        limits.bytes.give_back(&mut self.bytes, freed);
        left.segments.push(segment);
        left
    }

    /// Takes out what is too old.
    pub(super) fn expire(&mut self, now: Tick, limits: &RingLimits) -> Leavings {
        let mut left = Leavings::default();
        let is_old = |since| limits.is_too_old(since, now);
        while self.segments.front().is_some_and(|segment| is_old(segment.newest())) {
            let popped = self.pop_segment(limits);
            left.spans += popped.spans;
            left.segments.extend(popped.segments);
        }
        if let Some(segment) = self.segments.front_mut() {
            let spans = segment.expire(is_old, &mut left.stores);
            self.spans -= spans;
            left.spans += spans;
        }
        left
    }

    /// Takes up to `most` local traces of a trace id out, the newest first. Costs a look at each table of the index, and
    /// one at each trace that is found.
    pub(super) fn take(
        &mut self,
        id: TraceId,
        now: Tick,
        limits: &RingLimits,
        most: usize,
    ) -> TakenTraces {
        let mut taken = TakenTraces::default();
        let Self { segments, first, index, spans, bytes, .. } = self;
        let fingerprint = index.fingerprint(id);
        let is_old = |since| limits.is_too_old(since, now);
        let mut take = |segment: &mut Segment, entry: usize| {
            if taken.traces.len() >= most {
                taken.left += u64::from(segment.holds(entry, id, is_old));
            } else if let Some(dropped) = segment.take(entry, id, is_old) {
                *spans -= dropped.store.len() as u64;
                limits.bytes.give_back(bytes, segment.take_freed());
                taken.traces.push(dropped);
            }
        };
        if let Some(last) = segments.back_mut() {
            let mut end = last.len();
            while let Some(entry) = last.find_before(end, fingerprint) {
                take(last, entry);
                end = entry;
            }
        }
        index.visit(fingerprint, |number, entry| {
            let place = number.checked_sub(*first).and_then(|place| usize::try_from(place).ok());
            let segment = place.and_then(|place| segments.get_mut(place));
            // Older ones have gone with their segments.
            segment.map(|segment| take(segment, entry)).is_some()
        });
        taken
    }

    /// Where the trace stands that was pushed last.
    pub(super) fn last_place(&self) -> RingPlace {
        let segment = self.first + (self.segments.len() as u64).saturating_sub(1);
        let entry = self.segments.back().map_or(0, |last| last.len().saturating_sub(1));
        RingPlace::new(segment, entry)
    }

    /// Takes the trace that stands there out; `None` when it has left the ring or is too old.
    pub(super) fn take_at(
        &mut self,
        place: RingPlace,
        id: TraceId,
        now: Tick,
        limits: &RingLimits,
    ) -> Option<DroppedTrace> {
        let segment = usize::try_from(place.segment().checked_sub(self.first)?).ok()?;
        let segment = self.segments.get_mut(segment)?;
        let is_old = |since| limits.is_too_old(since, now);
        let dropped = segment.take(place.entry(), id, is_old)?;
        self.spans -= dropped.store.len() as u64;
        limits.bytes.give_back(&mut self.bytes, segment.take_freed());
        Some(dropped)
    }

    pub(super) const fn spans(&self) -> u64 {
        self.spans
    }
}
