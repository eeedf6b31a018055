//! The `tracing` layer, through the public API.

mod layer {
    mod basics;
    mod compatible;
    mod errors;
    mod events;
    mod ext;
    mod filtered;
    mod follows;
    mod lean;
    mod log_records;
    mod memory;
    mod model;
    mod parents;
    mod program;
    mod races;
    mod runtime;
    mod special;
    mod subscribers;
    pub(crate) mod support;
    mod threads;
}
