//! Spans as another tracer made them.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::time::SystemTime;

use super::SpanMut;
use super::store::{OriginalColumn, PackedColumn};
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

    /// The spans of a kept trace in a form that takes less memory, in which they wait where an exporter does not keep up.
    /// They are unpacked before the exporter gets them, so that nothing may be lost by it. A panic costs the trace,
    /// which is counted as lost.
    ///
    /// The provided method leaves them as they are.
    ///
    /// # Errors
    /// Gives spans back that have no such form.
    fn pack(originals: Vec<Self>) -> Result<PackedOriginals<Self>, Vec<Self>> {
        Err(originals)
    }
}

/// An [`Original`] in a form that takes less memory: see [`Original::pack`].
pub trait PackedOriginal: Clone + Send + Sync + 'static {
    /// What it was.
    type Original: Original;

    /// The span as it was. The id of its trace is that of the trace, and need not be packed.
    fn unpack(self, trace_id: TraceId) -> Self::Original;

    /// The memory that it takes, in bytes: about that of itself and of what it points to.
    fn bytes(&self) -> usize {
        size_of::<Self>()
    }
}

/// The spans of one trace, packed.
pub struct PackedOriginals<S> {
    column: Box<dyn PackedColumn>,
    /// Unpacked, they are these.
    originals: PhantomData<fn() -> S>,
}

impl<S: Original> PackedOriginals<S> {
    /// The spans, of which there may be any number.
    #[must_use]
    pub fn new<P: PackedOriginal<Original = S>>(mut packed: Vec<P>) -> Self {
        let only = if packed.len() == 1 { packed.pop() } else { None };
        let column: Box<dyn PackedColumn> = match only {
            Some(only) => Box::new(OnePacked(only)),
            None => Box::new(ManyPacked(packed.into_boxed_slice())),
        };
        Self { column, originals: PhantomData }
    }

    /// The spans without their type.
    pub(super) fn into_column(self) -> Box<dyn PackedColumn> {
        self.column
    }
}

impl<S> fmt::Debug for PackedOriginals<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PackedOriginals").field("bytes", &self.column.bytes()).finish()
    }
}

/// The only span of a trace, which needs no vector.
#[derive(Clone)]
struct OnePacked<P>(P);

#[derive(Clone)]
struct ManyPacked<P>(Box<[P]>);

impl<P: PackedOriginal> PackedColumn for OnePacked<P> {
    fn bytes(&self) -> usize {
        self.0.bytes()
    }

    fn unpack(self: Box<Self>, trace_id: TraceId) -> Box<dyn OriginalColumn> {
        Box::new(vec![self.0.unpack(trace_id)])
    }

    fn boxed_clone(&self) -> Box<dyn PackedColumn> {
        Box::new(self.clone())
    }
}

impl<P: PackedOriginal> PackedColumn for ManyPacked<P> {
    fn bytes(&self) -> usize {
        size_of::<Self>() + self.0.iter().map(P::bytes).sum::<usize>()
    }

    fn unpack(self: Box<Self>, trace_id: TraceId) -> Box<dyn OriginalColumn> {
        let originals: Vec<P::Original> =
            self.0.into_iter().map(|packed| packed.unpack(trace_id)).collect();
        Box::new(originals)
    }

    fn boxed_clone(&self) -> Box<dyn PackedColumn> {
        Box::new(self.clone())
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
