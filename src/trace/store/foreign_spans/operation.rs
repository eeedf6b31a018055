//! The name that a trace goes by, of which no more is read than that.

use super::ForeignSpans;
use crate::trace::store::{SpanIndex, SpanStore};

impl SpanStore {
    /// The name of the root of spans of another tracer, of which no record is made; `None` for recorded spans.
    pub(crate) fn foreign_operation(&self) -> Option<&str> {
        self.foreign()?.operation()
    }
}

impl ForeignSpans {
    fn operation(&self) -> Option<&str> {
        match self.outlines.get() {
            Some(outlines) => outlines.span(SpanIndex::FIRST).map(|root| outlines.name(root)),
            None => self.column.name(self.summary.original_of(0)),
        }
    }
}
