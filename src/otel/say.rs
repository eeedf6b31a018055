//! What OpenTelemetry's API says about a span of ours.
//!
//! Everything is converted before the trace's lock is taken.

use std::borrow::Cow;
use std::error::Error;
use std::time::SystemTime;

use opentelemetry::KeyValue;
use opentelemetry::trace::{Event, Link, SpanContext, Status as OtelStatus};

use super::convert;
use crate::model::{LogLevel, Status, TagRef, TagValue};
use crate::record::{ActiveSpan, SpanHand};
use crate::time::Tick;
use crate::trace::{ErrorDetails, SpanMut};

/// A span of which something can be said.
pub(super) trait Say {
    /// Says several things under one lock.
    fn edit(&self, edit: impl FnOnce(&mut SpanMut<'_>));

    /// The moment at which the wall clock shows `time`; `None` when nothing is kept.
    fn tick_at(&self, time: SystemTime) -> Option<Tick>;

    /// The same for now; `None` when nothing is kept.
    fn now(&self) -> Option<Tick>;

    /// How long a text may be before it is cut.
    fn value_bytes(&self) -> usize;

    /// Prepares the span to be said to have failed.
    fn rescue(&self);
}

impl Say for ActiveSpan {
    fn edit(&self, edit: impl FnOnce(&mut SpanMut<'_>)) {
        self.edit(edit);
    }

    fn tick_at(&self, time: SystemTime) -> Option<Tick> {
        self.tick_at(time)
    }

    fn now(&self) -> Option<Tick> {
        self.recorder().map(|recorder| recorder.clock.now())
    }

    fn value_bytes(&self) -> usize {
        self.value_bytes()
    }

    fn rescue(&self) {
        self.rescue();
    }
}

impl Say for SpanHand {
    fn edit(&self, edit: impl FnOnce(&mut SpanMut<'_>)) {
        self.edit(edit);
    }

    fn tick_at(&self, time: SystemTime) -> Option<Tick> {
        Some(self.tick_at(time))
    }

    fn now(&self) -> Option<Tick> {
        self.now()
    }

    fn value_bytes(&self) -> usize {
        self.value_bytes()
    }

    fn rescue(&self) {}
}

/// A key with a value that owns its content.
pub(super) type Tag = (Cow<'static, str>, TagValue);

pub(super) fn tags(attributes: &[KeyValue]) -> Vec<Tag> {
    attributes.iter().map(convert::from_attribute).collect()
}

pub(super) fn attribute(span: &impl Say, attribute: &KeyValue) {
    let (key, value) = convert::from_attribute(attribute);
    span.edit(|edit| {
        edit.set_tag(key, value.as_ref());
    });
}

pub(super) fn event(
    span: &impl Say,
    name: Cow<'static, str>,
    time: SystemTime,
    attributes: Vec<KeyValue>,
) {
    let Some(tick) = span.tick_at(time) else { return };
    event_at(span, tick, &Event::new(name, time, attributes, 0));
}

/// An event that happens now, by the clock that its span is measured with.
pub(super) fn event_now(span: &impl Say, name: Cow<'static, str>, attributes: Vec<KeyValue>) {
    let Some(tick) = span.now() else { return };
    event_at(span, tick, &Event::new(name, SystemTime::UNIX_EPOCH, attributes, 0));
}

fn event_at(span: &impl Say, tick: Tick, event: &Event) {
    let mut entry = convert::from_event(event);
    // A context records errors as events, without a level.
    if entry.message == ErrorDetails::EVENT && entry.level == LogLevel::default() {
        entry.level = LogLevel::Error;
    }
    let fields = entry.fields.iter().map(|(key, value)| (key.clone(), value.as_ref()));
    let fields: Vec<(Cow<'static, str>, TagRef<'_>)> = fields.collect();
    span.edit(|edit| {
        let log = edit.push_log(tick, entry.level, &entry.message);
        for (key, value) in fields {
            if let Some(log) = log {
                edit.set_field(log, key, value);
            }
        }
    });
}

pub(super) fn link(span: &impl Say, to: SpanContext, attributes: Vec<KeyValue>) {
    let link = convert::from_link(&Link::new(to, attributes, 0));
    span.edit(|edit| {
        match link {
            Some(link) => edit.add_link(link),
            None => edit.count_dropped(0, 0, 1),
        };
    });
}

pub(super) fn status(span: &impl Say, status: &OtelStatus) {
    let status: Status = convert::from_status(status);
    if status.is_error() {
        span.rescue();
    }
    span.edit(|edit| {
        edit.set_status(status);
    });
}

/// The log entry that tells of an error, as every door writes it.
pub(super) fn error(span: &impl Say, error: &dyn Error) {
    let Some(now) = span.now() else { return };
    let details = ErrorDetails::of(error, span.value_bytes());
    span.edit(|edit| edit.push_exception(now, &details));
}
