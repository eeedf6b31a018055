//! Traces that one service keeps and the others keep too, over the bus in memory.

#[path = "../support/mod.rs"]
mod support;

mod announced;
mod bad_days;
mod doors;
mod heads;
mod long_traces;
mod many_parts;
mod rows;
mod topologies;
mod world;
