//! Code of the application that runs inside the layer and comes back into it.
//!
//! Every case runs twice in a process of its own: under a scoped subscriber, and under the global one,
//! which `tracing` does not keep from being called while it is being called. A process that has not
//! ended in time is taken for deadlocked.

#[path = "../layer/support.rs"]
mod support;
#[path = "../layer/way.rs"]
mod way;

mod deciders;
mod endings;
mod fields;
mod leaks;
mod own_work;
mod process;
mod reloading;
mod two_pipelines;
