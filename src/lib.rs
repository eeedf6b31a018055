//! Tail sampling inside the process.
#![forbid(unsafe_code)]

pub mod delivery;
pub mod export;
pub mod kit;
pub mod ledger;
pub mod model;
pub mod sampling;
pub mod tail;

pub use delivery::{AsyncExporter, DeliveryConfig, Retry};
pub use export::{Batching, ExportError, Exporter};
pub use ledger::{Reason, Stats};
pub use model::{
    Baggage, IdError, Limits, Link, LogEntry, LogLevel, Resource, Span, SpanId, SpanKind, SpanRef,
    Status, TagRef, TagValue, Threshold, Trace, TraceContext, TraceFlags, TraceId, TraceState,
    TraceView,
};
pub use sampling::{Decision, Sampler, SamplingDecision, SamplingRequest};
pub use tail::{TailDecision, TailPolicy, Verdict};
