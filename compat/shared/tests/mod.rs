//! What the crate of every older line must do besides: `crate::adapter` is that crate.

mod tracing_opentelemetry;
mod tree;
