//! Tail sampling inside the process.
#![forbid(unsafe_code)]
// The fences. Unit tests are programs and stand outside of them; the build
// without `cfg(test)` holds every line of the library to them.
#![cfg_attr(
    not(test),
    deny(
        // A tracing library must not take its host down: every way to panic is
        // a bug unless the line that uses it says why it cannot happen.
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::unreachable,
        // Output belongs to the exporters, never to a stray print.
        clippy::print_stdout,
        clippy::print_stderr,
        // Time, randomness, environment and threads have one room each; the
        // list with its reasons is `.clippy.toml`.
        clippy::disallowed_methods,
        clippy::disallowed_types,
    )
)]

pub mod delivery;
pub mod export;
pub mod kit;
pub mod ledger;
pub mod model;
pub mod pipeline;
pub mod propagation;
pub mod record;
pub mod sampling;
pub mod tail;
#[cfg(feature = "testing")]
pub mod testing;
pub mod tracer;

pub use delivery::{AsyncExporter, DeliveryConfig, Retry};
pub use export::{
    Batching, ConsoleExporter, ExportError, Exporter, FileError, FileExporter, InMemoryExporter,
    Rotation,
};
pub use ledger::{Reason, Stats};
pub use model::{
    Baggage, IdError, Limits, Link, LogEntry, LogLevel, RateError, Resource, Span, SpanId,
    SpanKind, SpanRef, Status, TagRef, TagValue, Threshold, Trace, TraceContext, TraceFlags,
    TraceId, TraceState, TraceView,
};
pub use pipeline::{
    DeliveryReport, FlushError, Pipeline, PipelineBuilder, ShutdownError, StartError,
};
pub use record::{KeepOutcome, RecordLimits, SpanPool};
pub use sampling::{
    AdaptiveError, AdaptiveSampler, AlwaysOff, AlwaysOn, AlwaysRecord, Decision, FixedRateSampler,
    ParentBasedSampler, PrioritySampler, RateLimitError, RateLimitingSampler, RuleBasedSampler,
    Sampler, SamplingDecision, SamplingRequest,
};
pub use tail::{
    All, Any, DropIf, Errors, FirstMatch, Fraction, HasLog, Named, Not, PerSecond, RootNamed,
    SlowerThan, Slowest, SpanCount, SpanSlowerThan, SpansPerSecond, TagEquals, TagInRange,
    TagMatches, TailDecision, TailPolicy, TailSampler, Verdict,
};
pub use tracer::{SpanBuilder, SpanGuard, Tracer};
