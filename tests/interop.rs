//! What a real Jaeger and a real collector make of what we send.
//!
//! `tests/interop/run.sh` starts the servers, names them in the environment and runs this program.
//! Without them every test says that it was skipped.

#[path = "interop/every_field.rs"]
mod every_field;
#[path = "interop/many_traces.rs"]
mod many_traces;
#[path = "interop/query.rs"]
mod query;
#[path = "interop/restart.rs"]
mod restart;
#[path = "interop/seen.rs"]
mod seen;
#[path = "interop/servers.rs"]
mod servers;
#[path = "interop/tail_equivalence.rs"]
mod tail_equivalence;
#[path = "interop/traces.rs"]
mod traces;
#[path = "interop/web_example.rs"]
mod web_example;
#[path = "interop/zipkin.rs"]
mod zipkin;

use std::time::Duration;

/// Longer than anything here takes; reaching it is a failure.
const PLENTY: Duration = Duration::from_secs(120);
