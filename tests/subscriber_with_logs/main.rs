//! The suite of the layer under the subscriber with logs beside it that want everything.

#[path = "../layer/suite.rs"]
mod suite;

mod way;
