//! The `tracing` subscriber: the suite of the layer, and what only the subscriber has.

#[path = "../layer/suite.rs"]
mod suite;

mod disabling;
mod filters;
#[path = "../support/lines.rs"]
mod lines;
mod logs;
mod text;
mod way;

use suite::support;
