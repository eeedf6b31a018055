//! The spans of one local trace in one buffer.
//!
//! A [`SpanStore`] is of one of two kinds: it holds [`RecordedSpans`], which this crate's tracer, layer or provider
//! recorded, or [`ForeignSpans`], which another tracer made and an adapter handed over whole. Its methods answer for
//! both kinds, so that their callers need not know which it is; the records of spans are reached through
//! [`outlines`](SpanStore::outlines) and [`records`](SpanStore::records) alone.

mod foreign_spans;
mod index;
mod memory_budget;
mod originals;
mod parting;
mod parts;
mod recorded_spans;

use std::sync::Arc;

use foreign_spans::ForeignSpans;
pub(in crate::trace) use foreign_spans::{OriginalColumn, PackedColumn};
pub(crate) use foreign_spans::{OriginalSlot, PackedForeignSpans};
#[cfg(feature = "layer")]
pub(crate) use index::ByteRange;
pub(crate) use index::{LogIndex, SpanIndex};
pub(crate) use memory_budget::MemoryBudget;
#[cfg(feature = "layer")]
pub(crate) use recorded_spans::PreparedTags;
pub(crate) use recorded_spans::{ColumnLengths, PackedColumns, PackedSpans};
pub(crate) use recorded_spans::{LinkRecord, LogRecord, NewSpan, RecordedSpans, SpanRecord};
pub(crate) use recorded_spans::{PartFinder, PartRule, TakenPart};

use crate::model::Resource;
use crate::time::{ClockCorrection, Tick};

/// The spans of one local trace.
///
/// Recorded spans stand in the store itself and not in a variant of an enum: a trace that the tracer records then pays
/// no branch for each write, and a store that is cleared keeps the memory of both kinds.
#[derive(Clone, Debug, Default)]
pub(crate) struct SpanStore {
    /// Empty in a store of foreign spans. Its budget is that of both.
    recorded: RecordedSpans,
    /// Stays, empty, in a store that was cleared.
    foreign: Option<Box<ForeignSpans>>,
}

/// The spans of a store by their kind.
enum Spans<'a> {
    Recorded(&'a RecordedSpans),
    Foreign(&'a ForeignSpans),
}

impl SpanStore {
    /// Limits what it may reserve from now on.
    #[inline]
    pub(crate) fn limit_memory(&mut self, bytes: u32) {
        self.recorded.limit_memory(bytes);
    }

    pub(crate) fn with_budget(budget: MemoryBudget) -> Self {
        Self::of_recorded(RecordedSpans::with_budget(budget))
    }

    #[inline(always)]
    fn of_recorded(recorded: RecordedSpans) -> Self {
        Self { recorded, foreign: None }
    }

    /// A store of foreign spans, which take this many bytes.
    fn of_foreign(foreign: ForeignSpans, used: usize) -> Self {
        let budget = MemoryBudget::default().with_used(used);
        Self { recorded: RecordedSpans::with_budget(budget), foreign: Some(Box::new(foreign)) }
    }

    #[inline]
    fn spans(&self) -> Spans<'_> {
        match self.foreign() {
            None => Spans::Recorded(&self.recorded),
            Some(foreign) => {
                debug_assert!(self.recorded.is_empty(), "a store holds spans of one kind");
                Spans::Foreign(foreign)
            }
        }
    }

    /// The foreign spans, if there are any.
    #[inline]
    fn foreign(&self) -> Option<&ForeignSpans> {
        self.foreign.as_deref().filter(|foreign| foreign.len() > 0)
    }

    /// Gives back the memory of an empty column.
    #[inline]
    fn forget_empty_column(&mut self) {
        if let Some(foreign) = self.foreign.take_if(|foreign| foreign.len() == 0) {
            let budget = self.recorded.budget_mut();
            *budget = budget.with_used(budget.used().saturating_sub(foreign.reserved()));
        }
    }

    /// The recorded spans, to be written. A store of foreign spans has none, so that what is written to a span of
    /// it changes nothing; [`make_recorded`](Self::make_recorded) makes them recorded ones first.
    #[inline]
    pub(crate) fn recorded_mut(&mut self) -> &mut RecordedSpans {
        &mut self.recorded
    }

    /// The records of all spans. Those of foreign spans are made at the first call, and lack what only
    /// [`records`](Self::records) reads: tags, log entries, links, losses and descriptions of errors.
    #[inline]
    pub(crate) fn outlines(&self, correction: ClockCorrection) -> &RecordedSpans {
        match self.spans() {
            Spans::Recorded(recorded) => recorded,
            Spans::Foreign(foreign) => foreign.outlines(correction),
        }
    }

    /// The records of all spans with everything that belongs to them. Those of foreign spans are made at the
    /// first call.
    #[inline]
    pub(crate) fn records(&self, correction: ClockCorrection) -> &RecordedSpans {
        match self.spans() {
            Spans::Recorded(recorded) => recorded,
            Spans::Foreign(foreign) => foreign.records(correction),
        }
    }

    /// Makes foreign spans recorded ones, and gives them out to be changed.
    pub(crate) fn make_recorded(&mut self, correction: ClockCorrection) -> &mut RecordedSpans {
        if let Some(foreign) = self.foreign() {
            *self = Self::of_recorded(foreign.records(correction).clone());
        }
        &mut self.recorded
    }

    /// How many spans there are.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        // Asked for every span that starts: what is recorded is looked at first.
        if self.recorded.is_empty() { self.foreign_len() } else { self.recorded.len() }
    }

    #[cold]
    fn foreign_len(&self) -> usize {
        self.foreign.as_ref().map_or(0, |foreign| foreign.len())
    }

    /// The memory that the store has reserved, in bytes.
    #[inline]
    pub(crate) const fn bytes(&self) -> usize {
        self.recorded.budget().used()
    }

    /// Whether any span has failed.
    pub(crate) fn has_errors(&self) -> bool {
        match self.spans() {
            Spans::Recorded(recorded) => recorded.has_errors(),
            Spans::Foreign(foreign) => foreign.has_errors(),
        }
    }

    /// The first start and the last end; `None` while no span has ended.
    pub(crate) fn times(&self, correction: ClockCorrection) -> Option<(Tick, Tick)> {
        match self.spans() {
            Spans::Recorded(recorded) => recorded.times(),
            Spans::Foreign(foreign) => foreign.times(correction),
        }
    }

    /// Takes how many values were cut to the length limit, for the ledger, which is told once.
    #[inline]
    pub(crate) fn take_cut_values(&mut self) -> u32 {
        self.recorded.take_cut_values()
    }

    /// The service that made the spans, where the adapter that handed them over named one.
    pub(crate) fn resource(&self) -> Option<&Arc<Resource>> {
        self.foreign()?.resource()
    }

    /// Gives back the memory of the records that were made of foreign spans.
    pub(crate) fn forget_records(&mut self) {
        if let Some(foreign) = &mut self.foreign {
            foreign.forget_records();
        }
    }

    /// Removes all spans and keeps the memory of the columns, but for what single values had to themselves.
    #[inline]
    pub(crate) fn clear(&mut self) {
        self.recorded.clear();
        if let Some(foreign) = &mut self.foreign {
            foreign.clear();
            self.recount();
        }
    }

    /// Counts what is reserved, without what single values had to themselves.
    fn recount(&mut self) {
        self.recorded.recount();
        if let Some(foreign) = &self.foreign {
            self.recorded.budget_mut().add(foreign.reserved());
        }
    }

    /// Whether a span has failed and ended.
    pub(crate) fn has_failed_end(&self) -> bool {
        match self.spans() {
            Spans::Recorded(recorded) => {
                recorded.spans().iter().any(|span| span.has_failed() && span.end().is_some())
            }
            // Originals arrive when they have ended.
            Spans::Foreign(foreign) => foreign.has_errors(),
        }
    }

    /// Adds the spans of another store of the same trace. How many values were cut is that store's number then: those
    /// of the spans that are here were counted.
    pub(crate) fn append(&mut self, mut more: Self, correction: ClockCorrection) {
        let cut_values = more.take_cut_values();
        if more.len() > 0 && !self.append_originals(&mut more) {
            let recorded = self.make_recorded(correction);
            let more = more.make_recorded(correction);
            for index in (0..).map(SpanIndex::new).take(more.len()) {
                recorded.copy_span(more, index, ClockCorrection::NONE);
            }
        }
        self.recorded.set_cut_values(cut_values);
    }

    /// The bytes of the spans themselves, without memory that is only reserved.
    pub(crate) fn content_bytes(&self) -> usize {
        if self.is_foreign() { self.bytes() } else { self.recorded.content_bytes() }
    }

    /// Whether the recorded spans can be appended to columns as they are.
    pub(crate) fn fits_in(&self, columns: &PackedColumns) -> bool {
        columns.has_room_for(&self.recorded)
    }

    /// Appends a copy of the recorded spans to columns of many traces. The store is to be cleared then.
    #[inline]
    pub(crate) fn pack_into(&mut self, columns: &mut PackedColumns) -> PackedSpans {
        debug_assert!(!self.is_foreign(), "originals are not copied");
        columns.append(&mut self.recorded)
    }

    /// The spans of one trace out of columns of many.
    pub(crate) fn unpack(columns: &PackedColumns, packed: PackedSpans) -> Self {
        Self::of_recorded(columns.read(packed))
    }

    /// Whether it is known, without a look at each span, that none started before the span that stands first.
    pub(crate) fn is_first_earliest(&self) -> bool {
        let first = self.recorded.span(SpanIndex::FIRST);
        first.is_some_and(|span| Some(span.start) == self.recorded.first_start())
    }
}

#[cfg(test)]
mod tests;
