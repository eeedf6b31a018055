//! The adapters that every release line of OpenTelemetry has.
//!
//! The crates in `compat/` compile this folder against older lines. It uses the crate's public API only, by
//! paths that begin with `crate::`. What differs on a line stands behind the cumulative cfgs `before_0_M`,
//! of which the newest line sets none.

mod async_mutex;
pub(crate) mod context;
pub mod convert;
mod from_should_sample;
mod head_sampler;
mod install;
mod length_limits;
mod otel_exporter;
mod packed_span;
mod portions;
pub(crate) mod propagator;
mod recent_ids;
mod release_line;
mod sdk_span;
mod span_exporter_bridge;
mod span_weight;
mod suppression;
mod tail_span_processor;
mod text_map;
pub(crate) mod writable_span;

pub use context::{from_context, incoming_of, share_context, to_context};
pub use from_should_sample::FromShouldSample;
pub use head_sampler::HeadSampler;
pub use install::install;
pub use otel_exporter::OtelExporter;
pub use propagator::Propagator;
pub use sdk_span::SdkSpan;
pub use span_exporter_bridge::SpanExporterBridge;
pub use tail_span_processor::TailSpanProcessor;
pub use text_map::FromTextMap;
