//! What is taken out of a store, or copied out of it.

use std::ops::Range;

#[cfg(feature = "layer")]
use super::SpanIndex;
use super::{MemoryBudget, RecordedSpans, SpanStore, Spans};
use crate::trace::Original;

/// Buffers of recorded spans that have reserved more bytes than this are not copied when they are kept.
pub(super) const LARGEST_COPIED: usize = 256 * 1024;

impl SpanStore {
    /// Takes the foreign spans out as their tracer made them, if they are of this type.
    pub(crate) fn take_originals<S: Original>(&mut self) -> Option<Vec<S>> {
        self.foreign_mut()?.0.take_originals()
    }

    /// A copy of some of the spans, by the places at which they stand.
    pub(crate) fn part(&self, spans: Range<usize>) -> Self {
        let recorded = match self.spans() {
            Spans::Recorded(recorded) => recorded.part(spans),
            Spans::Foreign(foreign) => {
                let part = foreign.part(spans);
                let mut recorded = RecordedSpans::default();
                let pointed_to = part.pointed_to();
                recorded.attach(Box::new(part));
                recorded.set_used(recorded.budget().used().saturating_add(pointed_to));
                recorded
            }
        };
        Self { recorded }
    }

    /// Takes the spans that have ended out of the store, and leaves those that are open.
    ///
    /// Both halves have the memory they need: together they may reserve a little more than the whole did.
    pub(crate) fn split_ended(&mut self) -> Self {
        match self.spans() {
            Spans::Recorded(_) => Self { recorded: self.recorded.split_ended() },
            // Originals arrive when they have ended.
            Spans::Foreign(_) => {
                let rest = MemoryBudget::new(self.recorded.budget().limit());
                std::mem::replace(self, Self::with_budget(rest))
            }
        }
    }

    /// Takes one recorded span out of the store.
    #[cfg(feature = "layer")]
    pub(crate) fn take_span(&mut self, span: SpanIndex) -> Self {
        Self { recorded: self.recorded.take_span(span) }
    }

    /// The spans without spare memory: a copy, while the buffer stays for reuse. What is large moves instead, with the
    /// memory it has, because copying would take its time, and foreign spans move as well.
    pub(crate) fn freeze(&mut self) -> Self {
        let used = self.recorded.budget().used();
        if used > LARGEST_COPIED && !self.is_foreign() {
            return Self { recorded: self.recorded.take_all() };
        }
        let foreign = self.foreign_mut().and_then(|(foreign, _)| foreign.freeze());
        let mut recorded = self.recorded.to_exact();
        if let Some((foreign, given_back)) = foreign {
            self.recorded.recount();
            recorded.attach(Box::new(foreign));
            // The budget has counted what the originals point to as well.
            recorded.set_used(used.saturating_sub(given_back));
        }
        Self { recorded }
    }
}
