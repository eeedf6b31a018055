//! What every line must do. `crate::adapter` is the line's own crate.

mod bridge;
mod convert;
mod from_should_sample;
mod line;
mod otel_exporter;
mod propagator;
mod strategies;
mod support;
