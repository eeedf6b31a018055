//! Whether spans have failed.
//!
//! A span has failed when its status is an error, when an error was logged in it, or when a panic passed through it.
//! The last two stay, whatever the status becomes. All that asks for failed spans asks this one predicate.

use super::{ColumnIndex, RecordedSpans, SpanIndex, SpanRecord, StatusCode, details_in};

impl SpanRecord {
    /// Whether the span has failed.
    pub(crate) fn has_failed(&self) -> bool {
        self.is_marked_failed || self.has_error_status()
    }

    /// Whether the span's status is an error.
    pub(crate) fn has_error_status(&self) -> bool {
        self.status == StatusCode::Error
    }
}

impl RecordedSpans {
    /// Whether any span has failed.
    pub(in crate::trace::store) fn has_errors(&self) -> bool {
        self.details.as_ref().is_some_and(|details| details.failed_spans > 0)
    }

    /// Whether this span has failed.
    pub(crate) fn has_failed(&self, span: SpanIndex) -> bool {
        self.span(span).is_some_and(SpanRecord::has_failed)
    }

    /// Marks a span as failed, and leaves its status.
    #[cold]
    pub(crate) fn mark_failed(&mut self, span: SpanIndex) {
        self.change_failure(span, |record| record.is_marked_failed = true);
    }

    /// Changes what says whether a span has failed, and counts the span as failed or no more as such.
    pub(super) fn change_failure(&mut self, span: SpanIndex, change: impl FnOnce(&mut SpanRecord)) {
        let Self { spans, details, budget, .. } = self;
        let Some(record) = spans.get_mut(span.as_usize()) else { return };
        let had_failed = record.has_failed();
        change(record);
        let has_failed = record.has_failed();
        if had_failed != has_failed {
            let failed = &mut details_in(details, budget).failed_spans;
            debug_assert!(has_failed || *failed > 0, "a span that had failed was counted");
            *failed = if has_failed { *failed + 1 } else { failed.saturating_sub(1) };
        }
    }
}
