//! What every line must do. `crate::adapter` is the line's own crate.

mod convert;
mod line;
mod otel_exporter;
mod strategies;
mod support;
