#![doc = include_str!("../README.md")]
//!
//! # What does not arrive
//!
//! The formats have no place for the trace state, for counts of what was dropped, for the attributes of links and
//! for schemas. Links arrive as `FOLLOWS_FROM`.
//!
//! # The environment
//!
//! opentelemetry-jaeger reads `OTEL_EXPORTER_JAEGER_AGENT_HOST`, `.._AGENT_PORT` and `.._ENDPOINT`, and prefers
//! them to what the builders say.
#![forbid(unsafe_code)]
// Its authors point to OTLP, as the first lines above do.
#![allow(deprecated)]

mod agent;
mod collector;
mod exporter;

pub use agent::AgentBuilder;
pub use collector::CollectorBuilder;
pub use exporter::{BuildError, ThriftExporter};
/// What [`ThriftExporter::collector`] takes, from the HTTP crates that opentelemetry-jaeger is built on.
pub use opentelemetry_http::{self, HttpClient};
