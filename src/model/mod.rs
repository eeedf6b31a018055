//! The words of the crate, and nothing that acts.
//!
//! Samplers, policies, exporters and propagators speak these types, and those of [`trace`](crate::trace)
//! for spans that were recorded.

mod baggage;
mod border;
pub(crate) mod context;
pub(crate) mod id;
pub(crate) mod incoming;
pub(crate) mod kind;
mod limits;
mod link;
pub(crate) mod log;
mod ot_member;
pub(crate) mod pattern;
pub(crate) mod priority;
mod randomness;
pub(crate) mod redact;
mod resource;
pub(crate) mod setting;
pub(crate) mod tag;
pub(crate) mod text;
mod threshold;
mod trace_state;

pub use crate::kit::Random;
pub(crate) use baggage::BaggageReader;
pub use baggage::{Baggage, BaggageError, BaggageMember};
pub use border::Border;
pub(crate) use context::LocalHandle;
pub(crate) use context::TraceContext;
pub use context::TraceFlags;
pub use id::IdError;
pub(crate) use id::{SpanId, TraceId};
pub(crate) use incoming::Incoming;
pub(crate) use kind::{SpanKind, Status};
pub use limits::Limits;
pub use link::Link;
pub(crate) use log::LogLevel;
pub use log::{LogEntry, LogLevelError};
pub(crate) use priority::PrioritySampler;
pub use randomness::{Randomness, RandomnessError};
pub use redact::Redact;
pub use resource::Resource;
pub use setting::SettingError;
pub use tag::{TagArg, TagRef};
pub(crate) use tag::{TagKey, TagValue};
pub use threshold::{Threshold, ThresholdError};
pub(crate) use trace_state::TraceStateReader;
pub use trace_state::{TraceState, TraceStateError};
