//! Writing the status of spans.

use super::{ColumnIndex, RecordedSpans, SpanIndex, StatusCode};
use crate::model::{Limits, Status};

impl RecordedSpans {
    /// Sets the status by OpenTelemetry's order: `Ok` is final, `Unset` changes nothing, the last
    /// error stands.
    pub(crate) fn set_status(&mut self, span: SpanIndex, status: Status, limits: &Limits) {
        let Some(record) = self.spans.get(span.as_usize()) else {
            return;
        };
        if record.status == StatusCode::Ok {
            return;
        }
        match status {
            Status::Unset => {}
            Status::Ok => self.change_failure(span, |record| record.status = StatusCode::Ok),
            Status::Error { description } => {
                self.fail(span);
                self.describe(span, &description, limits);
            }
        }
    }

    /// Sets the status to an error unless it is final, with a description unless it has one.
    #[cfg(feature = "layer")]
    pub(crate) fn suggest_error(&mut self, span: SpanIndex, description: &str, limits: &Limits) {
        self.fail(span);
        let status = self.spans.get(span.as_usize()).map(|record| record.status);
        let rare = self.details.as_ref().and_then(|details| details.rare.as_ref());
        let is_described = rare.is_some_and(|rare| rare.descriptions.contains_key(&span));
        if status == Some(StatusCode::Error) && !is_described {
            self.describe(span, description, limits);
        }
    }

    /// Sets the status to an error unless it is final, and leaves its description.
    pub(crate) fn fail(&mut self, span: SpanIndex) {
        self.change_failure(span, |record| {
            if record.status != StatusCode::Ok {
                record.status = StatusCode::Error;
            }
        });
    }

    fn describe(&mut self, span: SpanIndex, description: &str, limits: &Limits) {
        let most = limits.text_bytes;
        let mut writer = self.writer(limits);
        let known = writer.details.rare.as_ref().and_then(|rare| rare.descriptions.get(&span));
        let range = match known.copied() {
            _ if description.is_empty() => None,
            Some(old) => {
                writer.overwrite(old, description, most).or_else(|| writer.arena(description, most))
            }
            None => writer.arena(description, most),
        };
        let descriptions = &mut writer.details.rare.get_or_insert_default().descriptions;
        match range {
            Some(range) => descriptions.insert(span, range),
            None => descriptions.remove(&span),
        };
    }
}
