//! What every line of OpenTelemetry has.
//!
//! The crates in `compat/` compile this folder against older lines. It speaks the crate's public API
//! only, by paths that begin with `crate::`, and says what differs on a line with the cumulative cfgs
//! `before_0_M`, of which the newest line sets none.

mod bridge;
pub mod convert;
mod early;
mod exporter;
mod head_sampler;
mod line;
pub(crate) mod propagator;
mod quiet;
mod recorded;
mod sampler;
mod tail_span_processor;
mod turn;

pub use bridge::SpanExporterBridge;
pub use exporter::OtelExporter;
pub use head_sampler::HeadSampler;
pub use propagator::Propagator;
pub use recorded::Recorded;
pub use sampler::FromShouldSample;
pub use tail_span_processor::TailSpanProcessor;
