//! Log entries of spans.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::time::SystemTime;

use super::text::excerpt;
use super::{TagKey, TagValue};
use crate::kit::debug_like_display;

/// How much a log entry matters.
///
/// OpenTelemetry: severity. Ordered: `Trace < Debug < Info < Warn < Error`.
///
/// The list is complete: the levels of `tracing` and `log`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LogLevel {
    /// Details of single steps.
    Trace,
    /// Details for finding a fault.
    Debug,
    /// What happened.
    #[default]
    Info,
    /// Something that may need a look.
    Warn,
    /// Something failed.
    Error,
}

impl LogLevel {
    /// The level in upper case, as it stands in log lines.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Trace => "TRACE",
            Self::Debug => "DEBUG",
            Self::Info => "INFO",
            Self::Warn => "WARN",
            Self::Error => "ERROR",
        }
    }
}

impl fmt::Display for LogLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A text that is not a level.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a log level; use trace, debug, info, warn or error")]
pub struct LogLevelError(String);

debug_like_display!(LogLevelError);

impl FromStr for LogLevel {
    type Err = LogLevelError;

    /// Reads a level in either case.
    fn from_str(text: &str) -> Result<Self, LogLevelError> {
        [Self::Trace, Self::Debug, Self::Info, Self::Warn, Self::Error]
            .into_iter()
            .find(|level| level.as_str().eq_ignore_ascii_case(text))
            .ok_or_else(|| LogLevelError(excerpt(text)))
    }
}

/// A message of a span with its time, level and fields.
///
/// OpenTelemetry: a span event. [`LogRef`](crate::trace::LogRef) reads one in place.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct LogEntry {
    /// The time of the entry.
    pub time: SystemTime,
    /// How much it matters.
    pub level: LogLevel,
    /// The text for a person.
    pub message: Cow<'static, str>,
    /// Details with a key each.
    pub fields: Vec<(Cow<'static, str>, TagValue)>,
}

impl LogEntry {
    /// A log entry without fields.
    pub fn new(time: SystemTime, level: LogLevel, message: impl Into<Cow<'static, str>>) -> Self {
        Self { time, level, message: message.into(), fields: Vec::new() }
    }

    /// This log entry with one more field.
    #[must_use]
    pub fn with_field<'k>(
        mut self,
        key: impl Into<TagKey<'k>>,
        value: impl Into<TagValue>,
    ) -> Self {
        self.fields.push((key.into().into_owned(), value.into()));
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_reads_back_what_it_prints_and_refuses_the_rest_by_name() {
        assert_eq!("error".parse(), Ok(LogLevel::Error));
        assert_eq!(LogLevel::Warn.to_string().parse(), Ok(LogLevel::Warn));
        let refused = "loud".parse::<LogLevel>().unwrap_err();
        assert_eq!(
            refused.to_string(),
            "\"loud\" is not a log level; use trace, debug, info, warn or error"
        );
    }
}
