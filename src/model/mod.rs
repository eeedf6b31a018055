//! The words of the crate, and nothing that acts.
//!
//! Samplers, policies, exporters and propagators speak these types, and those of [`trace`](crate::trace)
//! for spans that were recorded.

mod baggage;
mod context;
mod id;
mod kind;
mod limits;
mod link;
mod log;
mod ot_value;
mod priority;
mod randomness;
mod resource;
mod tag;
pub(crate) mod text;
mod threshold;
mod trace_state;

pub use crate::kit::Random;
pub(crate) use baggage::BaggageReader;
pub use baggage::{Baggage, BaggageError, BaggageMember};
pub(crate) use context::LocalHandle;
pub use context::{TraceContext, TraceFlags};
pub use id::{IdError, SpanId, TraceId};
pub use kind::{SpanKind, Status};
pub use limits::Limits;
pub use link::Link;
pub use log::{LogEntry, LogLevel, LogLevelError};
pub use priority::PrioritySampler;
pub use randomness::{Randomness, RandomnessError};
pub use resource::Resource;
pub use tag::{TagArg, TagKey, TagRef, TagValue};
pub use threshold::{RateError, Threshold, ThresholdError};
pub(crate) use trace_state::TraceStateReader;
pub use trace_state::{TraceState, TraceStateError};
