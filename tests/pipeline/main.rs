//! The whole flow: what is kept, what is lost and why, and how it ends.

#[path = "../support/mod.rs"]
mod support;

mod decisions;
mod endings;
mod exporter_calls;
mod gauges;
mod hostile;
mod limits;
mod nested;
mod swaps;
