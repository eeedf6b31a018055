//! Writing tags that were read before to spans and log entries.

use super::PreparedTags;
use crate::model::Limits;
use crate::trace::store::index::{ColumnIndex, LogIndex, SpanIndex};
use crate::trace::store::recorded_spans::column_writer::ColumnWriter;
use crate::trace::store::recorded_spans::{RecordedSpans, details_in};

impl RecordedSpans {
    /// Sets several tags of a span that were read before.
    pub(crate) fn set_tags(&mut self, span: SpanIndex, prepared: &PreparedTags, limits: &Limits) {
        let Self { spans, details, budget, .. } = self;
        let Some(record) = spans.get_mut(span.as_usize()) else { return };
        let mut writer = ColumnWriter { details: details_in(details, budget), budget, limits };
        let dropped = writer.set_tags(&mut record.tags, prepared, limits.tags);
        if dropped > 0 {
            self.dropped(span).tags += dropped;
        }
    }

    /// Sets several fields of a log entry of a span that were read before.
    pub(crate) fn set_fields(
        &mut self,
        span: SpanIndex,
        log: LogIndex,
        prepared: &PreparedTags,
        limits: &Limits,
    ) {
        let mut writer = self.writer(limits);
        let Some(mut fields) = writer.details.logs.get(log.as_usize()).map(|log| log.fields) else {
            return;
        };
        let dropped = writer.set_tags(&mut fields, prepared, limits.fields_per_log);
        if let Some(log) = writer.details.logs.get_mut(log.as_usize()) {
            log.fields = fields;
        }
        if dropped > 0 {
            self.dropped(span).tags += dropped;
        }
    }
}
