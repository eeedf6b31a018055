//! What a real Jaeger and a real collector make of what we send.
//!
//! `tests/interop/run.sh` starts the servers, names them in the environment and runs this program.
//! Without them every test says that it was skipped.

mod every_field;
mod many_traces;
mod query;
mod restart;
mod seen;
mod servers;
mod tail_equivalence;
mod traces;
mod web_example;
mod zipkin;

use std::time::Duration;

/// Longer than anything here takes; reaching it is a failure.
const PLENTY: Duration = Duration::from_secs(120);
