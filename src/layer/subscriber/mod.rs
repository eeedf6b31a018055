//! A `tracing` subscriber of our own, for programs that want spans to cost as little as they can.
//!
//! It keeps its spans where the layer does, but gives them their ids and counts their handles itself, so that no
//! registry stands between the macros of `tracing` and the recorder.

mod callbacks;
mod filter;
mod handle;
mod logs;

use std::fmt;
use std::sync::Arc;

use tracing::Metadata;

pub use filter::{ParseTraceFilterError, TraceFilter};
pub use handle::SubscriberHandle;
pub use logs::SubscriberWithLogs;

use self::filter::CurrentFilter;
use super::layer_list;
use super::options::{RecordingOptions, option_methods};
use super::state::LayerState;
use crate::pipeline::Pipeline;

/// A `tracing` subscriber that records spans and events straight into a [`Pipeline`].
///
/// From [`Pipeline::subscriber`], or [`builder`](Self::builder) for more tags. It takes the place of a
/// `tracing-subscriber` registry with a [`TraceLayer`](crate::TraceLayer), for about half of what a span costs there,
/// and no allocation. It does not keep the pipeline running.
///
/// A span begins when it is made and ends when its last handle is gone, though its children may be open.
///
/// ```
/// use tailtrace::{AlwaysOn, InMemoryExporter, Pipeline};
/// use tracing_subscriber::filter::LevelFilter;
/// let memory = InMemoryExporter::new();
/// let pipeline =
///     Pipeline::builder("checkout").with_sampler(AlwaysOn).with_exporter(memory.clone()).start()?;
/// let subscriber = pipeline.subscriber().with_filter(LevelFilter::INFO); // .init() in a program.
/// tracing::subscriber::with_default(subscriber, || {
///     let _order = tracing::info_span!("place_order", order.id = 4711).entered();
///     tracing::info!(items = 3, "in stock");
/// });
/// pipeline.shutdown(std::time::Duration::from_secs(5))?;
/// assert_eq!(memory.traces()[0].root().map(|span| span.operation_name()), Some("place_order"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct TraceSubscriber {
    pub(super) state: Arc<LayerState>,
    filter: Arc<CurrentFilter>,
}

impl TraceSubscriber {
    fn new(pipeline: &Pipeline, options: RecordingOptions, filter: TraceFilter) -> Self {
        let state = LayerState::new(
            Arc::clone(pipeline.recorder()),
            options,
            Arc::clone(pipeline.pending_warnings()),
        );
        layer_list::register(&state);
        Self { state, filter: Arc::new(CurrentFilter::new(filter)) }
    }

    /// Returns a builder of a subscriber that records more than names, times, fields and events.
    pub fn builder(pipeline: &Pipeline) -> TraceSubscriberBuilder {
        TraceSubscriberBuilder::new(pipeline)
    }

    /// Sets which spans and events are recorded: a [`LevelFilter`](tracing::level_filters::LevelFilter), or a
    /// [`TraceFilter`] for levels by target. Default: all. One that is filtered out costs about 30 instructions.
    ///
    /// ```
    /// use tailtrace::layer::TraceFilter;
    /// use tailtrace::{ConsoleExporter, Pipeline};
    /// let pipeline = Pipeline::builder("checkout").with_exporter(ConsoleExporter::stdout()).start()?;
    /// let filter: TraceFilter = "info,checkout=debug,hyper=off".parse()?;
    /// let subscriber = pipeline.subscriber().with_filter(filter);
    /// # let _ = subscriber;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn with_filter(self, filter: impl Into<TraceFilter>) -> Self {
        self.filter.set(filter.into());
        self
    }

    /// Whether the filter lets a callsite through.
    fn is_traced(&self, metadata: &Metadata<'_>) -> bool {
        let is_enabled = self.filter.is_enabled(metadata);
        if is_enabled {
            self.state.blind_spots.note(metadata);
        }
        is_enabled
    }

    /// A handle that changes the subscriber's filter and its pipeline while the subscriber is in use.
    #[must_use]
    pub fn handle(&self) -> SubscriberHandle {
        SubscriberHandle::new(&self.state, &self.filter)
    }
}

impl Drop for TraceSubscriber {
    fn drop(&mut self) {
        layer_list::unregister(&self.state);
    }
}

impl fmt::Debug for TraceSubscriber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TraceSubscriber")
            .field("options", &self.state.options)
            .field("filter", &self.filter)
            .finish_non_exhaustive()
    }
}

impl Pipeline {
    /// Makes a `tracing` subscriber that records into this pipeline, ready for
    /// [`init`](tracing_subscriber::util::SubscriberInitExt::init).
    ///
    /// It does not keep the pipeline running: when the last [`Pipeline`] handle is dropped, its spans
    /// are counted as started after the shutdown.
    #[must_use]
    pub fn subscriber(&self) -> TraceSubscriber {
        TraceSubscriber::builder(self).build()
    }
}

/// Puts a [`TraceSubscriber`] together.
///
/// From [`TraceSubscriber::builder`]. The options are those of [`TraceLayerBuilder`](crate::layer::TraceLayerBuilder),
/// and a filter.
///
/// ```
/// use tailtrace::{ConsoleExporter, Pipeline, TraceSubscriber};
/// use tracing_subscriber::filter::LevelFilter;
/// let pipeline = Pipeline::builder("checkout").with_exporter(ConsoleExporter::stdout()).start()?;
/// let subscriber =
///     TraceSubscriber::builder(&pipeline).with_location(true).with_filter(LevelFilter::INFO).build();
/// # let _ = subscriber;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[must_use = "a subscriber is made with `build`"]
pub struct TraceSubscriberBuilder {
    pipeline: Pipeline,
    options: RecordingOptions,
    filter: TraceFilter,
}

impl TraceSubscriberBuilder {
    pub(super) fn new(pipeline: &Pipeline) -> Self {
        Self {
            pipeline: pipeline.weak(),
            options: RecordingOptions::default(),
            filter: TraceFilter::default(),
        }
    }

    /// Sets which spans and events are recorded. Default: all.
    pub fn with_filter(mut self, filter: impl Into<TraceFilter>) -> Self {
        self.filter = filter.into();
        self
    }

    /// Makes the subscriber.
    #[must_use]
    pub fn build(self) -> TraceSubscriber {
        TraceSubscriber::new(&self.pipeline, self.options.finish(), self.filter)
    }
}

option_methods!(TraceSubscriberBuilder);
