//! What OpenTelemetry's API writes to a span of ours.
//!
//! Everything is converted before the trace's lock is taken.

use std::borrow::Cow;
use std::time::SystemTime;

use opentelemetry::KeyValue;
use opentelemetry::trace::{Event, Link, SpanContext, Status as OtelStatus};

use super::convert;
use crate::model::{LogEntry, LogLevel, Status, TagKey, TagRef};
use crate::record::SpanWriter;
use crate::trace::SpanMut;

/// OpenTelemetry's name for the event of an error.
const EXCEPTION: &str = "exception";

/// A span of ours that OpenTelemetry's API can write to.
pub(crate) trait WritableSpan {
    /// Makes several changes under one lock.
    fn edit(&self, edit: impl FnOnce(&mut SpanMut<'_>));

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
}

/// The log entry of an event.
pub(crate) fn log_entry(event: Event) -> LogEntry {
    let mut entry = convert::from_event(&event);
    // OpenTelemetry's contexts record errors as events without a level.
    if entry.message == EXCEPTION && entry.level == LogLevel::default() {
        entry.level = LogLevel::Error;
    }
    entry
}

pub(crate) fn fields_of(entry: &LogEntry) -> impl Iterator<Item = (TagKey<'_>, TagRef<'_>)> {
    entry.fields.iter().map(|(key, value)| (TagKey::lent(key), value.as_ref()))
}

impl WritableSpan for SpanWriter {
    fn edit(&self, edit: impl FnOnce(&mut SpanMut<'_>)) {
        Self::write(self, edit);
    }

    // A `SpanWriter` leads only to spans on record, which have room already.
    fn record_failed(&self) {}
}
