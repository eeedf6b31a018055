//! The `tracing` subscriber: the suite of the layer, and what only the subscriber has.

#[path = "../layer/basics.rs"]
mod basics;
#[path = "../layer/compatible.rs"]
mod compatible;
#[path = "../layer/errors.rs"]
mod errors;
#[path = "../layer/events.rs"]
mod events;
#[path = "../layer/ext.rs"]
mod ext;
#[path = "../layer/failures.rs"]
mod failures;
#[path = "../layer/follows.rs"]
mod follows;
#[path = "../layer/late_parents.rs"]
mod late_parents;
#[path = "../layer/lean.rs"]
mod lean;
#[path = "../layer/limits.rs"]
mod limits;
#[path = "../layer/log_records.rs"]
mod log_records;
#[path = "../layer/many_threads.rs"]
mod many_threads;
#[path = "../layer/memory.rs"]
mod memory;
#[path = "../layer/model.rs"]
mod model;
#[path = "../layer/nested.rs"]
mod nested;
#[path = "../layer/parents.rs"]
mod parents;
#[path = "../layer/program.rs"]
mod program;
#[path = "../layer/races.rs"]
mod races;
#[path = "../layer/runtime.rs"]
mod runtime;
#[path = "../layer/shutdown.rs"]
mod shutdown;
#[path = "../layer/special.rs"]
mod special;
#[path = "../layer/support.rs"]
mod support;
#[path = "../layer/threads.rs"]
mod threads;
#[path = "../layer/user_drops.rs"]
mod user_drops;

mod disabling;
mod filters;
mod logs;
mod text;
mod way;
