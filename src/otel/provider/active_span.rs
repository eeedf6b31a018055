//! What OpenTelemetry's API writes to a span that it ends itself.

use std::borrow::Cow;
use std::error::Error;
use std::time::SystemTime;

use opentelemetry::KeyValue;
use opentelemetry::trace::Event;

use crate::model::TagValue;
use crate::otel::adapter::writable_span::{WritableSpan, fields_of, log_entry};
use crate::otel::convert;
use crate::record::ActiveSpan;
use crate::trace::{ErrorDetails, SpanMut};

/// A key with a value that owns its content.
pub(super) type OwnedTag = (Cow<'static, str>, TagValue);

/// Attributes as tags.
pub(super) fn owned_tags(attributes: &[KeyValue]) -> Vec<OwnedTag> {
    attributes.iter().map(convert::from_attribute).collect()
}

/// Writes an event that happens now, by the clock that the span is measured with.
pub(super) fn write_event_now(
    span: &ActiveSpan,
    name: Cow<'static, str>,
    attributes: Vec<KeyValue>,
) {
    let Some(recorder) = span.recorder() else { return };
    let now = recorder.clock.now();
    let entry = log_entry(Event::new(name, SystemTime::UNIX_EPOCH, attributes, 0));
    span.make_room(entry.level);
    span.edit(|span| {
        let Some(log) = span.push_log(now, entry.level, &entry.message) else { return };
        for (key, value) in fields_of(&entry) {
            span.set_field(log, key, value);
        }
    });
}

/// Writes the log entry that describes an error, as the native API and the layer write it.
pub(super) fn write_error(span: &ActiveSpan, error: &dyn Error) {
    let Some(recorder) = span.recorder() else { return };
    let now = recorder.clock.now();
    let details = ErrorDetails::of(error, span.value_bytes());
    span.record_failed();
    span.edit(|span| span.push_exception(now, &details));
}

impl WritableSpan for ActiveSpan {
    fn edit(&self, edit: impl FnOnce(&mut SpanMut<'_>)) {
        Self::write(self, edit);
    }

    fn record_failed(&self) {
        Self::record_failed(self);
    }
}
