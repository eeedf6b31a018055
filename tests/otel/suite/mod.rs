//! What every line must do. `crate::adapter` is the line's own crate.

mod bridge;
mod convert;
mod from_should_sample;
mod hazards;
mod head_sampler;
pub(crate) mod line;
mod otel_exporter;
mod propagator;
mod strategies;
pub(crate) mod support;
mod tail_span_processor;
