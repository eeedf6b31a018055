//! The words of the crate, and nothing that acts.
//!
//! Samplers, policies, exporters and propagators speak only these types. A [`Trace`] is the spans of
//! one local trace in one compact buffer; [`SpanRef`] reads a span in place, [`Span`] owns one.

mod baggage;
mod context;
pub(crate) mod head;
mod id;
mod kind;
mod limits;
mod link;
mod log;
mod original;
mod ot_value;
mod priority;
mod randomness;
mod resource;
mod span;
mod span_mut;
mod span_ref;
pub(crate) mod store;
mod tag;
pub(crate) mod text;
mod threshold;
mod trace;
mod trace_state;
mod view;

pub(crate) use baggage::BaggageReader;
pub use baggage::{Baggage, BaggageError, BaggageMember};
pub(crate) use context::LocalHandle;
pub use context::{TraceContext, TraceFlags};
pub use id::{IdError, SpanId, TraceId};
pub use kind::{SpanKind, Status};
pub use limits::Limits;
pub use link::Link;
pub use log::{LogEntry, LogLevel, LogLevelError};
pub use original::{Original, Outline};
pub use priority::PrioritySampler;
pub use randomness::{Randomness, RandomnessError};
pub use resource::Resource;
pub use span::Span;
pub use span_mut::SpanMut;
pub use span_ref::{LinkRef, LogRef, SpanRef};
pub use tag::{TagArg, TagKey, TagRef, TagValue};
pub use threshold::{RateError, Threshold, ThresholdError};
pub(crate) use trace::Kept;
pub use trace::Trace;
pub(crate) use trace_state::TraceStateReader;
pub use trace_state::{TraceState, TraceStateError};
pub use view::TraceView;
