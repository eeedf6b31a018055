//! Slots in pieces that are made when spans need them and given back when they are empty.

use super::place::Place;
use super::slot::{Slot, SlotEnd};
use crate::layer::deferred_decision::DeferredDecision;
use crate::layer::open_span::OpenSpan;

/// How many slots a piece has: one of 4 KiB is made and given back within a microsecond or two.
pub(super) const PIECE: usize = 64;

/// How many empty pieces wait for use.
const MOST_SPARE: usize = 4;

/// How many pieces there may be in any case. Beyond that, the list of pieces at most doubles for a new
/// span: the numbers of a registry grow one by one, so that one further away is of another scheme.
const ALWAYS_ALLOWED: usize = 1024;

/// Slots by number, as far as there are spans.
///
/// After a burst of open spans the memory goes piece by piece, so that no call pays for the whole.
#[derive(Debug, Default)]
pub(super) struct Pieces {
    /// The piece at an index has the numbers from [`PIECE`] times the index.
    pieces: Vec<Piece>,
    spare: Vec<Box<[Slot; PIECE]>>,
}

#[derive(Debug, Default)]
struct Piece {
    slots: Option<Box<[Slot; PIECE]>>,
    /// How many of them are taken.
    taken: u32,
}

impl Piece {
    #[inline]
    fn slot_mut(&mut self, number: usize) -> Option<&mut Slot> {
        self.slots.as_deref_mut()?.get_mut(number % PIECE)
    }
}

impl Pieces {
    /// The span with a number, if its slot is taken.
    pub(super) fn get_mut(&mut self, number: usize) -> Option<&mut OpenSpan> {
        self.pieces.get_mut(number / PIECE)?.slot_mut(number)?.span_mut()
    }

    /// Whether a number is one that a registry may give next.
    pub(super) fn is_in_scheme(&self, number: usize) -> bool {
        number / PIECE < ALWAYS_ALLOWED.max(2 * self.pieces.len())
    }

    /// Puts a span into its slot, if that can be made and is free; otherwise it is given back.
    #[inline(never)]
    pub(super) fn put(&mut self, number: usize, span: OpenSpan) -> Result<(), OpenSpan> {
        if self.get_mut(number).is_some() || !self.is_in_scheme(number) {
            return Err(span);
        }
        let index = number / PIECE;
        if index >= self.pieces.len() {
            self.pieces.resize_with(index + 1, Piece::default);
        }
        let Some(piece) = self.pieces.get_mut(index) else { return Err(span) };
        if piece.slots.is_none() {
            piece.slots = Some(self.spare.pop().unwrap_or_else(new_slots));
        }
        if let Some(slot) = piece.slot_mut(number) {
            slot.fill(span);
            piece.taken += 1;
        }
        Ok(())
    }

    /// Ends a span that has one handle, and frees its slot.
    #[inline(never)]
    pub(super) fn end(&mut self, place: Place, decision: &mut Option<DeferredDecision>) -> SlotEnd {
        let index = place.number() / PIECE;
        let Some(piece) = self.pieces.get_mut(index) else { return SlotEnd::NotThere };
        let Some(slot) = piece.slot_mut(place.number()) else { return SlotEnd::NotThere };
        let end = slot.end(place.rest(), decision);
        if end == SlotEnd::Ended {
            piece.taken -= 1;
            if piece.taken == 0 {
                self.give_back(index);
            }
        }
        end
    }

    /// Gives an empty piece back.
    #[cold]
    fn give_back(&mut self, index: usize) {
        let slots = self.pieces.get_mut(index).and_then(|piece| piece.slots.take());
        if let Some(slots) = slots
            && self.spare.len() < MOST_SPARE
        {
            self.spare.push(slots);
        }
        while self.pieces.pop_if(|last| last.slots.is_none()).is_some() {}
        let len = self.pieces.len();
        if self.pieces.capacity() > 4 * len.max(PIECE) {
            self.pieces.shrink_to(2 * len);
        }
    }

    /// How many slots there is memory for.
    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        let used = self.pieces.iter().filter(|piece| piece.slots.is_some()).count();
        (used + self.spare.len()) * PIECE
    }

    /// All spans with their numbers.
    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, &OpenSpan)> {
        let slots = self.pieces.iter().enumerate().filter_map(|(index, piece)| {
            let slots = piece.slots.as_deref()?;
            Some(slots.iter().zip(index * PIECE..))
        });
        slots.flatten().filter_map(|(slot, number)| Some((number, slot.span()?)))
    }

    /// All spans.
    pub(super) fn into_spans(self) -> impl Iterator<Item = OpenSpan> {
        let slots = self.pieces.into_iter().filter_map(|piece| piece.slots);
        slots.flat_map(|slots| slots.into_iter().filter_map(Slot::into_span))
    }
}

/// The slots of a piece, every one free.
fn new_slots() -> Box<[Slot; PIECE]> {
    Box::new(std::array::from_fn(|_| Slot::default()))
}
