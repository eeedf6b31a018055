//! Links read where they stand.

use crate::model::{TagRef, TraceContext};
use crate::trace::store::{LinkRecord, RecordedSpans};

/// A link of a span, read in place.
#[derive(Clone, Copy, Debug)]
pub struct LinkRef<'a> {
    records: &'a RecordedSpans,
    record: &'a LinkRecord,
}

impl<'a> LinkRef<'a> {
    pub(super) fn new(records: &'a RecordedSpans, record: &'a LinkRecord) -> Self {
        Self { records, record }
    }

    /// The identity of the other span.
    #[must_use]
    pub fn context(self) -> &'a TraceContext {
        &self.record.context
    }

    /// The tags that describe the relation.
    pub fn tags(self) -> impl Iterator<Item = (&'a str, TagRef<'a>)> {
        self.records.link_tags(self.record)
    }
}
