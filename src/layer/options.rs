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

/// The methods that set the options of a builder, which has them in a field `options`: the layer and the
/// subscriber have the same.
macro_rules! option_methods {
    ($builder:ident) => {
        impl $builder {
            /// Sets the options so that what `tracing-opentelemetry` 0.34 records by default is recorded,
            /// under the same names: location, threads, target and inactivity; for events the level and the target
            /// as fields; for errors `exception.stacktrace`. Use it when you switch and have dashboards on these
            /// tags.
            ///
            /// It costs eight tags, an allocation and four clock reads for each span. Options set after it still
            /// count.
            pub fn compatible(mut self) -> Self {
                let filter = self.options.counting_filter.take();
                self.options = crate::layer::options::RecordingOptions {
                    location: true,
                    threads: true,
                    target: true,
                    event_level: true,
                    inactivity: true,
                    stacktrace: true,
                    counting_filter: filter,
                    ..crate::layer::options::RecordingOptions::default()
                };
                self
            }

            /// Sets whether spans and events say where they stand in the source: `code.file.path`,
            /// `code.module.name`, `code.line.number`. Default: no. Costs three tags.
            pub fn with_location(mut self, location: bool) -> Self {
                self.options.location = location;
                self
            }

            /// Sets whether spans say which thread made them: `thread.id`, `thread.name`. Default: no. Costs two tags.
            pub fn with_threads(mut self, threads: bool) -> Self {
                self.options.threads = threads;
                self
            }

            /// Sets whether spans say their level, in upper case: `level`. Default: no. Costs a tag. Events
            /// have a level anyway.
            pub fn with_level(mut self, level: bool) -> Self {
                self.options.level = level;
                self
            }

            /// Sets whether spans and events say their target, usually the module they stand in: `target`.
            /// Default: no. Costs a tag. After [`compatible`](Self::compatible) events say it anyway.
            pub fn with_target(mut self, target: bool) -> Self {
                self.options.target = target;
                self
            }

            /// Sets whether spans say for how many nanoseconds they were entered and not entered, until they were
            /// left for the last time: `busy_ns`, `idle_ns`. Default: no. Costs a clock read and a lock for each
            /// enter and exit, and an allocation for each span.
            pub fn with_tracked_inactivity(mut self, inactivity: bool) -> Self {
                self.options.inactivity = inactivity;
                self
            }

            /// Sets whether a span or event with an error as a field (`dyn Error`) says `exception.message`, and
            /// `exception.type` where it is known. Default: yes. Costs nothing without such a field.
            pub fn with_error_fields_to_exceptions(mut self, exceptions: bool) -> Self {
                self.options.error_fields = exceptions;
                self
            }

            /// Sets whether an error that an event has as a field (`dyn Error`) is said of its span as well.
            /// Default: yes. Costs nothing without such a field.
            pub fn with_error_records_to_exceptions(mut self, exceptions: bool) -> Self {
                self.options.error_records = exceptions;
                self
            }

            /// Sets whether an event without a message and with a field named `error`, such as `#[instrument(err)]`
            /// makes, becomes a log entry `exception` with an `exception.message`. Default: yes.
            pub fn with_error_events_to_exceptions(mut self, exceptions: bool) -> Self {
                self.options.error_events = exceptions;
                self
            }

            /// Sets whether an event without a message and with a field named `error` makes the span's status an
            /// error with that text, at whatever level. Default: yes. An event at the level error makes it one
            /// anyway.
            pub fn with_error_events_to_status(mut self, status: bool) -> Self {
                self.options.error_status = status;
                self
            }

            /// Sets a filter: only events for which it says yes are recorded, and all of them are counted. Spans say
            /// `otel.tracing_event_count`, which may be zero. Default: no filter. Costs a tag and an allocation
            /// for each span.
            ///
            /// Events at the level error make the status an error even if they are only counted.
            pub fn with_counting_event_filter(
                mut self,
                filter: impl Fn(&tracing::Metadata<'_>) -> bool + Send + Sync + 'static,
            ) -> Self {
                self.options.counting_filter = Some(std::sync::Arc::new(filter));
                self
            }
        }
    };
}

pub(super) use option_methods;
