//! The only reader of time, so that everything else can be driven by a test.
//!
//! A [`Clock`] is read as [`Tick`]s, and a [`ClockCorrection`] leads from ticks to the time of day; a [`ManualClock`]
//! is one that a test moves.

mod clock;
mod tick;
pub(crate) mod token_bucket;

pub(crate) use clock::wall_now;
pub use clock::{Clock, ManualClock};
pub use tick::{ClockCorrection, Tick};
pub(crate) use tick::{nanos, unix_nanos};
