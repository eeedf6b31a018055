//! Spans as another tracer made them.

use std::borrow::Cow;
use std::time::SystemTime;

use super::SpanMut;
use crate::model::{SpanId, SpanKind, Status, TraceId};

/// A finished span of another tracer, kept as it is until a policy or an exporter reads it.
///
/// For adapters that hand such spans to [`Pipeline::intake`](crate::Pipeline::intake). Most traces are decided by the
/// [errors](Self::is_error), the [times](Self::times) or the [outlines](Self::outline) of their spans; the details of
/// those that are dropped are not converted. An exporter that takes the spans as they were made gets them from
/// [`Trace::originals`](crate::Trace::originals).
pub trait Original: Clone + Send + Sync + 'static {
    /// The ids of its trace and of itself.
    fn ids(&self) -> (TraceId, SpanId) {
        let outline = self.outline();
        (outline.trace_id, outline.span_id)
    }

    /// Whether the span has failed: its status is an error, or it has a log entry of level error.
    ///
    /// The provided method looks at the status alone: an outline has no log entries.
    fn is_error(&self) -> bool {
        matches!(self.outline().status, Status::Error { .. })
    }

    /// When the span started and when it ended.
    fn times(&self) -> (SystemTime, SystemTime) {
        let outline = self.outline();
        (outline.start, outline.end)
    }

    /// What is known of the span without its details.
    fn outline(&self) -> Outline<'_>;

    /// Writes the details of the span: tags, log entries, links, the description of an error, counts of losses.
    fn describe(&self, span: &mut SpanMut<'_>);

    /// The memory that the span takes, in bytes: about that of itself and of what it points to.
    fn bytes(&self) -> usize {
        size_of::<Self>()
    }
}

/// What is known of an [`Original`] without reading its details.
#[derive(Clone, Debug)]
pub struct Outline<'a> {
    /// The id of the span's trace.
    pub trace_id: TraceId,
    /// The span's own id.
    pub span_id: SpanId,
    /// The id of the span's parent, in this process or another.
    pub parent_span_id: Option<SpanId>,
    /// Whether the parent is a span of another process.
    pub is_parent_remote: bool,
    /// What the span did.
    pub name: &'a Cow<'static, str>,
    /// The span's role in a call between processes.
    pub kind: SpanKind,
    /// When the span started.
    pub start: SystemTime,
    /// When the span ended.
    pub end: SystemTime,
    /// The span's status; the description may be left to [`Original::describe`].
    pub status: Status,
}
