//! The words of the crate.

mod ot_value;
mod randomness;
pub(crate) mod text;
mod threshold;
mod trace_state;

pub use randomness::{Randomness, RandomnessError};
pub use threshold::{RateError, Threshold, ThresholdError};
pub(crate) use trace_state::TraceStateReader;
pub use trace_state::{TraceState, TraceStateError};
