//! Tail sampling inside the process.
#![forbid(unsafe_code)]

pub mod export;
pub mod kit;
pub mod ledger;
pub mod model;
pub mod sampling;
pub mod tail;

pub use export::{Batching, ExportError, Exporter};
pub use ledger::{Reason, Stats};
pub use model::{
    Baggage, IdError, Limits, Link, LogEntry, LogLevel, RateError, Resource, Span, SpanId,
    SpanKind, SpanRef, Status, TagRef, TagValue, Threshold, Trace, TraceContext, TraceFlags,
    TraceId, TraceState, TraceView,
};
pub use sampling::{
    AdaptiveError, AdaptiveSampler, AlwaysOff, AlwaysOn, AlwaysRecord, Decision, FixedRateSampler,
    ParentBasedSampler, PrioritySampler, RateLimitError, RateLimitingSampler, RuleBasedSampler,
    Sampler, SamplingDecision, SamplingRequest,
};
pub use tail::{TailDecision, TailPolicy, Verdict};
