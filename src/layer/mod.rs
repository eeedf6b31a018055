//! Existing `tracing` instrumentation, by a layer for `tracing-subscriber`.
//!
//! ```
//! use tailtrace::{AlwaysOn, InMemoryExporter, Pipeline};
//! use tracing_subscriber::prelude::*;
//! let memory = InMemoryExporter::new();
//! let pipeline =
//!     Pipeline::builder("checkout").with_sampler(AlwaysOn).with_exporter(memory.clone()).start()?;
//! let subscriber = tracing_subscriber::registry().with(pipeline.layer());
//! tracing::subscriber::with_default(subscriber, || {
//!     let order = tracing::info_span!("place_order", order.id = 4711);
//!     let _inside = order.enter();
//!     tracing::info!(items = 3, "in stock");
//! });
//! pipeline.shutdown(std::time::Duration::from_secs(5))?;
//! let trace = &memory.traces()[0];
//! assert_eq!(trace.root().map(|span| span.operation_name()), Some("place_order"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # How it works
//! The layer keeps its open spans in a table of its own, by the registry's ids. A span with a parent
//! starts in the parent's local trace. A span without one is a *draft*: it is recorded, and the
//! sampler is asked when the first child starts, when somebody reads its ids, when it is given a parent
//! ([`TraceSpanExt::set_parent`]), when a limit of the recorder is reached, or when it closes, so that
//! the sampler sees its fields and a remote parent can come late. Where contexts are shared with
//! OpenTelemetry, whose contexts tell ids to anybody, the sampler is asked when the span is entered, and
//! again if it is given a parent after that.
//!
//! Fields are read before any lock is taken, into memory that the thread uses again. The decision about
//! a trace that a closing span completes is made when the registry has forgotten the span: otherwise it
//! would never forget the spans that a policy opens. This layer refuses those, and counts them
//! ([`OwnWork`](crate::Reason::OwnWork)).

mod after_close;
mod beside;
mod builder;
mod callbacks;
mod details;
mod event;
mod ext;
mod find;
mod format;
mod handle;
#[cfg(feature = "tower")]
pub mod http;
mod incoming;
mod open;
mod recorders;
mod scratch;
mod shared;
mod stack;
mod table;
mod timing;
mod visit;

use std::fmt;
use std::sync::Arc;

pub use builder::TraceLayerBuilder;
pub use ext::{SetParentError, TraceSpanExt};
pub use format::TraceIds;
pub use handle::LayerHandle;

use crate::pipeline::Pipeline;
use builder::Options;
use shared::Shared;

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
    shared: Arc<Shared>,
}

impl TraceLayer {
    fn new(pipeline: &Pipeline, options: Options) -> Self {
        let shared = Shared::new(Arc::clone(pipeline.recorder()), options);
        find::register(&shared);
        Self { shared }
    }

    /// Prepares a layer that records more than names, times, fields and events.
    pub fn builder(pipeline: &Pipeline) -> TraceLayerBuilder {
        TraceLayerBuilder::new(pipeline)
    }

    /// What changes the layer's pipeline while the layer is in use.
    #[must_use]
    pub fn handle(&self) -> LayerHandle {
        LayerHandle::new(&self.shared)
    }
}

impl fmt::Debug for TraceLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TraceLayer").field("options", &self.shared.options).finish_non_exhaustive()
    }
}

impl Pipeline {
    /// A `tracing-subscriber` layer that records into this pipeline.
    ///
    /// It does not keep the pipeline running: when the last [`Pipeline`] handle is dropped, its spans
    /// are counted as started after the shutdown.
    #[must_use]
    pub fn layer(&self) -> TraceLayer {
        TraceLayer::builder(self).build()
    }
}
