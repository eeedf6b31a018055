//! What holds for every way into a pipeline from `tracing`: the program that includes it says which, in its `way`.

mod basics;
mod compatible;
mod errors;
mod events;
mod ext;
mod failures;
mod follows;
mod late_parents;
mod lean;
mod limits;
mod log_records;
mod many_threads;
mod memory;
mod model;
mod nested;
mod parents;
mod program;
mod races;
mod runtime;
mod shutdown;
mod special;
pub(crate) mod support;
mod threads;
mod user_drops;
