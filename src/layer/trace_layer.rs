//! The layer and its builder.

use std::fmt;
use std::sync::Arc;

use super::handle::LayerHandle;
use super::layer_list;
use super::options::{RecordingOptions, option_methods};
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
    pub(super) pipeline: Pipeline,
    pub(super) options: RecordingOptions,
}

impl TraceLayerBuilder {
    pub(super) fn new(pipeline: &Pipeline) -> Self {
        Self { pipeline: pipeline.weak(), options: RecordingOptions::default() }
    }

    /// Makes the layer.
    #[must_use]
    pub fn build(self) -> TraceLayer {
        TraceLayer::new(&self.pipeline, self.options.finish())
    }
}

option_methods!(TraceLayerBuilder);
