//! Traces that are too large to leave as a whole.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use super::{KeepReason, SpanOrder, Trace, TraceData};

impl Trace {
    /// The spans of parts that have no more than `bytes` bytes each, if the spans are about as large as each other,
    /// and one span in any case. Together they are all spans.
    pub(crate) fn parts(&self, bytes: usize) -> impl Iterator<Item = Range<usize>> + use<> {
        let spans = self.span_count();
        let of_each = self.bytes().div_ceil(spans.max(1)).max(1);
        // An eighth is left for what a part has besides its spans, and for larger spans.
        let most = ((bytes - bytes / 8) / of_each).max(1);
        (0..spans).step_by(most).map(move |start| start..spans.min(start + most))
    }

    /// A copy of some of the spans, by the places at which they are stored: a trace of the same id.
    pub(crate) fn part(&self, spans: Range<usize>) -> Self {
        let data = &*self.0;
        let correction = data.header.correction;
        let store = data.store.part(spans);
        let order = if store.is_foreign() {
            OnceLock::new()
        } else {
            OnceLock::from(SpanOrder::of(store.outlines(correction)))
        };
        Self(Arc::new(TraceData {
            header: data.header.clone(),
            store,
            order,
            resource: Arc::clone(&data.resource),
            reason: KeepReason { is_part: true, ..data.reason.clone() },
        }))
    }
}
