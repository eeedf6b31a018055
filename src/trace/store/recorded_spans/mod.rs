//! The spans that the tracer records.
//!
//! Spans, tags and log entries stand in a column each, text in one arena; what belongs to a span is a list of
//! indices through a column. Names and keys that are `&'static` stay pointers. A buffer that is
//! [cleared](RecordedSpans::clear) keeps its memory, so that a recorder that reuses buffers does not allocate. What
//! does more than start and end lies in [`DetailColumns`], which a bare span never makes.

mod column_writer;
mod copying;
mod failure;
mod key_index;
mod last_part;
mod logs;
mod packed;
mod part_finder;
mod part_marks;
mod parts;
#[cfg(feature = "layer")]
mod prepared_tags;
mod reading;
mod status;
mod tag_record;
mod writing;

use std::borrow::Cow;
use std::collections::HashMap;

pub(crate) use packed::{ColumnLengths, PackedColumns, PackedSpans};
pub(crate) use part_finder::{PartFinder, PartRule, TakenPart};
use part_marks::PartMarks;
#[cfg(feature = "layer")]
pub(crate) use prepared_tags::PreparedTags;
use tag_record::{TagRecord, Text, Value};

use foldhash::fast::RandomState;
use key_index::KeyIndex;

use super::index::{ByteRange, ColumnIndex, ColumnList, LogIndex, SpanIndex, TagIndex};
use super::memory_budget::MemoryBudget;
use crate::model::{LogLevel, SpanId, SpanKind, TagValue, TraceContext};
use crate::time::Tick;

/// The end of a span that has not ended.
const OPEN: Tick = Tick::from_nanos(u64::MAX);

/// The latest end there is.
pub(super) const LATEST_END: Tick = Tick::from_nanos(u64::MAX - 1);

/// A [`Status`](crate::model::Status) without its description.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum StatusCode {
    Unset,
    Ok,
    Error,
}

// Copied by the thousand, which takes a call for all of them instead of one for each.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SpanRecord {
    pub(crate) id: SpanId,
    pub(crate) parent: Option<SpanId>,
    pub(crate) start: Tick,
    end: Tick,
    name: Text,
    tags: ColumnList<TagIndex>,
    logs: ColumnList<LogIndex>,
    log_count: u16,
    pub(crate) kind: SpanKind,
    status: StatusCode,
    pub(crate) is_parent_remote: bool,
    /// Whether an error was logged or a panic passed through, whatever the status says.
    is_marked_failed: bool,
    /// What it is in a trace that is decided in parts.
    part: PartMarks,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct LogRecord {
    pub(crate) time: Tick,
    message: ByteRange,
    fields: ColumnList<TagIndex>,
    next: LogIndex,
    pub(crate) level: LogLevel,
}

#[derive(Clone, Debug)]
pub(crate) struct LinkRecord {
    pub(crate) context: TraceContext,
    tags: ColumnList<TagIndex>,
}

/// How much of one span was dropped because of its limits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct DropCounts {
    pub(crate) tags: u32,
    pub(crate) logs: u32,
    pub(crate) links: u32,
}

/// The columns of spans that do more than start and end.
#[derive(Clone, Debug, Default)]
struct DetailColumns {
    tags: Vec<TagRecord>,
    logs: Vec<LogRecord>,
    text: String,
    cut_values: u32,
    /// The first of the starts that came before that of the span which stands first, its ancestor: by a moment, where
    /// two threads add spans at once, or because the program said so.
    earlier_start: Option<Tick>,
    /// How many spans have failed.
    failed_spans: u32,
    rare: Option<Box<RareDetails>>,
}

/// What few spans have: links, bytes, arrays, a description of their failure, losses to a limit, many tags.
#[derive(Clone, Debug, Default)]
struct RareDetails {
    links: HashMap<SpanIndex, Vec<LinkRecord>, RandomState>,
    bytes: Vec<u8>,
    arrays: Vec<TagValue>,
    /// The memory of links and of what arrays hold, in bytes.
    value_bytes: usize,
    descriptions: HashMap<SpanIndex, ByteRange, RandomState>,
    dropped: HashMap<SpanIndex, DropCounts, RandomState>,
    /// Of spans whose logs are at their limit: an entry before which all are errors, and which is one itself.
    last_errors: HashMap<SpanIndex, LogIndex, RandomState>,
    keys: KeyIndex,
}

/// The spans that the tracer records, in one buffer.
#[derive(Clone, Debug, Default)]
pub(crate) struct RecordedSpans {
    spans: Vec<SpanRecord>,
    details: Option<Box<DetailColumns>>,
    budget: MemoryBudget,
    /// The last end; the first tick of all while no span has ended, and where all ended then. Kept as it is written:
    /// a trace of a million spans is decided without a look at each.
    last_end: Tick,
}

/// What a new span is made of.
#[derive(Debug)]
pub(crate) struct NewSpan {
    pub(crate) id: SpanId,
    pub(crate) parent: Option<SpanId>,
    pub(crate) start: Tick,
    pub(crate) name: Cow<'static, str>,
    pub(crate) kind: SpanKind,
}

impl RecordedSpans {
    pub(super) fn with_budget(budget: MemoryBudget) -> Self {
        Self { budget, ..Self::default() }
    }

    pub(super) fn with_capacity(spans: usize) -> Self {
        Self { spans: Vec::with_capacity(spans), ..Self::default() }
    }

    /// The budget of the spans and of what the store holds in their place.
    #[inline]
    pub(super) const fn budget(&self) -> MemoryBudget {
        self.budget
    }

    /// The same, for what the store holds in their place.
    #[inline]
    pub(super) const fn budget_mut(&mut self) -> &mut MemoryBudget {
        &mut self.budget
    }

    /// Removes all spans and keeps the memory of the columns, but for what single values had to themselves.
    #[inline]
    pub(super) fn clear(&mut self) {
        self.spans.clear();
        self.last_end = Tick::default();
        if let Some(details) = &mut self.details {
            details.clear();
            if details.rare.is_some() {
                self.recount();
            }
        }
    }

    /// Limits what it may reserve from now on.
    #[inline]
    pub(super) fn limit_memory(&mut self, bytes: u32) {
        self.budget = self.budget.with_limit(bytes);
    }

    /// Says that this many values were cut to the length limit.
    pub(super) fn set_cut_values(&mut self, values: u32) {
        if values > 0 || self.details.is_some() {
            details_in(&mut self.details, &mut self.budget).cut_values = values;
        }
    }

    /// Takes how many values were cut to the length limit.
    #[inline]
    pub(super) fn take_cut_values(&mut self) -> u32 {
        self.details.as_mut().map_or(0, |details| std::mem::take(&mut details.cut_values))
    }

    /// Counts what is reserved, without what single values had to themselves.
    pub(super) fn recount(&mut self) {
        let details = self.details.as_ref().map_or(0, |details| details.reserved());
        let spans = self.spans.capacity() * size_of::<SpanRecord>();
        self.budget = self.budget.with_used(spans + details);
    }
}

impl DetailColumns {
    fn clear(&mut self) {
        self.tags.clear();
        self.logs.clear();
        self.text.clear();
        self.cut_values = 0;
        self.earlier_start = None;
        self.failed_spans = 0;
        if let Some(rare) = &mut self.rare {
            rare.links.clear();
            rare.bytes.clear();
            rare.arrays.clear();
            rare.value_bytes = 0;
            rare.descriptions.clear();
            rare.dropped.clear();
            rare.last_errors.clear();
            rare.keys.clear();
        }
    }

    /// The memory it has reserved, without what was cleared out of [`RareDetails`].
    fn reserved(&self) -> usize {
        let columns = self.tags.capacity() * size_of::<TagRecord>()
            + self.logs.capacity() * size_of::<LogRecord>();
        let rare = self.rare.as_ref().map_or(0, |rare| {
            let arrays = rare.arrays.capacity() * size_of::<TagValue>();
            rare.bytes.capacity() + arrays + rare.keys.reserved()
        });
        size_of::<Self>() + columns + self.text.capacity() + rare
    }
}

/// The columns of details, which are made and counted when the first span needs them.
#[inline]
fn details_in<'a>(
    details: &'a mut Option<Box<DetailColumns>>,
    budget: &mut MemoryBudget,
) -> &'a mut DetailColumns {
    details.get_or_insert_with(|| {
        budget.add(size_of::<DetailColumns>());
        Box::default()
    })
}

#[cfg(test)]
mod tests;
