//! Tail sampling inside the process.
#![forbid(unsafe_code)]

pub mod kit;
pub mod model;
