//! The spans of one local trace in one buffer.
//!
//! Spans, tags and logs stand in a column each, text in one arena; what belongs to a span is a chain
//! of indices through a column. Names and keys that are `&'static` stay pointers. A buffer that is
//! [cleared](SpanStore::clear) keeps its memory, so that a recorder that reuses buffers does not
//! allocate. What does more than start and end lies in [`Details`], which a bare span never makes.

mod copy;
mod logs;
mod originals;
mod read;
mod room;
mod staged;
mod status;
mod write;
mod writer;

use std::borrow::Cow;
use std::collections::HashMap;

use crate::model::{LogLevel, SpanId, SpanKind, TagValue, TraceContext};
use crate::time::Tick;
use originals::Originals;
pub(crate) use room::Room;
pub(crate) use staged::{Place, StagedTags};
use write::details_in;

/// No index.
const NONE: u32 = u32::MAX;

/// The end of a span that has not ended.
const OPEN: Tick = Tick::from_nanos(u64::MAX);

/// The latest end there is.
const LAST: Tick = Tick::from_nanos(u64::MAX - 1);

/// Text that is either static or lies in the arena.
#[derive(Clone, Copy, Debug)]
enum Text {
    Static(&'static str),
    Arena(Slice),
}

/// A place in an arena.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slice {
    at: u32,
    len: u32,
}

impl Slice {
    fn range(self) -> std::ops::Range<usize> {
        let at = self.at as usize;
        at..at + self.len as usize
    }
}

/// The first and the last of a list that runs through a column.
#[derive(Clone, Copy, Debug)]
struct Chain {
    head: u32,
    tail: u32,
}

impl Chain {
    const EMPTY: Self = Self { head: NONE, tail: NONE };

    fn is_empty(self) -> bool {
        self.head == NONE
    }
}

#[derive(Clone, Copy, Debug)]
enum Value {
    Bool(bool),
    I64(i64),
    F64(f64),
    Text(Slice),
    Bytes(Slice),
    Array(u32),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Unset,
    Ok,
    Error,
}

#[derive(Clone, Debug)]
pub(crate) struct SpanRecord {
    pub(crate) id: SpanId,
    pub(crate) parent: Option<SpanId>,
    pub(crate) start: Tick,
    end: Tick,
    name: Text,
    tags: Chain,
    logs: Chain,
    log_count: u16,
    pub(crate) kind: SpanKind,
    outcome: Outcome,
    pub(crate) is_parent_remote: bool,
}

#[derive(Clone, Copy, Debug)]
struct TagRecord {
    key: Text,
    value: Value,
    next: u32,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct LogRecord {
    pub(crate) time: Tick,
    message: Slice,
    fields: Chain,
    next: u32,
    pub(crate) level: LogLevel,
}

#[derive(Clone, Debug)]
pub(crate) struct LinkRecord {
    pub(crate) context: TraceContext,
    tags: Chain,
}

/// What was dropped of one span because of its limits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Dropped {
    pub(crate) tags: u32,
    pub(crate) logs: u32,
    pub(crate) links: u32,
}

/// What a span has that does more than start and end.
#[derive(Clone, Debug, Default)]
struct Details {
    tags: Vec<TagRecord>,
    logs: Vec<LogRecord>,
    text: String,
    cut_values: u32,
    rare: Option<Box<Rare>>,
    originals: Option<Box<Originals>>,
}

/// What few spans have: links, bytes, arrays, a description of their failure, losses to a limit.
#[derive(Clone, Debug, Default)]
struct Rare {
    links: HashMap<u32, Vec<LinkRecord>>,
    bytes: Vec<u8>,
    arrays: Vec<TagValue>,
    descriptions: HashMap<u32, Slice>,
    dropped: HashMap<u32, Dropped>,
}

impl Details {
    fn clear(&mut self) {
        self.tags.clear();
        self.logs.clear();
        self.text.clear();
        self.cut_values = 0;
        if let Some(rare) = &mut self.rare {
            rare.links.clear();
            rare.bytes.clear();
            rare.arrays.clear();
            rare.descriptions.clear();
            rare.dropped.clear();
        }
        if let Some(originals) = &mut self.originals {
            originals.clear();
        }
    }
}

/// The buffer.
#[derive(Clone, Debug, Default)]
pub(crate) struct SpanStore {
    spans: Vec<SpanRecord>,
    details: Option<Box<Details>>,
    room: Room,
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

#[cfg(test)]
mod tests;
