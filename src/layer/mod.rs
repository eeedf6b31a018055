//! Existing `tracing` instrumentation, by a layer for `tracing-subscriber` or by a subscriber of our own.
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
//! sampler is asked when the first child starts, when the program reads its ids, when it is given a
//! parent ([`TraceSpanExt::set_parent`](crate::TraceSpanExt::set_parent)), when a limit of the recorder is
//! reached, or when it closes, so that the sampler sees its fields and a remote parent can come late. Where
//! contexts are shared with OpenTelemetry, any code can read ids from its contexts, so the sampler is asked
//! when the span is entered, and again if it is given a parent after that.
//!
//! The layer reads fields before it takes any lock, into memory that the thread uses again. The decision
//! about a trace that a closing span completes is made when the registry has forgotten the span: otherwise
//! the registry would never forget the spans that a policy opens. The layer refuses those, and counts them
//! ([`OwnWork`](crate::ledger::Reason::OwnWork)).
//!
//! # Inside
//! ```text
//! callbacks    what the registry tells the layer; with close_extension the only files that know it
//! subscriber/  the subscriber that stands in the registry's place; it shares all that is below
//! state/       the layer's state: how spans start, when drafts settle, what is recorded
//! open_span    an open span, from draft to end; span_table finds it by the registry's id, or by one of ours
//! fields/      what fields and events say; knows neither registry nor table
//! blind_spots  what the set-up hides from the layer
//! lookup       from a tracing::Span to its layer: for TraceSpanExt, TraceIds and http
//! ```

mod activity;
mod blind_spots;
mod callbacks;
mod caller;
mod close_extension;
mod current_spans;
mod deferred_decision;
mod fields;
mod handle;
#[cfg(feature = "tower")]
pub mod http;
mod layer_list;
mod lookup;
mod measurements;
mod open_span;
mod options;
mod recorders;
mod set_parent_error;
pub(crate) mod span_ext;
mod span_table;
mod state;
pub(crate) mod subscriber;
mod subscriber_link;
pub(crate) mod trace_ids;
pub(crate) mod trace_layer;

pub use handle::LayerHandle;
pub use set_parent_error::SetParentError;
pub use subscriber::{
    ParseTraceFilterError, SubscriberHandle, SubscriberWithLogs, TraceFilter,
    TraceSubscriberBuilder,
};
pub use trace_layer::TraceLayerBuilder;
