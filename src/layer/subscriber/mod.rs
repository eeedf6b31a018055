//! A `tracing` subscriber of our own, for programs that want spans to cost as little as they can.
//!
//! It keeps its spans where the layer does, but gives them their ids and counts their handles itself, so that no
//! registry stands between the macros of `tracing` and the recorder.

mod callbacks;
mod callsites;
mod disabling;
mod filter;
mod handle;
mod logs;

use std::fmt;
use std::sync::Arc;

use tracing::subscriber::Interest;
use tracing::{Event, Metadata, span};

pub use filter::{ParseTraceFilterError, TraceFilter};
pub use handle::SubscriberHandle;
pub use logs::SubscriberWithLogs;

use self::disabling::{Disabling, Enablement};
use self::filter::CurrentFilter;
use super::layer_list;
use super::options::{RecordingOptions, option_methods};
use super::state::LayerState;
use super::trace_layer::TraceLayerBuilder;
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
    disabling: Option<Disabling>,
}

impl TraceSubscriber {
    fn new(pipeline: &Pipeline, options: RecordingOptions, filter: TraceFilter) -> Self {
        let state = LayerState::new(
            Arc::clone(pipeline.recorder()),
            options,
            Arc::clone(pipeline.pending_warnings()),
        );
        layer_list::register(&state);
        Self { state, filter: Arc::new(CurrentFilter::new(filter)), disabling: None }
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

    /// Disables spans and events inside of traces that are not recorded, so that their macros go no further than this
    /// question. Default: they are enabled. It makes a span that is recorded about 80 instructions dearer, and one that
    /// is not a good deal cheaper.
    ///
    /// The condition: nothing in the program gives such a span another parent, or asks for its context. A disabled
    /// span has neither: [`set_parent`](crate::TraceSpanExt::set_parent) on it is lost, and headers are written from
    /// the span around it, or not at all. Spans that name their parent (`parent: …`) are enabled always, and so is
    /// what the logs want, and everything where contexts are shared with OpenTelemetry.
    #[must_use]
    pub fn disabling(mut self) -> Self {
        self.disabling = Some(Disabling::default());
        self
    }

    /// Whether the filter lets a callsite through, which is remembered.
    fn is_traced(&self, metadata: &'static Metadata<'static>) -> bool {
        let is_enabled = self.filter.is_enabled(metadata);
        if is_enabled {
            self.state.blind_spots.note(metadata);
        }
        if let Some(disabling) = &self.disabling {
            disabling.note_filter(metadata, is_enabled);
        }
        is_enabled
    }

    /// How often the macros ask about a callsite that the filter lets through.
    fn traced_interest(&self) -> Interest {
        if self.disabling.is_some() { Interest::sometimes() } else { Interest::always() }
    }

    /// Whether a callsite is enabled here and now.
    #[inline(always)]
    fn is_enabled_now(&self, metadata: &Metadata<'_>) -> bool {
        match &self.disabling {
            Some(disabling) if disabling.is_enabled_by_parent(metadata) => {
                self.state.wants_child(metadata.is_span())
            }
            disabling => self.find_enablement(disabling.as_ref(), metadata),
        }
    }

    #[inline(never)]
    fn find_enablement(&self, disabling: Option<&Disabling>, metadata: &Metadata<'_>) -> bool {
        match disabling.map_or(Enablement::Unknown, |disabling| disabling.of(metadata)) {
            Enablement::Unknown => self.filter.is_enabled(metadata),
            Enablement::Filtered => false,
            Enablement::Enabled => true,
            Enablement::EnabledByParent => self.state.wants_child(metadata.is_span()),
        }
    }

    /// Records an event. `registry_current` is what a registry beside takes the thread to be inside of.
    fn record_event(&self, event: &Event<'_>, registry_current: impl FnOnce() -> Option<span::Id>) {
        if let Some(disabling) = &self.disabling {
            disabling.note_parent(event.metadata(), event.is_contextual());
        }
        self.state.record_event(event, registry_current);
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
    disables: bool,
}

impl TraceSubscriberBuilder {
    pub(super) fn new(pipeline: &Pipeline) -> Self {
        Self {
            pipeline: pipeline.weak(),
            options: RecordingOptions::default(),
            filter: TraceFilter::default(),
            disables: false,
        }
    }

    /// Sets which spans and events are recorded. Default: all.
    pub fn with_filter(mut self, filter: impl Into<TraceFilter>) -> Self {
        self.filter = filter.into();
        self
    }

    /// Disables spans and events inside of traces that are not recorded, on the condition that
    /// [`TraceSubscriber::disabling`] tells. Default: they are enabled.
    pub fn disabling(mut self) -> Self {
        self.disables = true;
        self
    }

    /// Makes the subscriber.
    #[must_use]
    pub fn build(self) -> TraceSubscriber {
        let made = TraceSubscriber::new(&self.pipeline, self.options.finish(), self.filter);
        if self.disables { made.disabling() } else { made }
    }
}

/// Takes a layer's options over.
impl From<TraceLayerBuilder> for TraceSubscriberBuilder {
    fn from(layer: TraceLayerBuilder) -> Self {
        let TraceLayerBuilder { pipeline, options } = layer;
        Self { pipeline, options, filter: TraceFilter::default(), disables: false }
    }
}

option_methods!(TraceSubscriberBuilder);
