//! Bad days: a test for each way in which a process, a network or a trace goes wrong. The README of this folder has the
//! table.

#[path = "../support/mod.rs"]
mod support;

mod panics;
mod table;
