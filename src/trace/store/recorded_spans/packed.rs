//! Columns that hold the spans of many traces, one behind the other.
//!
//! A trace is appended to the columns as it stands in its buffer: lists lead through indices that count from the
//! beginning of the trace's own part, so that appending copies slices and reading copies them back.

use std::ops::Range;

use super::{
    DetailColumns, KeyIndex, LogRecord, MemoryBudget, RareDetails, RecordedSpans, SpanRecord,
    TagRecord,
};
use crate::time::Tick;

/// Spans of many traces, without spare memory between them.
#[derive(Debug, Default)]
pub(crate) struct PackedColumns {
    spans: Vec<SpanRecord>,
    tags: Vec<TagRecord>,
    logs: Vec<LogRecord>,
    text: String,
}

/// Where the spans of one trace stand in [`PackedColumns`], and what has no column.
#[derive(Debug)]
pub(crate) struct PackedSpans {
    spans: Part,
    tags: Part,
    logs: Part,
    text: Part,
    cut_values: u32,
    rare: Option<Box<RareDetails>>,
}

/// How long each of the columns is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ColumnLengths {
    spans: usize,
    tags: usize,
    logs: usize,
    text: usize,
}

/// A part of a column.
#[derive(Clone, Copy, Debug, Default)]
struct Part {
    start: u32,
    len: u32,
}

impl Part {
    // A column is far shorter than the numbers reach: a segment of the ring is.
    fn of(range: &Range<usize>) -> Self {
        Self { start: range.start as u32, len: range.len() as u32 }
    }

    fn range(self) -> Range<usize> {
        let start = self.start as usize;
        start..start + self.len as usize
    }
}

impl ColumnLengths {
    /// Each length changed by a function.
    pub(crate) fn map(self, change: impl Fn(usize) -> usize) -> Self {
        let Self { spans, tags, logs, text } = self;
        Self { spans: change(spans), tags: change(tags), logs: change(logs), text: change(text) }
    }

    /// The bytes that columns of these lengths take.
    pub(crate) const fn bytes(self) -> usize {
        self.spans * size_of::<SpanRecord>()
            + self.tags * size_of::<TagRecord>()
            + self.logs * size_of::<LogRecord>()
            + self.text
    }
}

impl PackedColumns {
    /// Empty columns that can take this much without growing.
    pub(crate) fn with_capacity(lengths: ColumnLengths) -> Self {
        let ColumnLengths { spans, tags, logs, text } = lengths;
        Self {
            spans: Vec::with_capacity(spans),
            tags: Vec::with_capacity(tags),
            logs: Vec::with_capacity(logs),
            text: String::with_capacity(text),
        }
    }

    pub(crate) fn lengths(&self) -> ColumnLengths {
        ColumnLengths {
            spans: self.spans.len(),
            tags: self.tags.len(),
            logs: self.logs.len(),
            text: self.text.len(),
        }
    }

    /// The first start and the last end of a trace.
    pub(crate) fn times(&self, packed: &PackedSpans) -> Option<(Tick, Tick)> {
        let spans = self.spans.get(packed.spans.range())?;
        let start = spans.iter().map(|span| span.start).min()?;
        let end = spans.iter().filter_map(SpanRecord::end).max()?;
        Some((start, end))
    }

    /// Whether what is in `from` can be appended without growing.
    pub(in crate::trace::store) fn has_room_for(&self, from: &RecordedSpans) -> bool {
        let details = from.details.as_deref();
        self.spans.capacity() - self.spans.len() >= from.spans.len()
            && details.is_none_or(|details| {
                self.tags.capacity() - self.tags.len() >= details.tags.len()
                    && self.logs.capacity() - self.logs.len() >= details.logs.len()
                    && self.text.capacity() - self.text.len() >= details.text.len()
            })
    }

    /// Appends a copy of all spans. What has no column moves out of `from`.
    #[inline]
    pub(in crate::trace::store) fn append(&mut self, from: &mut RecordedSpans) -> PackedSpans {
        let spans = append(&mut self.spans, &from.spans);
        let mut packed = PackedSpans {
            spans,
            tags: Part::default(),
            logs: Part::default(),
            text: Part::default(),
            cut_values: 0,
            rare: None,
        };
        if let Some(details) = from.details.as_deref_mut() {
            packed.tags = append(&mut self.tags, &details.tags);
            packed.logs = append(&mut self.logs, &details.logs);
            let start = self.text.len();
            self.text.push_str(&details.text);
            packed.text = Part::of(&(start..self.text.len()));
            packed.cut_values = details.cut_values;
            if details.rare.as_deref().is_some_and(|rare| !rare.is_empty()) {
                packed.rare = details.rare.take();
                if let Some(rare) = &mut packed.rare {
                    // Only a writer looks for keys.
                    rare.keys = KeyIndex::default();
                }
                from.recount();
            }
        }
        packed
    }

    /// A copy of the spans of one trace in a buffer of its own, without spare memory.
    pub(in crate::trace::store) fn read(&self, packed: PackedSpans) -> RecordedSpans {
        let PackedSpans { spans, tags, logs, text, cut_values, rare } = packed;
        let spans = part(&self.spans, spans).to_vec();
        let failed = spans.iter().filter(|span| span.has_failed()).count();
        let details = DetailColumns {
            tags: part(&self.tags, tags).to_vec(),
            logs: part(&self.logs, logs).to_vec(),
            text: self.text.get(text.range()).unwrap_or_default().to_owned(),
            cut_values,
            earlier_start: earlier_start(spans.as_slice()),
            failed_spans: failed as u32,
            rare,
        };
        let details = (!details.is_empty()).then(|| Box::new(details));
        let bytes = size_of_val(spans.as_slice()) + details.as_ref().map_or(0, |d| d.bytes());
        let last_end = spans.iter().filter_map(SpanRecord::end).max().unwrap_or_default();
        RecordedSpans { spans, details, budget: MemoryBudget::default().with_used(bytes), last_end }
    }

    /// The memory they have reserved, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        let capacities = ColumnLengths {
            spans: self.spans.capacity(),
            tags: self.tags.capacity(),
            logs: self.logs.capacity(),
            text: self.text.capacity(),
        };
        capacities.bytes()
    }
}

impl PackedSpans {
    /// How many spans there are.
    pub(crate) fn len(&self) -> usize {
        self.spans.len as usize
    }

    /// The memory of what has no column, in bytes.
    pub(crate) fn rare_bytes(&self) -> usize {
        self.rare.as_ref().map_or(0, |rare| rare.bytes())
    }
}

impl RecordedSpans {
    /// The bytes that a copy without spare memory would take.
    pub(in crate::trace::store) fn content_bytes(&self) -> usize {
        size_of_val(self.spans.as_slice()) + self.details.as_ref().map_or(0, |d| d.bytes())
    }
}

/// The first start, where that is not the one of the span that stands first.
fn earlier_start(spans: &[SpanRecord]) -> Option<Tick> {
    let first = spans.first()?.start;
    spans.iter().map(|span| span.start).min().filter(|start| *start < first)
}

fn append<T: Copy>(column: &mut Vec<T>, more: &[T]) -> Part {
    let start = column.len();
    column.extend_from_slice(more);
    Part::of(&(start..column.len()))
}

fn part<T>(column: &[T], part: Part) -> &[T] {
    column.get(part.range()).unwrap_or_default()
}
