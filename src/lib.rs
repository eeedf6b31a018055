//! Tail sampling inside the process.
#![forbid(unsafe_code)]

pub mod export;
pub mod kit;
pub mod ledger;
pub mod model;
pub mod sampling;
pub mod tail;
#[cfg(feature = "testing")]
pub mod testing;

pub use export::{
    Batching, ConsoleExporter, ExportError, Exporter, FileError, FileExporter, InMemoryExporter,
    Rotation,
};
pub use ledger::{Reason, Stats};
pub use model::{
    Baggage, IdError, Limits, Link, LogEntry, LogLevel, Resource, Span, SpanId, SpanKind, SpanRef,
    Status, TagRef, TagValue, Threshold, Trace, TraceContext, TraceFlags, TraceId, TraceState,
    TraceView,
};
pub use sampling::{Decision, Sampler, SamplingDecision, SamplingRequest};
pub use tail::{TailDecision, TailPolicy, Verdict};
