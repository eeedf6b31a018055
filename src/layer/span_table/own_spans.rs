//! The spans that have ids of ours: the table gives them out, and counts the handles.

use std::num::NonZeroU64;

use parking_lot::MutexGuard;
use tracing::Metadata;

use super::place::Place;
use super::slot::SlotEnd;
use super::{ShardSpans, SpanTable, StartedChild};
use crate::kit::thread_stripe;
use crate::layer::deferred_decision::DeferredDecision;
use crate::layer::open_span::OpenSpan;

impl ShardSpans {
    #[inline(always)]
    fn start_own_child(
        &mut self,
        shard: usize,
        parent: Place,
        metadata: &'static Metadata<'static>,
    ) -> Option<(NonZeroU64, StartedChild)> {
        let (number, generation) = self.numbers.next();
        let place = Place::own(shard, number, generation);
        let child = self.start_child(parent, place, metadata)?;
        self.numbers.take(number);
        Some((place.own_id(), child))
    }

    #[inline(always)]
    fn add_handle(&mut self, place: Place) {
        if let Some(span) = self.find(place)
            && !span.add_handle()
        {
            self.spilled.add(place.id());
        }
    }

    #[inline(always)]
    fn remove_handle(&mut self, place: Place, decision: &mut Option<DeferredDecision>) -> bool {
        let mut end = self.slots.end(place, decision);
        if end == SlotEnd::NotThere {
            end = self.close_in_overflow(place.id(), decision).unwrap_or(end);
        }
        match end {
            SlotEnd::Ended => {
                self.numbers.release(place.number());
                true
            }
            SlotEnd::HasHandles => self.remove_one_of_many(place),
            SlotEnd::NotThere => false,
        }
    }

    #[inline(never)]
    fn remove_one_of_many(&mut self, place: Place) -> bool {
        if !self.spilled.remove(place.id())
            && let Some(span) = self.find(place)
        {
            span.remove_handle();
        }
        false
    }

    /// A place that no open span has.
    #[inline]
    fn take_place(&mut self, shard: usize) -> Place {
        let (number, generation) = self.numbers.next();
        self.numbers.take(number);
        Place::own(shard, number, generation)
    }
}

impl SpanTable {
    /// Starts and inserts a child of an open span, in the usual case: the parent stands in the thread's own shard
    /// and has been settled. The id of the child; `None` in other cases.
    #[inline(always)]
    pub(in crate::layer) fn start_own_child(
        &self,
        parent: u64,
        metadata: &'static Metadata<'static>,
    ) -> Option<(NonZeroU64, StartedChild)> {
        let parent = Place::of(parent);
        let shard = thread_stripe::of_this_thread();
        if parent.shard() != shard {
            return None;
        }
        self.shard(parent).lock().start_own_child(shard, parent, metadata)
    }

    /// Inserts a span, and gives it an id that no open span has.
    #[inline]
    pub(in crate::layer) fn insert_own(&self, mut span: OpenSpan) -> NonZeroU64 {
        let shard = thread_stripe::of_this_thread();
        let mut spans = self.0[shard].0.lock();
        let place = spans.take_place(shard);
        span.set_id_rest(place.rest());
        if let Err(span) = spans.slots.put(place.number(), span) {
            let replaced = spans.overflow.insert(place.id(), span);
            debug_assert!(replaced.is_none(), "the id is new");
        }
        place.own_id()
    }

    /// An id that no open span has, for a span that is inserted next.
    pub(in crate::layer) fn reserve(&self) -> NonZeroU64 {
        let shard = thread_stripe::of_this_thread();
        self.0[shard].0.lock().take_place(shard).own_id()
    }

    /// Whether a child of a span has to be made: not where the span is not recorded; one that is a span is counted then.
    #[inline(always)]
    pub(in crate::layer) fn wants_child(&self, id: u64, is_span: bool) -> bool {
        let place = Place::of(id);
        let Some(spans) = self.shard(place).try_lock() else {
            return self.wants_child_once_free(place, is_span);
        };
        if spans.slots.skips_child(place, is_span) {
            return false;
        }
        Self::wants_child_in(spans, place, is_span)
    }

    #[cold]
    fn wants_child_once_free(&self, place: Place, is_span: bool) -> bool {
        Self::wants_child_in(self.shard(place).lock(), place, is_span)
    }

    #[inline(never)]
    fn wants_child_in(mut spans: MutexGuard<'_, ShardSpans>, place: Place, is_span: bool) -> bool {
        !spans.find(place).is_some_and(|span| span.skips_child(is_span))
    }

    /// Counts one more handle of a span.
    #[inline(always)]
    pub(in crate::layer) fn add_handle(&self, id: u64) {
        let place = Place::of(id);
        self.shard(place).lock().add_handle(place);
    }

    /// Takes a handle of a span off, and ends and forgets the span with its last; whether it was that. A decision
    /// that its end calls for goes to `decision`.
    #[inline(always)]
    pub(in crate::layer) fn remove_handle(
        &self,
        id: u64,
        decision: &mut Option<DeferredDecision>,
    ) -> bool {
        let place = Place::of(id);
        self.shard(place).lock().remove_handle(place, decision)
    }
}
