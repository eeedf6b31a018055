//! Spans that this crate gives their ids: where they start, and how many handles a program has of them.

use std::collections::BTreeMap;

use tracing::Metadata;

use super::place::Place;
use super::{ShardSpans, SpanTable, StartedChild};
use crate::kit::thread_stripe;
use crate::kit::unwind_safe::lock;
use crate::layer::deferred_decision::DeferredDecision;

/// The handles of spans that have more of them than a span counts itself, by their ids.
#[derive(Debug, Default)]
pub(super) struct SpilledHandles(BTreeMap<u64, u64>);

impl SpilledHandles {
    #[cold]
    fn add(&mut self, id: u64) {
        *self.0.entry(id).or_default() += 1;
    }

    /// Takes a handle off; false if the span counts all of its own itself.
    #[cold]
    fn remove(&mut self, id: u64) -> bool {
        let Some(handles) = self.0.get_mut(&id) else { return false };
        *handles -= 1;
        if *handles == 0 {
            self.0.remove(&id);
        }
        true
    }
}

impl ShardSpans {
    #[inline(always)]
    fn start_own_child(
        &mut self,
        shard: usize,
        parent: Place,
        metadata: &'static Metadata<'static>,
    ) -> Option<(u64, StartedChild)> {
        let (number, generation) = self.numbers.next();
        let place = Place::own(shard, number, generation);
        let child = self.start_child(parent, place, metadata)?;
        self.numbers.take(number);
        Some((place.id(), child))
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
        match self.find(place) {
            Some(span) if span.has_one_handle() => {
                self.close(place, decision);
                self.numbers.release(place.number());
                true
            }
            Some(_) => self.remove_one_of_many(place),
            None => false,
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
}

impl SpanTable {
    /// Starts and inserts a child of an open span, in the usual case: the parent stands in the thread's own shard
    /// and has been settled. The id of the child; `None` in other cases.
    #[inline(always)]
    pub(in crate::layer) fn start_own_child(
        &self,
        parent: u64,
        metadata: &'static Metadata<'static>,
    ) -> Option<(u64, StartedChild)> {
        let parent = Place::of(parent);
        let shard = thread_stripe::of_this_thread();
        if parent.shard() != shard {
            return None;
        }
        lock(self.shard(parent)).start_own_child(shard, parent, metadata)
    }

    /// An id that no open span has, for a span that is inserted next.
    pub(in crate::layer) fn reserve(&self) -> u64 {
        let shard = thread_stripe::of_this_thread();
        let mut spans = lock(&self.0[shard].0);
        let (number, generation) = spans.numbers.next();
        spans.numbers.take(number);
        Place::own(shard, number, generation).id()
    }

    /// Counts one more handle of a span.
    #[inline(always)]
    pub(in crate::layer) fn add_handle(&self, id: u64) {
        let place = Place::of(id);
        lock(self.shard(place)).add_handle(place);
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
        lock(self.shard(place)).remove_handle(place, decision)
    }
}
