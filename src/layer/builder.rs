//! What the layer records besides names, times and fields.

use std::fmt;
use std::sync::Arc;

use tracing::Metadata;

use super::TraceLayer;
use crate::pipeline::Pipeline;

/// Puts a [`TraceLayer`] together.
///
/// From [`TraceLayer::builder`]. The options have the names and the meaning they have in
/// `tracing-opentelemetry`; their defaults are lean: what costs a clock read, an allocation or several
/// tags for each span is off until asked for. [`compatible`](Self::compatible) turns on what is on there.
///
/// ```
/// use tailtrace::{ConsoleExporter, Pipeline, TraceLayer};
/// use tracing_subscriber::prelude::*;
/// let pipeline = Pipeline::builder("checkout").with_exporter(ConsoleExporter::stdout()).start()?;
/// let layer = TraceLayer::builder(&pipeline).with_location(true).with_level(true).build();
/// let subscriber = tracing_subscriber::registry().with(layer);
/// # let _ = subscriber;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[must_use = "a layer is made with `build`"]
pub struct TraceLayerBuilder {
    pipeline: Pipeline,
    options: Options,
}

/// Says of an event whether it is recorded.
type EventFilter = Arc<dyn Fn(&Metadata<'_>) -> bool + Send + Sync>;

#[derive(Clone)]
pub(super) struct Options {
    /// Spans say nothing besides their fields. Known when the layer is made.
    pub(super) is_lean: bool,
    pub(super) location: bool,
    pub(super) threads: bool,
    pub(super) level: bool,
    pub(super) target: bool,
    /// Events tell their level and target as fields, as in OpenTelemetry, where they have no other
    /// place for them.
    pub(super) event_level: bool,
    pub(super) inactivity: bool,
    pub(super) error_fields: bool,
    pub(super) error_records: bool,
    pub(super) error_events: bool,
    pub(super) error_status: bool,
    /// The causes of an error are told as `exception.stacktrace` too.
    pub(super) stacktrace: bool,
    pub(super) counting_filter: Option<EventFilter>,
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("location", &self.location)
            .field("threads", &self.threads)
            .field("level", &self.level)
            .field("target", &self.target)
            .field("inactivity", &self.inactivity)
            .finish_non_exhaustive()
    }
}

impl Options {
    /// Whether spans say more than their fields.
    fn describes_spans(&self) -> bool {
        self.location || self.threads || self.level || self.target
    }

    #[inline]
    pub(super) fn needs_extras(&self) -> bool {
        self.inactivity || self.counting_filter.is_some()
    }
}

impl Default for Options {
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

impl TraceLayerBuilder {
    pub(super) fn new(pipeline: &Pipeline) -> Self {
        Self { pipeline: pipeline.weak(), options: Options::default() }
    }

    /// Records what `tracing-opentelemetry` 0.34 records by default, under the same names: location,
    /// threads, target and inactivity; for events the level and the target as fields; for errors
    /// `exception.stacktrace`. For those who switch and have dashboards on these tags.
    ///
    /// It costs eight tags, an allocation and four clock reads for each span. Options set after it still
    /// count.
    pub fn compatible(mut self) -> Self {
        let filter = self.options.counting_filter.take();
        self.options = Options {
            location: true,
            threads: true,
            target: true,
            event_level: true,
            inactivity: true,
            stacktrace: true,
            counting_filter: filter,
            ..Options::default()
        };
        self
    }

    /// Whether spans and events say where they stand in the source: `code.file.path`,
    /// `code.module.name`, `code.line.number`. Default: no. Costs three tags.
    pub fn with_location(mut self, location: bool) -> Self {
        self.options.location = location;
        self
    }

    /// Whether spans say which thread made them: `thread.id`, `thread.name`. Default: no. Costs two tags.
    pub fn with_threads(mut self, threads: bool) -> Self {
        self.options.threads = threads;
        self
    }

    /// Whether spans say their level, in upper case: `level`. Default: no. Costs a tag. Events say
    /// theirs anyway.
    pub fn with_level(mut self, level: bool) -> Self {
        self.options.level = level;
        self
    }

    /// Whether spans and events say their target, usually the module they stand in: `target`.
    /// Default: no. Costs a tag. After [`compatible`](Self::compatible) events say it anyway.
    pub fn with_target(mut self, target: bool) -> Self {
        self.options.target = target;
        self
    }

    /// Whether spans say for how many nanoseconds they were entered and not entered, until they were
    /// left for the last time: `busy_ns`, `idle_ns`. Default: no. Costs a clock read and a lock for each
    /// enter and exit, and an allocation for each span.
    pub fn with_tracked_inactivity(mut self, inactivity: bool) -> Self {
        self.options.inactivity = inactivity;
        self
    }

    /// Whether a span or event with an error as a field (`dyn Error`) says `exception.message`, and
    /// `exception.type` where it is known. Default: yes. Costs nothing without such a field.
    pub fn with_error_fields_to_exceptions(mut self, exceptions: bool) -> Self {
        self.options.error_fields = exceptions;
        self
    }

    /// Whether an error that an event has as a field (`dyn Error`) is said of its span as well.
    /// Default: yes. Costs nothing without such a field.
    pub fn with_error_records_to_exceptions(mut self, exceptions: bool) -> Self {
        self.options.error_records = exceptions;
        self
    }

    /// Whether an event without a message and with a field named `error`, such as `#[instrument(err)]`
    /// makes, becomes a log entry `exception` with an `exception.message`. Default: yes.
    pub fn with_error_events_to_exceptions(mut self, exceptions: bool) -> Self {
        self.options.error_events = exceptions;
        self
    }

    /// Whether an event without a message and with a field named `error` makes the span's status an
    /// error with that text, at whatever level. Default: yes. An event at the level error makes it one
    /// anyway.
    pub fn with_error_events_to_status(mut self, status: bool) -> Self {
        self.options.error_status = status;
        self
    }

    /// Records only events for which `filter` says yes, and counts all of them: spans say
    /// `otel.tracing_event_count`, which may be zero. Default: no filter. Costs a tag and an allocation
    /// for each span.
    ///
    /// Events at the level error make the status an error even if they are only counted.
    pub fn with_counting_event_filter(
        mut self,
        filter: impl Fn(&Metadata<'_>) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.options.counting_filter = Some(Arc::new(filter));
        self
    }

    /// Makes the layer.
    #[must_use]
    pub fn build(mut self) -> TraceLayer {
        let options = &mut self.options;
        options.is_lean = !options.describes_spans() && !options.needs_extras();
        TraceLayer::new(&self.pipeline, self.options)
    }
}
