//! How drafts become spans: when the sampler is asked, and what a parent that comes late changes.

use super::LayerState;
use crate::layer::open_span::{Detachment, OpenSpan};
use crate::model::{Baggage, BaggageError, Incoming, Link, TraceContext};
use crate::record::{ActiveSpan, Draft, SpanStart};

impl LayerState {
    /// Starts a draft, with what is `incoming` if there is anything, and asks its sampler. False when the
    /// span did not start so: another thread has started it, or its sampler is being asked on this thread.
    ///
    /// The draft stays in the table while its sampler is asked, so that what the sampler asks of the same
    /// span finds it.
    pub(super) fn settle(&self, id: u64, incoming: Option<&Incoming>) -> bool {
        if incoming.is_none() && self.with_span(id, OpenSpan::settle_unasked).unwrap_or(false) {
            return true;
        }
        let request = self.with_span(id, |span| span.request(incoming)).flatten();
        let answer = request.and_then(|request| request.ask());
        let settled = answer.and_then(|answer| self.with_span(id, |span| span.settle(answer)));
        settled.unwrap_or(false)
    }

    /// The context that a span hands to the next. From now on the span's parent cannot change.
    pub(in crate::layer) fn context(&self, id: u64) -> Option<TraceContext> {
        self.settle(id, None);
        let context = self.with_span(id, |span| {
            span.finalize_parent();
            span.context()
        });
        context.flatten()
    }

    /// The baggage that a span hands to the next. From now on the span's parent cannot change.
    pub(in crate::layer) fn baggage(&self, id: u64) -> Option<Baggage> {
        self.settle(id, None);
        self.with_span(id, |span| {
            span.finalize_parent();
            span.baggage().cloned()
        })
        .flatten()
    }

    /// Changes the baggage that a span hands to the next. From now on the span's parent cannot change.
    ///
    /// # Errors
    /// When there is no such baggage, or no memory for it; it stays as it is then.
    pub(in crate::layer) fn change_baggage(
        &self,
        id: u64,
        change: impl FnOnce(&Baggage) -> Result<Baggage, BaggageError>,
    ) -> Result<(), BaggageError> {
        self.settle(id, None);
        let limit = self.carried_limit();
        // Under one lock, so that of two threads that add members each keeps the other's.
        let changed = self.with_span(id, |span| {
            span.finalize_parent();
            let Some(baggage) = span.baggage() else { return Ok(()) };
            let changed = change(baggage)?;
            if !limit.has_room_for(&changed) {
                return Err(BaggageError::NoRoom);
            }
            span.set_baggage(changed);
            Ok(())
        });
        changed.unwrap_or(Ok(()))?;
        self.update_context_bridge(id);
        Ok(())
    }

    /// Puts a span under the parent that is `incoming`, or starts a new trace with baggage that came
    /// without one. When it is too late for that, the span gets a link to the parent instead, and the answer
    /// is false.
    pub(in crate::layer) fn set_parent(&self, id: u64, incoming: &Incoming) -> bool {
        let has_parent = incoming.context.is_some() || !incoming.baggage.is_empty();
        let is_set = !has_parent || self.start_under(id, incoming);
        let too_late = incoming.context.as_ref().filter(|_| !is_set);
        for caller in too_late.into_iter().chain(&incoming.link) {
            let link = Link::new(caller.clone());
            self.write(id, |span| {
                span.add_link(link);
            });
        }
        self.update_context_bridge(id);
        is_set
    }

    fn start_under(&self, id: u64, incoming: &Incoming) -> bool {
        let detached = self.with_span(id, |span| (span.detach(), span.metadata()));
        match detached {
            Some((Detachment::Draft(left_behind), _)) => {
                // Asks the tail when the trace that the span left is complete now.
                drop(left_behind);
                self.settle(id, Some(incoming))
            }
            Some((Detachment::Unrecorded, metadata)) => {
                let start = SpanStart {
                    parent: incoming.context.as_ref(),
                    baggage: incoming.baggage.clone(),
                    ..SpanStart::new(metadata.name().into())
                };
                let new = self.recorders.current().start(start);
                self.replace_unrecorded(id, new)
            }
            Some((Detachment::Refused, _)) | None => false,
        }
    }

    fn replace_unrecorded(&self, id: u64, new: ActiveSpan) -> bool {
        let mut new = Some(new);
        let replaced = self.with_span(id, |span| span.replace_unrecorded(new.take()?).err());
        match replaced.unwrap_or(new) {
            None => true,
            Some(refused) => {
                Draft::cancel(refused);
                false
            }
        }
    }
}
