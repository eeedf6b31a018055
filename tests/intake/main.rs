//! Spans that another tracer makes, taken through a pipeline.

#[path = "../support/mod.rs"]
mod support;

mod decisions;
mod foreign;
mod hostile;
mod limits;
mod looks;
mod model;
mod packing;
