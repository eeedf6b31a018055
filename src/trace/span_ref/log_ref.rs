//! Log entries read where they stand.

use std::time::SystemTime;

use crate::model::{LogEntry, LogLevel, TagRef};
use crate::time::{ClockCorrection, Tick};
use crate::trace::store::{LogRecord, RecordedSpans};

/// A log entry of a span, read in place. OpenTelemetry: a span event.
#[derive(Clone, Copy, Debug)]
pub struct LogRef<'a> {
    records: &'a RecordedSpans,
    record: &'a LogRecord,
    correction: ClockCorrection,
}

impl<'a> LogRef<'a> {
    pub(super) fn new(
        records: &'a RecordedSpans,
        record: &'a LogRecord,
        correction: ClockCorrection,
    ) -> Self {
        Self { records, record, correction }
    }

    /// The entry's time, by the wall clock.
    #[must_use]
    pub fn time(self) -> SystemTime {
        self.record.time.wall(self.correction)
    }

    pub(crate) fn tick(self) -> Tick {
        self.record.time
    }

    /// The entry's time, in nanoseconds since the Unix epoch.
    #[cfg(feature = "otlp")]
    pub(crate) fn nanos(self) -> u64 {
        self.record.time.wall_nanos(self.correction)
    }

    /// The entry's level.
    #[must_use]
    pub fn level(self) -> LogLevel {
        self.record.level
    }

    /// The entry's message.
    #[must_use]
    pub fn message(self) -> &'a str {
        self.records.message(self.record)
    }

    /// The entry's fields in the order their keys were first set.
    pub fn fields(self) -> impl Iterator<Item = (&'a str, TagRef<'a>)> {
        self.records.fields(self.record)
    }

    /// Copies the entry into one that stands on its own.
    #[must_use]
    pub fn to_entry(self) -> LogEntry {
        LogEntry {
            time: self.time(),
            level: self.level(),
            message: self.message().to_owned().into(),
            fields: self
                .fields()
                .map(|(key, value)| (key.to_owned().into(), value.to_value()))
                .collect(),
        }
    }
}
