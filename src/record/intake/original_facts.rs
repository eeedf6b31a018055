//! What is known of a span that another tracer hands over.

use crate::kit::unwind_safe;
use crate::model::{SpanId, TraceId};
use crate::trace::Original;

/// What is asked of an original when it is handed over.
pub(super) struct OriginalFacts {
    pub(super) trace_id: TraceId,
    pub(super) span_id: SpanId,
    pub(super) bytes: usize,
    pub(super) is_error: bool,
}

impl OriginalFacts {
    /// Asks the adapter; `None` when it panics before it has given the ids.
    #[inline(always)]
    pub(super) fn of<S: Original>(original: &S) -> Option<Self> {
        let facts = unwind_safe::call(|| {
            let (trace_id, span_id) = original.ids();
            Self { trace_id, span_id, bytes: original.bytes(), is_error: original.is_error() }
        });
        if facts.is_some() { facts } else { Self::ids_alone(original) }
    }

    /// The ids of a span whose adapter panicked: its trace completes, but it does not count as an error.
    #[cold]
    #[inline(never)]
    fn ids_alone<S: Original>(original: &S) -> Option<Self> {
        let (trace_id, span_id) = unwind_safe::call(|| original.ids())?;
        Some(Self { trace_id, span_id, bytes: size_of::<S>(), is_error: false })
    }
}
