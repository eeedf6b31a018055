//! What the crate of every older line must do besides: `crate::adapter` is that crate.

mod share_context;
mod tracing_opentelemetry;
mod tree;
