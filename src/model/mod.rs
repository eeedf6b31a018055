//! The words of the crate.

mod baggage;
mod ot_value;
mod randomness;
pub(crate) mod text;
mod threshold;
mod trace_state;

pub(crate) use baggage::BaggageReader;
pub use baggage::{Baggage, BaggageError, BaggageMember};
pub use randomness::{Randomness, RandomnessError};
pub use threshold::{RateError, Threshold, ThresholdError};
pub(crate) use trace_state::TraceStateReader;
pub use trace_state::{TraceState, TraceStateError};
