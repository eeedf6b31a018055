//! What every line of OpenTelemetry has.
//!
//! The crates in `compat/` compile this folder against older lines. It speaks the crate's public API
//! only, by paths that begin with `crate::`, and says what differs on a line with the cumulative cfgs
//! `before_0_M`, of which the newest line sets none.

mod bridge;
pub mod convert;
mod exporter;
mod propagator;
mod quiet;
mod sampler;
mod turn;

pub use bridge::SpanExporterBridge;
pub use exporter::OtelExporter;
pub use propagator::Propagator;
pub use sampler::FromShouldSample;
