//! Traces that one service keeps and the others keep too, over the bus in memory. The README of this folder has the table
//! of what must hold.

#[path = "../support/mod.rs"]
mod support;

mod account;
mod announced;
mod bad_days;
mod doors;
mod heads;
#[path = "../support/lines.rs"]
mod lines;
mod long_traces;
mod lossy_bus;
mod many_parts;
mod parts;
#[path = "../support/readme_table.rs"]
mod readme_table;
mod ring;
mod rows;
mod table;
mod topologies;
mod warnings;
#[cfg(all(feature = "layer", feature = "otel"))]
mod ways_in;
mod world;
