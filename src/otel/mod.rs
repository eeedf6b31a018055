//! OpenTelemetry, in both directions.
//!
//! Written for OpenTelemetry 0.33. What every line has stands in `adapter`, which the crates in `compat/`
//! share; what needs the recorder itself stands beside it.

pub(crate) mod adapter;
mod context;
mod id_generator;
pub mod metrics;
mod provider;
mod say;

pub use adapter::{
    FromShouldSample, HeadSampler, OtelExporter, Propagator, Recorded, SpanExporterBridge,
    TailSpanProcessor, convert,
};
pub use context::{from_context, share_context, to_context};
pub use id_generator::IdGenerator;
pub use provider::{Span, Tracer, TracerProvider};
