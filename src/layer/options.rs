//! What is recorded of spans and events.

use std::fmt;
use std::sync::Arc;

use tracing::Metadata;

/// Says of an event whether it is recorded; otherwise it is only counted.
type EventFilter = Arc<dyn Fn(&Metadata<'_>) -> bool + Send + Sync>;

/// What is recorded of spans and events besides names, times and fields.
#[derive(Clone)]
pub(super) struct RecordingOptions {
    /// Whether spans say nothing but their fields, which [`finish`](Self::finish) works out.
    pub(super) is_lean: bool,
    pub(super) location: bool,
    pub(super) threads: bool,
    pub(super) level: bool,
    pub(super) target: bool,
    /// Whether events have their level and target as fields, which is where `tracing-opentelemetry` puts
    /// them.
    pub(super) event_level: bool,
    pub(super) inactivity: bool,
    pub(super) error_fields: bool,
    pub(super) error_records: bool,
    pub(super) error_events: bool,
    pub(super) error_status: bool,
    /// Whether the causes of an error are recorded as `exception.stacktrace`, too.
    pub(super) stacktrace: bool,
    pub(super) counting_filter: Option<EventFilter>,
}

impl fmt::Debug for RecordingOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordingOptions")
            .field("location", &self.location)
            .field("threads", &self.threads)
            .field("level", &self.level)
            .field("target", &self.target)
            .field("inactivity", &self.inactivity)
            .finish_non_exhaustive()
    }
}

impl RecordingOptions {
    /// The options as they are used: `is_lean` says what the other fields amount to.
    pub(super) fn finish(mut self) -> Self {
        let has_span_metadata = self.location || self.threads || self.level || self.target;
        self.is_lean = !has_span_metadata && !self.measures_spans();
        self
    }

    /// Whether spans have measurements.
    #[inline]
    pub(super) fn measures_spans(&self) -> bool {
        self.inactivity || self.counting_filter.is_some()
    }
}

impl Default for RecordingOptions {
    fn default() -> Self {
        Self {
            is_lean: true,
            location: false,
            threads: false,
            level: false,
            target: false,
            event_level: false,
            inactivity: false,
            error_fields: true,
            error_records: true,
            error_events: true,
            error_status: true,
            stacktrace: false,
            counting_filter: None,
        }
    }
}
