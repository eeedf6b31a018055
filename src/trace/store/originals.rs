//! Spans in a store as the tracer that made them handed them over.

use super::foreign_spans::{ForeignSpans, OriginalSlot};
use super::{MemoryBudget, SpanStore};
use crate::trace::Original;

impl SpanStore {
    /// The foreign spans as their tracer made them, if they are of this type.
    pub(crate) fn originals<S: Original>(&self) -> Option<&[S]> {
        self.foreign()?.originals()
    }

    /// Whether dropping the content may run code of the program, as the spans of another tracer may.
    pub(crate) fn is_foreign(&self) -> bool {
        self.foreign().is_some()
    }

    /// The column for one more original of this many bytes, with the summary to which it is added; none when the
    /// store has `max_spans`, holds spans of another kind or has no memory left. An eighth of the budget is kept for
    /// spans that failed.
    ///
    /// The caller pushes the original itself: originals are large, and moved once.
    #[inline(always)]
    pub(crate) fn original_slot<S: Original>(
        &mut self,
        bytes: usize,
        has_failed: bool,
        max_spans: usize,
    ) -> OriginalSlot<'_, S> {
        if !self.recorded.is_empty() {
            return self.no_slot(max_spans);
        }
        let budget = self.recorded.budget_mut();
        let foreign = match &mut self.foreign {
            Some(foreign) => foreign,
            none => none.insert(new_column::<S>(budget)),
        };
        foreign.slot(bytes, has_failed, max_spans, budget)
    }

    /// Why a store of recorded spans has no slot.
    #[cold]
    fn no_slot<S>(&self, max_spans: usize) -> OriginalSlot<'_, S> {
        let is_full = self.recorded.len() >= max_spans;
        if is_full { OriginalSlot::TooManySpans } else { OriginalSlot::NoMemory }
    }

    /// Moves the originals of another store here; false when they are of another type than those that are here.
    pub(super) fn append_originals(&mut self, more: &mut Self) -> bool {
        let Some((originals, late)) = self.foreign.as_mut().zip(more.foreign.as_mut()) else {
            return false;
        };
        let is_appended = originals.append(late);
        if is_appended {
            let budget = self.recorded.budget_mut();
            *budget = budget.with_used(budget.used().saturating_add(more.bytes()));
        }
        is_appended
    }
}

/// A column for originals of this type, whose memory is counted.
#[cold]
fn new_column<S: Original>(budget: &mut MemoryBudget) -> Box<ForeignSpans> {
    let column = Box::new(ForeignSpans::new::<S>());
    budget.add(column.reserved());
    column
}
