//! Spans that another tracer made, which stay as they are until their records are asked for.

mod column;
mod operation;
mod originals;
mod packed;
mod summary;

use std::any::{Any, TypeId};
use std::fmt;
use std::mem;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

pub(in crate::trace) use column::{OriginalColumn, PackedColumn};
pub(crate) use packed::PackedForeignSpans;
pub(crate) use summary::ForeignSummary;

use super::memory_budget::MemoryBudget;
use super::recorded_spans::{LATEST_END, RecordedSpans, SpanRecord};
use crate::kit::unwind_safe;
use crate::model::{Limits, Resource};
use crate::time::{ClockCorrection, Tick};
use crate::trace::{Original, SpanMut};

/// Memory for this many originals is reserved where a store expects nothing of its next trace.
const FEW: u32 = 4;

/// Memory for more originals than this is only reserved when they come.
const MOST_EXPECTED: usize = 64;

/// The originals of all spans of a store.
///
/// A policy or an exporter that looks at a span reads its record, which is made then. Most traces are decided and
/// leave without one.
pub(crate) struct ForeignSpans {
    column: Box<dyn OriginalColumn>,
    /// The type of the column.
    kind: TypeId,
    summary: ForeignSummary,
    /// How many originals are likely to come into an empty column: as many as the trace before had.
    expected: u32,
    /// The records without their details, once they were asked for.
    outlines: OnceLock<Box<RecordedSpans>>,
    /// The records with their details, once they were asked for.
    records: OnceLock<Box<RecordedSpans>>,
}

/// Where one more original goes.
pub(crate) enum OriginalSlot<'a, S> {
    /// Into this column, after it was added to the summary.
    Free(&'a mut Vec<S>, &'a mut ForeignSummary),
    /// Nowhere: the store has as many spans as it may have.
    TooManySpans,
    /// Nowhere: it does not fit the budget, or the store holds spans of another kind.
    NoMemory,
}

impl ForeignSpans {
    pub(super) fn new<S: Original>() -> Self {
        Self {
            column: Box::new(Vec::<S>::new()),
            kind: TypeId::of::<Vec<S>>(),
            summary: ForeignSummary::default(),
            expected: FEW,
            outlines: OnceLock::new(),
            records: OnceLock::new(),
        }
    }

    /// Makes an empty column one of such originals, and counts its memory. One that has spans stays as it is.
    #[cold]
    fn change_type<S: Original>(&mut self, budget: &mut MemoryBudget) {
        if self.len() > 0 {
            return;
        }
        let before = self.reserved();
        *self = Self::new::<S>();
        *budget = budget.with_used(budget.used().saturating_sub(before) + self.reserved());
    }

    /// Removes the originals and keeps the memory of the column.
    pub(super) fn clear(&mut self) {
        self.column.clear();
        self.summary = ForeignSummary::default();
        self.forget_records();
    }

    /// The memory of the column and of its records, without what the originals point to.
    pub(super) fn reserved(&self) -> usize {
        size_of::<Self>() + self.column.reserved()
    }

    pub(super) fn len(&self) -> usize {
        debug_assert_eq!(self.column.len(), self.summary.len(), "each original is summed up");
        self.summary.len()
    }

    pub(super) fn has_errors(&self) -> bool {
        self.summary.has_errors()
    }

    pub(super) fn resource(&self) -> Option<&Arc<Resource>> {
        self.summary.resource()
    }

    /// The first start and the last end.
    pub(super) fn times(&self, correction: ClockCorrection) -> Option<(Tick, Tick)> {
        let (start, end) = self.column.times()?;
        let start = Tick::at_wall(start, correction);
        let end = Tick::at_wall(end, correction);
        Some((start, end.max(start).min(LATEST_END)))
    }

    /// The originals, if they are of this type and there are any.
    pub(super) fn originals<S: Original>(&self) -> Option<&[S]> {
        let column: &dyn Any = &*self.column;
        let column = column.downcast_ref::<Vec<S>>()?;
        (!column.is_empty()).then_some(column.as_slice())
    }

    /// Takes the originals out, if they are of this type and there are any.
    pub(super) fn take_originals<S: Original>(&mut self) -> Option<Vec<S>> {
        let column: &mut dyn Any = &mut *self.column;
        let column = column.downcast_mut::<Vec<S>>().filter(|column| !column.is_empty())?;
        self.summary = ForeignSummary::default();
        Some(mem::take(column))
    }

    /// Moves the originals and the records that were made of them into a column of their own, without spare memory
    /// worth mentioning; with it, how many bytes were given back. `None` when there are no originals: then the column
    /// keeps its memory for the next trace.
    pub(super) fn freeze(&mut self) -> Option<(Self, usize)> {
        let len = self.len();
        if len == 0 {
            return None;
        }
        let before = self.column.reserved();
        let frozen = Self {
            column: self.column.take(),
            kind: self.kind,
            summary: mem::take(&mut self.summary),
            expected: FEW,
            outlines: mem::take(&mut self.outlines),
            records: mem::take(&mut self.records),
        };
        self.expected = len.min(MOST_EXPECTED) as u32;
        let given_back = before.saturating_sub(frozen.column.reserved());
        Some((frozen, given_back))
    }

    /// The column and the summary for one more original of this many bytes; none when there are `max_spans` or when
    /// it does not fit the budget, of which an eighth is kept for spans that failed.
    #[inline]
    pub(super) fn slot<S: Original>(
        &mut self,
        bytes: usize,
        has_failed: bool,
        max_spans: usize,
        budget: &mut MemoryBudget,
    ) -> OriginalSlot<'_, S> {
        if self.kind != TypeId::of::<Vec<S>>() {
            self.change_type::<S>(budget);
        }
        if self.summary.len() >= max_spans {
            return OriginalSlot::TooManySpans;
        }
        let column: &mut dyn Any = &mut *self.column;
        let Some(column) = column.downcast_mut::<Vec<S>>() else { return OriginalSlot::NoMemory };
        let elsewhere = bytes.saturating_sub(size_of::<S>());
        if column.len() < column.capacity() && elsewhere == 0 {
            return OriginalSlot::Free(column, &mut self.summary);
        }
        let limit = budget.limit();
        if has_failed {
            *budget = budget.with_error_reserve();
        }
        let fits = reserve_one(column, self.expected as usize, budget)
            && (elsewhere == 0 || budget.claim(elsewhere));
        *budget = budget.with_limit(limit);
        if fits { OriginalSlot::Free(column, &mut self.summary) } else { OriginalSlot::NoMemory }
    }

    /// Moves the originals of another column behind those that are here; false when they are of another type.
    pub(super) fn append(&mut self, more: &mut Self) -> bool {
        if !self.column.append(&mut *more.column) {
            return false;
        }
        self.summary.append(mem::take(&mut more.summary));
        self.forget_records();
        more.forget_records();
        true
    }

    /// A copy of some of the originals. The root is among those of the first part that has it.
    pub(super) fn part(&self, spans: Range<usize>) -> Self {
        let column = self.column.part(spans.clone());
        Self {
            summary: self.summary.of_part(&spans, column.has_errors()),
            column,
            kind: self.kind,
            expected: FEW,
            outlines: OnceLock::new(),
            records: OnceLock::new(),
        }
    }

    /// The memory that the originals point to, in bytes.
    pub(super) fn pointed_to(&self) -> usize {
        self.column.pointed_to()
    }

    /// Gives back the memory of the records.
    pub(super) fn forget_records(&mut self) {
        drop(self.outlines.take());
        drop(self.records.take());
    }

    /// The records without their details, which are made of the originals at the first call.
    #[cold]
    pub(super) fn outlines(&self, correction: ClockCorrection) -> &RecordedSpans {
        if let Some(outlines) = self.outlines.get() {
            return outlines;
        }
        // Made outside of the cell, which must not be locked while the code of an adapter runs.
        let made = Box::new(self.make_outlines(correction));
        self.outlines.get_or_init(|| made)
    }

    fn make_outlines(&self, correction: ClockCorrection) -> RecordedSpans {
        let mut records = RecordedSpans::with_capacity(self.len());
        for index in 0..self.len() {
            self.column.outline(self.summary.original_of(index), &mut records, correction);
        }
        debug_assert_eq!(records.len(), self.len(), "each original has a record");
        records
    }

    /// The records with their details, which are made of the originals at the first call.
    #[cold]
    pub(super) fn records(&self, correction: ClockCorrection) -> &RecordedSpans {
        if let Some(records) = self.records.get() {
            return records;
        }
        let made = Box::new(self.make_records(correction));
        self.records.get_or_init(|| made)
    }

    /// Copies of the outlines with the details of the originals. No limit holds: the limits of a foreign span are
    /// those of its tracer.
    fn make_records(&self, correction: ClockCorrection) -> RecordedSpans {
        let outlines = self.outlines(correction);
        let mut records = RecordedSpans::default();
        for (index, outline) in outlines.indexed() {
            let Ok(copy) = records.push_span(outlines.new_span(outline), &Limits::NONE) else {
                break;
            };
            let mut span = SpanMut::new(&mut records, correction, copy, &Limits::NONE);
            let original = self.summary.original_of(index.get() as usize);
            // What an adapter wrote before it panicked stays.
            let _ = unwind_safe::call(|| self.column.describe(original, &mut span));
            records.restore_outline(copy, outline);
        }
        records.restore_times(outlines);
        records
    }
}

impl Clone for ForeignSpans {
    fn clone(&self) -> Self {
        Self {
            column: self.column.boxed_clone(),
            kind: self.kind,
            summary: self.summary.clone(),
            expected: self.expected,
            outlines: self.outlines.clone(),
            records: self.records.clone(),
        }
    }
}

impl fmt::Debug for ForeignSpans {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ForeignSpans")
            .field("len", &self.column.len())
            .field("has_records", &self.records.get().is_some())
            .finish_non_exhaustive()
    }
}

/// Reserves memory for one more original, of `first` where there is none yet, and for the record that may be made of it.
fn reserve_one<S>(column: &mut Vec<S>, first: usize, budget: &mut MemoryBudget) -> bool {
    let before = column.capacity();
    let has_memory = budget.reserve(column, 1, first);
    let more = column.capacity().saturating_sub(before);
    has_memory && (more == 0 || budget.claim(more.saturating_mul(size_of::<SpanRecord>())))
}
