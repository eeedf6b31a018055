//! From draft to span, and back.

use std::mem;

use super::{Detachment, OpenSpan, SpanState};
use crate::model::Incoming;
use crate::record::{ActiveSpan, DetachedSpan, Draft, DraftOutcome, DraftRequest};

impl OpenSpan {
    /// Starts a draft whose head need not be asked; false when the span is none.
    pub(in crate::layer) fn settle_unasked(&mut self) -> bool {
        let (state, is_settled) = match mem::replace(&mut self.state, SpanState::Moving) {
            SpanState::Draft(draft) => match draft.start_unasked() {
                Ok(span) => (SpanState::Started(span), true),
                Err(draft) => (SpanState::Draft(draft), false),
            },
            state => (state, false),
        };
        self.state = state;
        is_settled
    }

    /// What to ask the sampler before the span can start; `None` when it has started.
    pub(in crate::layer) fn request(&self, incoming: Option<&Incoming>) -> Option<DraftRequest> {
        match &self.state {
            SpanState::Draft(draft) => Some(draft.request(incoming)),
            SpanState::Started(_) | SpanState::Moving => None,
        }
    }

    /// Starts the span; false when another thread has started it meanwhile.
    pub(in crate::layer) fn settle(&mut self, answer: DraftOutcome) -> bool {
        match mem::replace(&mut self.state, SpanState::Moving) {
            SpanState::Draft(draft) => {
                self.state = SpanState::Started(draft.settle(answer));
                true
            }
            state => {
                self.state = state;
                false
            }
        }
    }

    /// Makes the span a draft again, so that it can start under another parent.
    pub(in crate::layer) fn detach(&mut self) -> Detachment {
        if self.is_parent_final {
            return Detachment::Refused;
        }
        let (state, detachment) = match mem::replace(&mut self.state, SpanState::Moving) {
            SpanState::Started(span) => match Draft::detach(span) {
                DetachedSpan::Draft(draft, left_behind) => {
                    (SpanState::Draft(draft), Detachment::Draft(left_behind))
                }
                DetachedSpan::Unrecorded(span) => {
                    (SpanState::Started(span), Detachment::Unrecorded)
                }
                DetachedSpan::Refused(span) => (SpanState::Started(span), Detachment::Refused),
            },
            state @ SpanState::Draft(_) => (state, Detachment::Draft(None)),
            SpanState::Moving => (SpanState::Moving, Detachment::Refused),
        };
        self.state = state;
        detachment
    }

    /// Puts a span that was started anew in the place of one that is not recorded; gives it back when the
    /// old one's parent has become final, or it was replaced, meanwhile.
    pub(in crate::layer) fn replace_unrecorded(
        &mut self,
        new: ActiveSpan,
    ) -> Result<(), ActiveSpan> {
        if self.is_parent_final || !self.is_unrecorded() {
            return Err(new);
        }
        if let SpanState::Started(old) = mem::replace(&mut self.state, SpanState::Started(new)) {
            Draft::cancel(old);
        }
        Ok(())
    }
}
