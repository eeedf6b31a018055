//! One current span for each thread, whether `tracing` or OpenTelemetry made it current.

mod attachments;
mod baggage;
mod borrowed_span;
mod conversion;
mod sharing;
mod span_registry;

#[cfg(not(older_line))]
pub(crate) use baggage::baggage_of;
pub use conversion::{from_context, incoming_of, to_context};
pub use sharing::share_context;
#[cfg(not(older_line))]
pub(crate) use span_registry::SpanRegistration;
