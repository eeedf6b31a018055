//! Spans that another tracer makes, taken through a pipeline.

mod support;

#[path = "intake/decisions.rs"]
mod decisions;
#[path = "intake/foreign.rs"]
mod foreign;
#[path = "intake/hostile.rs"]
mod hostile;
#[path = "intake/limits.rs"]
mod limits;
#[path = "intake/looks.rs"]
mod looks;
#[path = "intake/model.rs"]
mod model;
