//! What OpenTelemetry's API writes to a span of ours.
//!
//! Everything is converted before the trace's lock is taken.

use std::borrow::Cow;
use std::error::Error;
use std::time::SystemTime;

use opentelemetry::KeyValue;
use opentelemetry::trace::{Event, Link, SpanContext, Status as OtelStatus};

use super::convert;
use crate::model::{LogEntry, LogLevel, Status, TagKey, TagRef, TagValue};
use crate::record::{ActiveSpan, SpanWriter};
use crate::time::Tick;
use crate::trace::{ErrorDetails, SpanMut};

/// A key with a value that owns its content.
pub(super) type OwnedTag = (Cow<'static, str>, TagValue);

/// Attributes as tags.
pub(super) fn owned_tags(attributes: &[KeyValue]) -> Vec<OwnedTag> {
    attributes.iter().map(convert::from_attribute).collect()
}

/// A span of ours that OpenTelemetry's API can write to.
pub(super) trait WritableSpan {
    /// Makes several changes under one lock.
    fn edit(&self, edit: impl FnOnce(&mut SpanMut<'_>));

    /// The present moment; `None` when the span is not on record.
    fn now(&self) -> Option<Tick>;

    /// How long a text may be before it is cut.
    fn value_bytes(&self) -> usize;

    /// Makes room for a span that failed, before the error is written.
    fn record_failed(&self);

    /// Makes room for a span that is about to fail by a log entry of this level.
    fn make_room(&self, level: LogLevel) {
        if level >= LogLevel::Error {
            self.record_failed();
        }
    }

    fn write_attribute(&self, attribute: &KeyValue) {
        let (key, value) = convert::from_attribute(attribute);
        self.edit(|span| {
            span.set_tag(key, value.as_ref());
        });
    }

    fn write_event(&self, name: Cow<'static, str>, time: SystemTime, attributes: Vec<KeyValue>) {
        let entry = log_entry(Event::new(name, time, attributes, 0));
        self.make_room(entry.level);
        self.edit(|span| {
            span.log_at(entry.time, entry.level, &entry.message, fields_of(&entry));
        });
    }

    /// Writes an event that happens now, by the clock that the span is measured with.
    fn write_event_now(&self, name: Cow<'static, str>, attributes: Vec<KeyValue>) {
        let Some(now) = self.now() else { return };
        let entry = log_entry(Event::new(name, SystemTime::UNIX_EPOCH, attributes, 0));
        self.make_room(entry.level);
        self.edit(|span| {
            let Some(log) = span.push_log(now, entry.level, &entry.message) else { return };
            for (key, value) in fields_of(&entry) {
                span.set_field(log, key, value);
            }
        });
    }

    fn write_link(&self, to: SpanContext, attributes: Vec<KeyValue>) {
        let link = convert::from_link(&Link::new(to, attributes, 0));
        self.edit(|span| {
            match link {
                Some(link) => span.add_link(link),
                None => span.count_dropped(0, 0, 1),
            };
        });
    }

    fn write_status(&self, status: &OtelStatus) {
        let status: Status = convert::from_status(status);
        if status.is_error() {
            self.record_failed();
        }
        self.edit(|span| {
            span.set_status(status);
        });
    }

    /// Writes the log entry that describes an error, as the native API and the layer write it.
    fn write_error(&self, error: &dyn Error) {
        let Some(now) = self.now() else { return };
        let details = ErrorDetails::of(error, self.value_bytes());
        self.record_failed();
        self.edit(|span| span.push_exception(now, &details));
    }
}

/// The log entry of an event.
fn log_entry(event: Event) -> LogEntry {
    let mut entry = convert::from_event(&event);
    // OpenTelemetry's contexts record errors as events without a level.
    if entry.message == ErrorDetails::EVENT && entry.level == LogLevel::default() {
        entry.level = LogLevel::Error;
    }
    entry
}

fn fields_of(entry: &LogEntry) -> impl Iterator<Item = (TagKey<'_>, TagRef<'_>)> {
    entry.fields.iter().map(|(key, value)| (TagKey::lent(key), value.as_ref()))
}

impl WritableSpan for ActiveSpan {
    fn edit(&self, edit: impl FnOnce(&mut SpanMut<'_>)) {
        Self::write(self, edit);
    }

    fn now(&self) -> Option<Tick> {
        self.recorder().map(|recorder| recorder.clock.now())
    }

    fn value_bytes(&self) -> usize {
        self.value_bytes()
    }

    fn record_failed(&self) {
        self.record_failed();
    }
}

impl WritableSpan for SpanWriter {
    fn edit(&self, edit: impl FnOnce(&mut SpanMut<'_>)) {
        Self::write(self, edit);
    }

    fn now(&self) -> Option<Tick> {
        Some(Self::now(self))
    }

    fn value_bytes(&self) -> usize {
        self.value_bytes()
    }

    // A `SpanWriter` leads only to spans on record, which have room already.
    fn record_failed(&self) {}
}
