//! The `tracing` layer, through the public API.

#[path = "suite.rs"]
mod suite;

mod baggage;
mod blind_spots;
mod filtered;
#[path = "../support/lines.rs"]
mod lines;
mod subscribers;
mod trace_ids;
mod way;

use suite::support;
