//! What every line must do. `crate::adapter` is the line's own crate.

mod convert;
mod failures;
mod from_should_sample;
mod hazards;
mod head_sampler;
mod otel_exporter;
mod packing;
mod propagator;
pub(crate) mod release_line;
mod span_exporter_bridge;
mod strategies;
pub(crate) mod support;
mod tail_span_processor;
