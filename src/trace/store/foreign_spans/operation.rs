//! The name that a trace goes by, of which no more is read than that.

use std::borrow::Cow;

use super::ForeignSpans;
use crate::time::ClockCorrection;
use crate::trace::store::{RecordedSpans, SpanIndex, SpanStore};

impl SpanStore {
    /// The name of the root of spans of another tracer, of which no other is converted; `None` for recorded spans.
    pub(crate) fn foreign_operation(&self, correction: ClockCorrection) -> Option<Cow<'_, str>> {
        self.foreign()?.operation(correction)
    }
}

impl ForeignSpans {
    fn operation(&self, correction: ClockCorrection) -> Option<Cow<'_, str>> {
        if let Some(outlines) = self.outlines.get() {
            return outlines.span(SpanIndex::FIRST).map(|root| outlines.name(root).into());
        }
        let mut root = RecordedSpans::with_capacity(1);
        self.column.outline(self.summary.original_of(0), &mut root, correction);
        root.span(SpanIndex::FIRST).map(|record| root.name(record).to_owned().into())
    }
}
