//! The only reader of time, so that everything else can be driven by a test.
//!
//! A [`Clock`] tells [`Tick`]s; a [`ManualClock`] is one that a test moves.

pub(crate) mod clock;
pub(crate) mod token_bucket;

pub(crate) use clock::wall_now;
pub use clock::{Clock, ManualClock, Tick};
