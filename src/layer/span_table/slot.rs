//! The place of one span.

use std::mem;

use crate::layer::deferred_decision::DeferredDecision;
use crate::layer::open_span::OpenSpan;

/// A span, or the room for one. It is one cache line, so that ending a span touches no second.
#[derive(Debug, Default)]
#[repr(align(64))]
pub(super) struct Slot(Option<OpenSpan>);

/// What came of the attempt to end a span in its slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SlotEnd {
    Ended,
    /// It has more handles than one, and goes on.
    HasHandles,
    /// There is none with this number and this rest of its id.
    NotThere,
}

const _: () = assert!(size_of::<Slot>() == 64, "a slot is one cache line");

impl Slot {
    #[inline(always)]
    pub(super) fn span(&self) -> Option<&OpenSpan> {
        self.0.as_ref()
    }

    #[inline(always)]
    pub(super) fn span_mut(&mut self) -> Option<&mut OpenSpan> {
        self.0.as_mut()
    }

    pub(super) fn into_span(self) -> Option<OpenSpan> {
        self.0
    }

    /// Puts a span into a slot that is free.
    #[inline(always)]
    pub(super) fn fill(&mut self, span: OpenSpan) {
        debug_assert!(self.0.is_none(), "the slot is free");
        // Nothing is forgotten: an assignment would drop what is not there.
        mem::forget(self.0.replace(span));
    }

    /// Ends the span and forgets it, if it has this rest of its id and one handle.
    #[inline(always)]
    pub(super) fn end(&mut self, id_rest: u32, decision: &mut Option<DeferredDecision>) -> SlotEnd {
        let Some(span) = self.0.as_mut().filter(|span| span.id_rest() == id_rest) else {
            return SlotEnd::NotThere;
        };
        if !span.has_one_handle() {
            return SlotEnd::HasHandles;
        }
        if span.is_unrecorded() {
            if let Some(span) = self.0.take() {
                drop(span.into_unrecorded_trace());
            }
        } else {
            span.close(decision);
            // It is dropped where it stands: moving it out costs more than all the rest.
            self.0 = None;
        }
        SlotEnd::Ended
    }
}
