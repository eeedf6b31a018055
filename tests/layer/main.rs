//! The `tracing` layer, through the public API.

mod basics;
mod blind_spots;
mod compatible;
mod errors;
mod events;
mod ext;
mod failures;
mod filtered;
mod follows;
mod late_parents;
mod lean;
mod limits;
mod log_records;
mod many_threads;
mod memory;
mod model;
mod parents;
mod program;
mod races;
mod runtime;
mod shutdown;
mod special;
mod subscribers;
mod support;
mod threads;
mod user_drops;
