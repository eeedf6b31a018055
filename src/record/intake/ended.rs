//! What is known of a span that another tracer has ended.

use crate::kit::unwind_safe;
use crate::model::{SpanId, TraceId};
use crate::trace::Original;

/// What is known of a span that another tracer has ended.
#[derive(Clone, Copy, Debug)]
pub struct Ended {
    /// The trace it belongs to.
    pub trace_id: TraceId,
    /// Its id.
    pub span_id: SpanId,
    /// The memory it takes: see [`Original::bytes`].
    pub bytes: usize,
    /// Whether its status is an error.
    pub is_error: bool,
}

impl Ended {
    /// Asks the original about itself; `None` when its adapter panics before it has given the ids.
    #[inline(always)]
    pub(super) fn ask<S: Original>(original: &S) -> Option<Self> {
        let facts = unwind_safe::call(|| {
            let (trace_id, span_id) = original.ids();
            Self { trace_id, span_id, bytes: original.bytes(), is_error: original.is_error() }
        });
        if facts.is_some() { facts } else { Self::ask_for_ids(original) }
    }

    /// The ids of a span whose adapter panicked: its trace completes, but it does not count as an error.
    #[cold]
    #[inline(never)]
    fn ask_for_ids<S: Original>(original: &S) -> Option<Self> {
        let (trace_id, span_id) = unwind_safe::call(|| original.ids())?;
        Some(Self { trace_id, span_id, bytes: size_of::<S>(), is_error: false })
    }
}
