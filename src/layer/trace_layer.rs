//! The layer and its builder.

use std::fmt;
use std::sync::Arc;

use tracing::Metadata;

use super::handle::LayerHandle;
use super::layer_list;
use super::options::RecordingOptions;
use super::state::LayerState;
use crate::pipeline::Pipeline;

/// Sends the spans and events of existing `tracing` instrumentation through a [`Pipeline`].
///
/// From [`Pipeline::layer`], or [`builder`](Self::builder) for more tags. It goes on top of a
/// `tracing-subscriber` registry, in any order with other layers, boxed, optional, filtered or
/// reloadable. It does not keep the pipeline running.
///
/// A span costs the caller about what the registry itself costs, and 0 to 1 allocations. In a trace that
/// is sampled out, the fields of children cost nothing. Those of the root are read before the sampler is
/// asked, which may look at them, unless
/// [it drops everything](crate::Sampler::drops_everything).
pub struct TraceLayer {
    pub(super) state: Arc<LayerState>,
}

impl TraceLayer {
    fn new(pipeline: &Pipeline, options: RecordingOptions) -> Self {
        let state = LayerState::new(
            Arc::clone(pipeline.recorder()),
            options,
            Arc::clone(pipeline.pending_warnings()),
        );
        layer_list::register(&state);
        Self { state }
    }

    /// Returns a builder of a layer that records more than names, times, fields and events.
    pub fn builder(pipeline: &Pipeline) -> TraceLayerBuilder {
        TraceLayerBuilder::new(pipeline)
    }

    /// A handle that changes the layer's pipeline while the layer is in use.
    #[must_use]
    pub fn handle(&self) -> LayerHandle {
        LayerHandle::new(&self.state)
    }
}

impl Drop for TraceLayer {
    fn drop(&mut self) {
        layer_list::unregister(&self.state);
    }
}

impl fmt::Debug for TraceLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TraceLayer").field("options", &self.state.options).finish_non_exhaustive()
    }
}

impl Pipeline {
    /// Makes a `tracing-subscriber` layer that records into this pipeline.
    ///
    /// It does not keep the pipeline running: when the last [`Pipeline`] handle is dropped, its spans
    /// are counted as started after the shutdown.
    #[must_use]
    pub fn layer(&self) -> TraceLayer {
        TraceLayer::builder(self).build()
    }
}

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
    options: RecordingOptions,
}

impl TraceLayerBuilder {
    pub(super) fn new(pipeline: &Pipeline) -> Self {
        Self { pipeline: pipeline.weak(), options: RecordingOptions::default() }
    }

    /// Sets the options so that the layer records what `tracing-opentelemetry` 0.34 records by default,
    /// under the same names: location, threads, target and inactivity; for events the level and the target
    /// as fields; for errors `exception.stacktrace`. Use it when you switch and have dashboards on these
    /// tags.
    ///
    /// It costs eight tags, an allocation and four clock reads for each span. Options set after it still
    /// count.
    pub fn compatible(mut self) -> Self {
        let filter = self.options.counting_filter.take();
        self.options = RecordingOptions {
            location: true,
            threads: true,
            target: true,
            event_level: true,
            inactivity: true,
            stacktrace: true,
            counting_filter: filter,
            ..RecordingOptions::default()
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

    /// Sets a filter: the layer records only events for which it says yes, and counts all of them. Spans say
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
    pub fn build(self) -> TraceLayer {
        TraceLayer::new(&self.pipeline, self.options.finish())
    }
}
