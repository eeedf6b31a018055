//! Tools that know nothing of tracing.
//!
//! Time, randomness and threads enter the crate here and nowhere else, so that everything above can
//! be driven by a test: a [`Clock`] that a test moves, a [`Random`] that a test seeds.

pub mod clock;
pub(crate) mod error_text;
pub(crate) mod glob;
pub(crate) mod guarded;
pub(crate) mod name_table;
pub(crate) mod notice;
pub(crate) mod own_work;
pub mod random;
pub(crate) mod stripe;
pub(crate) mod sync;
pub(crate) mod token_bucket;
pub(crate) mod type_name;

pub use clock::{Clock, ManualClock, Tick};
pub use random::Random;
