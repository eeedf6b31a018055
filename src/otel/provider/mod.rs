//! OpenTelemetry's tracing API on our recorder.

mod active_span;
mod span;
mod tracer;
mod tracer_provider;

pub use span::Span;
pub use tracer::Tracer;
pub use tracer_provider::TracerProvider;
