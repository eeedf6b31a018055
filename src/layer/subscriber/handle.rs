//! The handle of a subscriber that is in use.

use std::fmt;
use std::sync::{Arc, Weak};

use tracing::callsite;

use super::filter::{CurrentFilter, TraceFilter};
use crate::layer::handle::LayerHandle;
use crate::layer::state::LayerState;
use crate::pipeline::Pipeline;

/// Changes the filter and the pipeline of a [`TraceSubscriber`](crate::TraceSubscriber) that is in use.
///
/// From [`TraceSubscriber::handle`](crate::TraceSubscriber::handle). It does not keep the subscriber alive.
///
/// ```
/// use tailtrace::{ConsoleExporter, Pipeline};
/// use tracing::level_filters::LevelFilter;
/// let pipeline = Pipeline::builder("checkout").with_exporter(ConsoleExporter::stdout()).start()?;
/// let subscriber = pipeline.subscriber().with_filter(LevelFilter::INFO);
/// let handle = subscriber.handle();
/// tracing::subscriber::with_default(subscriber, || {
///     assert!(!tracing::enabled!(tracing::Level::DEBUG));
///     handle.set_filter(LevelFilter::DEBUG);
///     assert!(tracing::enabled!(tracing::Level::DEBUG));
/// });
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct SubscriberHandle {
    layer: LayerHandle,
    filter: Weak<CurrentFilter>,
}

impl SubscriberHandle {
    pub(super) fn new(state: &Arc<LayerState>, filter: &Arc<CurrentFilter>) -> Self {
        Self { layer: LayerHandle::new(state), filter: Arc::downgrade(filter) }
    }

    /// Sets which spans and events are recorded from now on. Costs a look at every callsite of the program. Without
    /// effect when the subscriber is gone.
    pub fn set_filter(&self, filter: impl Into<TraceFilter>) {
        if let Some(current) = self.filter.upgrade() {
            current.set(filter.into());
            callsite::rebuild_interest_cache();
        }
    }

    /// Sends the local traces that begin from now on into another pipeline; those that are running stay
    /// where they are. Without effect when the subscriber is gone.
    pub fn set_pipeline(&self, pipeline: &Pipeline) {
        self.layer.set_pipeline(pipeline);
    }
}

impl fmt::Debug for SubscriberHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SubscriberHandle").finish_non_exhaustive()
    }
}
