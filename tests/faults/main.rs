//! Bad days: a test for each way in which a process, a network or a trace goes wrong. The README of this folder has the
//! table.

#[path = "../support/mod.rs"]
mod support;

#[cfg(feature = "otlp")]
mod accounts;
#[cfg(feature = "otlp")]
mod connections;
mod crashes;
mod data;
#[cfg(unix)]
mod fork_exporters;
#[cfg(unix)]
mod forks;
#[cfg(feature = "otlp")]
#[path = "../support/lines.rs"]
mod lines;
mod long_traces;
mod outages;
#[cfg(unix)]
#[path = "../support/own_process.rs"]
mod own_process;
mod panics;
#[cfg(feature = "otlp")]
mod parts_elsewhere;
#[cfg(feature = "otlp")]
mod peers;
#[path = "../support/readme_table.rs"]
mod readme_table;
#[cfg(feature = "otlp")]
mod relay;
#[cfg(feature = "otlp")]
#[path = "../otlp/server.rs"]
mod server;
#[cfg(feature = "spool")]
mod spool;
mod table;
