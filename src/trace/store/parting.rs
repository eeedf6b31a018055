//! What is taken out of a store, or copied out of it.

use std::ops::Range;

#[cfg(feature = "layer")]
use super::SpanIndex;
use super::{MemoryBudget, SpanStore, Spans};
use crate::trace::Original;

/// Buffers of recorded spans that have reserved more bytes than this are not copied when they are kept.
pub(super) const LARGEST_COPIED: usize = 256 * 1024;

impl SpanStore {
    /// Takes the foreign spans out as their tracer made them, if they are of this type.
    pub(crate) fn take_originals<S: Original>(&mut self) -> Option<Vec<S>> {
        self.foreign.as_mut()?.take_originals()
    }

    /// A copy of some of the spans, by the places at which they stand.
    pub(crate) fn part(&self, spans: Range<usize>) -> Self {
        match self.spans() {
            Spans::Recorded(recorded) => Self::of_recorded(recorded.part(spans)),
            Spans::Foreign(foreign) => {
                let part = foreign.part(spans);
                let used = part.reserved().saturating_add(part.pointed_to());
                Self::of_foreign(part, used)
            }
        }
    }

    /// Takes the spans that have ended out of the store, and leaves those that are open.
    ///
    /// Both halves have the memory they need: together they may reserve a little more than the whole did.
    pub(crate) fn split_ended(&mut self) -> Self {
        // Originals arrive when they have ended.
        if self.is_foreign() {
            let rest = MemoryBudget::new(self.recorded.budget().limit());
            return std::mem::replace(self, Self::with_budget(rest));
        }
        self.forget_empty_column();
        Self::of_recorded(self.recorded.split_ended())
    }

    /// Takes one recorded span out of the store.
    #[cfg(feature = "layer")]
    pub(crate) fn take_span(&mut self, span: SpanIndex) -> Self {
        self.forget_empty_column();
        Self::of_recorded(self.recorded.take_span(span))
    }

    /// The spans without spare memory: a copy, while the buffer stays for reuse. What is large moves instead, with the
    /// memory it has, because copying would take its time, and foreign spans move as well.
    pub(crate) fn freeze(&mut self) -> Self {
        let used = self.recorded.budget().used();
        if let Some((foreign, given_back)) = self.foreign.as_mut().and_then(|all| all.freeze()) {
            self.recount();
            // The budget has counted what the originals point to as well.
            return Self::of_foreign(foreign, used.saturating_sub(given_back));
        }
        if used > LARGEST_COPIED {
            self.forget_empty_column();
            return Self::of_recorded(self.recorded.take_all());
        }
        Self::of_recorded(self.recorded.to_exact())
    }
}
