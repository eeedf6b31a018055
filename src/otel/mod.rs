//! OpenTelemetry, in both directions.
//!
//! This module is for OpenTelemetry 0.33; the crates `tailtrace-otel-0-23` to `tailtrace-otel-0-32` are for older
//! release lines.
//!
//! [`HeadSampler`] and [`TailSpanProcessor`] put the head and the tail of a pipeline into a set-up of the SDK,
//! [`TracerProvider`] is the tracing API on a pipeline without the SDK, and [`share_context`] gives `tracing` and
//! OpenTelemetry the same current span. [`install`] is the one call for programs that keep the layer of
//! `tracing-opentelemetry`. [`OtelExporter`], [`SpanExporterBridge`], [`FromShouldSample`],
//! [`Propagator`], [`FromTextMap`] and [`IdGenerator`] each adapt one interface, and [`metrics`] reports the ledger.
//! [`manual::opentelemetry`](crate::manual::opentelemetry) has the whole picture.

// `adapter` holds what every release line has, and the crates in `compat/` share it. What uses the recorder
// itself stands beside it.

pub(crate) mod adapter;
mod id_generator;
pub mod metrics;
mod provider;

pub use adapter::{
    FromShouldSample, FromTextMap, HeadSampler, OtelExporter, Propagator, SdkSpan,
    SpanExporterBridge, TailSpanProcessor, convert, from_context, incoming_of, install,
    share_context, to_context,
};
pub use id_generator::IdGenerator;
pub use provider::{Span, Tracer, TracerProvider};
