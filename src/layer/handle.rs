//! The handle of a layer that is in use.

use std::fmt;
use std::sync::{Arc, Weak};

use super::state::LayerState;
use crate::pipeline::Pipeline;

/// Changes the pipeline of a [`TraceLayer`](crate::TraceLayer) that is part of a subscriber.
///
/// From [`TraceLayer::handle`](crate::TraceLayer::handle). It does not keep the layer alive. To change
/// only the sampler or the tail, use [`Pipeline::set_sampler`] and [`Pipeline::set_tail`].
///
/// ```
/// use tailtrace::{AlwaysOff, AlwaysOn, InMemoryExporter, Pipeline};
/// use tracing_subscriber::prelude::*;
/// let before = Pipeline::builder("checkout")
///     .with_sampler(AlwaysOff)
///     .with_exporter(InMemoryExporter::new())
///     .start()?;
/// let layer = before.layer();
/// let handle = layer.handle();
/// let _default = tracing_subscriber::registry().with(layer).set_default();
/// // Later, when the configuration has been read:
/// let memory = InMemoryExporter::new();
/// let after =
///     Pipeline::builder("checkout").with_sampler(AlwaysOn).with_exporter(memory.clone()).start()?;
/// handle.set_pipeline(&after);
/// drop(tracing::info_span!("place_order"));
/// after.shutdown(std::time::Duration::from_secs(5))?;
/// assert_eq!(memory.traces().len(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct LayerHandle(Weak<LayerState>);

impl LayerHandle {
    pub(in crate::layer) fn new(state: &Arc<LayerState>) -> Self {
        Self(Arc::downgrade(state))
    }

    /// Sends the local traces that begin from now on into another pipeline; those that are running stay
    /// where they are. Without effect when the layer is gone.
    ///
    /// The layer drops what it has of the old pipeline, its sampler and its tail included, at the next
    /// exchange after the old pipeline's last span, or with itself.
    pub fn set_pipeline(&self, pipeline: &Pipeline) {
        if let Some(state) = self.0.upgrade() {
            state.set_recorder(Arc::clone(pipeline.recorder()));
        }
    }
}

impl fmt::Debug for LayerHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LayerHandle").finish_non_exhaustive()
    }
}
