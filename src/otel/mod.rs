//! OpenTelemetry, in both directions.
//!
//! For OpenTelemetry 0.33; for older lines there are the crates `tailtrace-otel-0-23` to `tailtrace-otel-0-32`.
//!
//! [`HeadSampler`] and [`TailSpanProcessor`] put the head and the tail of a pipeline into a set-up of the SDK,
//! [`TracerProvider`] is the tracing API on a pipeline without the SDK, and [`share_context`] makes one
//! current span for both worlds. [`OtelExporter`], [`SpanExporterBridge`], [`FromShouldSample`], [`Propagator`]
//! and [`IdGenerator`] lead across one by one, [`metrics`] shows the ledger.
//! [`manual::opentelemetry`](crate::manual::opentelemetry) has the whole picture.

// What every line has stands in `adapter`, which the crates in `compat/` share; what needs the recorder itself
// stands beside it.

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
