//! The places of a shard's spans, by number.

use tracing::Metadata;

use super::pieces::{PIECE, Pieces};
use super::place::Place;
use super::slot::{Slot, SlotEnd};
use crate::layer::deferred_decision::DeferredDecision;
use crate::layer::fields::ValueLimit;
use crate::layer::open_span::OpenSpan;

/// A slot for each number that spans have, as far as there are spans.
#[derive(Debug, Default)]
pub(super) struct Slots {
    /// The slots of the lowest numbers, which stay: where few spans are open at a time, they are here.
    /// Empty until the first of them is taken.
    first: Vec<Slot>,
    /// The slots of higher numbers.
    beyond: Pieces,
}

impl Slots {
    /// The span with a number, if its slot is taken.
    #[inline(always)]
    pub(super) fn get_mut(&mut self, number: usize) -> Option<&mut OpenSpan> {
        match self.first.get_mut(number) {
            Some(slot) => slot.span_mut(),
            None => self.beyond.get_mut(number),
        }
    }

    /// Whether there is such a span among the first, and it skips a child.
    #[inline(always)]
    pub(super) fn skips_child(&self, place: Place, is_span: bool) -> bool {
        let slot = self.first.get(place.number());
        let span = slot.and_then(Slot::span).filter(|span| span.id_rest() == place.rest());
        span.is_some_and(|span| span.skips_child(is_span))
    }

    /// Starts a child of the span at one place, in the slot of another. `None` where that is not free, or
    /// there is no such span, or it has to be settled first; otherwise how much of its values the child keeps.
    #[inline(always)]
    pub(super) fn start_child(
        &mut self,
        parent: Place,
        place: Place,
        metadata: &'static Metadata<'static>,
    ) -> Option<Option<ValueLimit>> {
        let both = self.first.get_disjoint_mut([parent.number(), place.number()]);
        let Ok([parent_slot, slot]) = both else {
            return self.start_child_beyond(parent, place, metadata);
        };
        // The slot is looked at first: a child that has started has to stand somewhere.
        if slot.span().is_some() {
            return None;
        }
        let parent_span = parent_slot.span_mut().filter(|span| span.id_rest() == parent.rest())?;
        if parent_span.is_unrecorded() {
            // Known to be one, the child is made where it will stand.
            slot.fill(parent_span.start_child(metadata, place.rest())?);
            return Some(None);
        }
        let child = parent_span.start_child(metadata, place.rest())?;
        let limit = child.value_limit();
        slot.fill(child);
        Some(limit)
    }

    #[inline(never)]
    fn start_child_beyond(
        &mut self,
        parent: Place,
        place: Place,
        metadata: &'static Metadata<'static>,
    ) -> Option<Option<ValueLimit>> {
        if self.get_mut(place.number()).is_some() || !self.beyond.is_in_scheme(place.number()) {
            return None;
        }
        let parent_span = self.get_mut(parent.number())?;
        if parent_span.id_rest() != parent.rest() {
            return None;
        }
        let child = parent_span.start_child(metadata, place.rest())?;
        let limit = child.value_limit();
        let put = self.put(place.number(), child);
        debug_assert!(put.is_ok(), "the slot can be made and is free");
        Some(limit)
    }

    /// Puts a span into its slot, if that can be made and is free; otherwise it is given back.
    #[inline]
    pub(super) fn put(&mut self, number: usize, span: OpenSpan) -> Result<(), OpenSpan> {
        if number < PIECE && self.first.is_empty() {
            self.make_first();
        }
        match self.first.get_mut(number) {
            Some(slot) if slot.span().is_none() => {
                slot.fill(span);
                Ok(())
            }
            Some(_) => Err(span),
            None => self.beyond.put(number, span),
        }
    }

    #[cold]
    fn make_first(&mut self) {
        self.first.resize_with(PIECE, Slot::default);
    }

    /// Ends a span that has one handle, and frees its slot.
    #[inline(always)]
    pub(super) fn end(&mut self, place: Place, decision: &mut Option<DeferredDecision>) -> SlotEnd {
        match self.first.get_mut(place.number()) {
            Some(slot) => slot.end(place.rest(), decision),
            None => self.beyond.end(place, decision),
        }
    }

    /// All spans with their numbers.
    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, &OpenSpan)> {
        let first = self.first.iter().zip(0..);
        let first = first.filter_map(|(slot, number)| Some((number, slot.span()?)));
        first.chain(self.beyond.iter())
    }

    /// All spans.
    pub(super) fn into_spans(self) -> impl Iterator<Item = OpenSpan> {
        let first = self.first.into_iter().filter_map(Slot::into_span);
        first.chain(self.beyond.into_spans())
    }

    /// How many slots there is memory for.
    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.first.capacity() + self.beyond.capacity()
    }
}
