//! OpenTelemetry's API on a pipeline, and its contexts shared with `tracing` spans.

#[path = "../layer/support.rs"]
mod support;
#[path = "../layer/way.rs"]
mod way;

mod api;
mod contexts;
mod dropped;
mod failures;
mod foreign_propagators;
mod joining;
mod metrics;
mod reentrancy;
mod tasks;
mod world;
