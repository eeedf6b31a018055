//! Events and log entries.
//!
//! An event has no level. The one of a log entry stands in the attribute `level`, which is where
//! tracing's bridge to OpenTelemetry writes it: as the first attribute, in upper case.

use opentelemetry::trace::Event;
use opentelemetry::{KeyValue, Value};

use super::{from_attribute, to_key_value};
use crate::model::{LogEntry, LogLevel, TagRef};
use crate::trace::LogRef;

const LEVEL: &str = "level";

/// The event as a log entry: its name is the message.
///
/// The level is what the attribute `level` says, if that is one of the five, else `Info`. The attribute
/// stays among the fields unless [`to_event`] would write it again.
#[must_use]
pub fn from_event(event: &Event) -> LogEntry {
    let (level, attributes) = level_of(&event.attributes);
    let fields = attributes.iter().map(from_attribute);
    let mut entry = LogEntry::new(event.timestamp, level, event.name.clone());
    entry.fields = fields.collect();
    entry
}

/// The log entry as an event: the message is its name.
///
/// Levels other than `Info` become the first attribute, `level`.
#[must_use]
pub fn to_event(log: LogRef<'_>) -> Event {
    let level = log.level();
    let mut level_fields = log.fields().filter(|(key, _)| *key == LEVEL);
    let level_in_fields = level_fields.find_map(|(_, value)| read(value));
    let is_needed = level_in_fields.unwrap_or_default() != level;
    let level = is_needed.then(|| KeyValue::new(LEVEL, level.as_str()));
    let fields = log.fields().map(|(key, value)| to_key_value(key, value));
    Event::new(log.message().to_owned(), log.time(), level.into_iter().chain(fields).collect(), 0)
}

/// Whether the event says by its level that its span has failed.
pub(in super::super) fn is_error_event(event: &Event) -> bool {
    let (level, _) = level_of(&event.attributes);
    level >= LogLevel::Error
}

/// The level that the attributes of an event give, and the attributes without it.
pub(super) fn level_of(attributes: &[KeyValue]) -> (LogLevel, &[KeyValue]) {
    let mut levels = attributes.iter().filter(|attribute| attribute.key.as_str() == LEVEL);
    let level = levels.clone().find_map(read_attribute).unwrap_or_default();
    let is_alone = levels.next().is_some() && levels.next().is_none();
    match attributes.split_first() {
        Some((first, rest)) if is_alone && is_as_written(first, level) => (level, rest),
        _ => (level, attributes),
    }
}

/// Whether [`to_event`] writes just this attribute for the level.
fn is_as_written(attribute: &KeyValue, level: LogLevel) -> bool {
    let is_level = attribute.key.as_str() == LEVEL;
    let says =
        |text: &str| matches!(&attribute.value, Value::String(value) if value.as_str() == text);
    is_level && level != LogLevel::default() && says(level.as_str())
}

fn read_attribute(attribute: &KeyValue) -> Option<LogLevel> {
    match &attribute.value {
        Value::String(text) => text.as_str().parse().ok(),
        _ => None,
    }
}

fn read(value: TagRef<'_>) -> Option<LogLevel> {
    value.as_str().and_then(|text| text.parse().ok())
}
