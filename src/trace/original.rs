//! Spans as another tracer made them.

use std::borrow::Cow;
use std::time::SystemTime;

use super::SpanMut;
use crate::model::{SpanId, SpanKind, Status, TraceId};

/// A finished span of another tracer, kept as it is until somebody reads what is in it.
///
/// For adapters that hand such spans to [`Pipeline::intake`](crate::Pipeline::intake). Most traces are
/// dropped after a look at what their spans say of [errors](Self::is_error) and [times](Self::times), or at
/// their [outlines](Self::outline), so their spans are never converted; and an exporter that wants them as they were made takes them from
/// [`Trace::originals`](crate::Trace::originals).
pub trait Original: Clone + Send + Sync + 'static {
    /// The trace it belongs to, and its own id.
    fn ids(&self) -> (TraceId, SpanId) {
        let outline = self.outline();
        (outline.trace_id, outline.span_id)
    }

    /// Whether its status is an error.
    fn is_error(&self) -> bool {
        matches!(self.outline().status, Status::Error { .. })
    }

    /// When it started and when it ended.
    fn times(&self) -> (SystemTime, SystemTime) {
        let outline = self.outline();
        (outline.start, outline.end)
    }

    /// What can be known of it without its details.
    fn outline(&self) -> Outline<'_>;

    /// Writes the rest: tags, log entries, links, the description of an error, counts of what was lost.
    fn describe(&self, span: &mut SpanMut<'_>);

    /// The memory it takes, in bytes: itself and what it points to, about.
    fn bytes(&self) -> usize {
        size_of::<Self>()
    }
}

/// What is known of an [`Original`] without reading its details.
#[derive(Clone, Debug)]
pub struct Outline<'a> {
    /// The trace it belongs to.
    pub trace_id: TraceId,
    /// Its own id.
    pub span_id: SpanId,
    /// Its parent, in this process or another.
    pub parent_span_id: Option<SpanId>,
    /// Whether that is in another process.
    pub is_parent_remote: bool,
    /// What it did.
    pub name: &'a Cow<'static, str>,
    /// Its role in a call between processes.
    pub kind: SpanKind,
    /// When it started.
    pub start: SystemTime,
    /// When it ended.
    pub end: SystemTime,
    /// How it went; the description may be left to [`Original::describe`].
    pub status: Status,
}
