//! The whole flow: what is kept, what is lost and why, and how it ends.

mod support;

#[path = "pipeline/decisions.rs"]
mod decisions;
#[path = "pipeline/endings.rs"]
mod endings;
#[path = "pipeline/hostile.rs"]
mod hostile;
#[path = "pipeline/limits.rs"]
mod limits;
#[path = "pipeline/nested.rs"]
mod nested;
#[path = "pipeline/swaps.rs"]
mod swaps;
