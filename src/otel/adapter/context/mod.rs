//! One current span for each thread, whether `tracing` or OpenTelemetry made it current.

#[cfg(feature = "layer")]
mod attachments;
mod baggage;
mod borrowed_span;
mod conversion;
mod sharing;
mod span_registry;

pub(super) use baggage::baggage_of;
pub use conversion::{from_context, incoming_of, to_context};
pub use sharing::share_context;
pub(super) use span_registry::SpanRegistration;
