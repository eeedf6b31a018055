//! Tail sampling inside the process: keep every error, every slow trace, and a share of the rest.
//!
//! `tailtrace` records the spans of each request together in memory and decides when the request is
//! complete whether the trace is worth exporting. What is dropped is not converted for an exporter and gives
//! its buffer back, so recording everything stays cheap; what is kept goes to exporters on threads of their
//! own. Every span that starts is accounted for, with a reason when it did not arrive.
//!
//! Spans come from the `tracing` instrumentation that a program has already, through a [`TraceLayer`],
//! or from the crate's own small API, through a [`Tracer`]. Both may feed one [`Pipeline`].
//!
//! # Quick start with `tracing`
//!
//! ```
//! use std::time::Duration;
//! use tailtrace::{ConsoleExporter, Errors, Fraction, Pipeline, SlowerThan, TailSampler};
//! use tracing::{info, instrument};
//! use tracing_subscriber::filter::LevelFilter;
//! use tracing_subscriber::prelude::*;
//!
//! #[instrument(err)]
//! fn place_order(id: u32) -> Result<(), std::io::Error> {
//!     info!("asking the bank");
//!     Err(std::io::Error::other("card declined"))
//! }
//!
//! let pipeline = Pipeline::builder("checkout")
//!     .with_tail(
//!         TailSampler::new()
//!             .keep(Errors)
//!             .keep(SlowerThan(Duration::from_millis(500)))
//!             .keep(Fraction::new(0.01)?),
//!     )
//!     .with_exporter(ConsoleExporter::stdout())
//!     .start()?; // Hold it in `main`: the layer does not keep it running.
//! // Without a filter all levels of all crates are recorded.
//! tracing_subscriber::registry().with(pipeline.layer().with_filter(LevelFilter::INFO)).init();
//!
//! let _ = place_order(4711); // The trace is complete when this returns, and kept for its error.
//!
//! pipeline.shutdown(Duration::from_secs(5))?; // Waits until it is drawn.
//! assert_eq!(pipeline.stats().exported, 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Quick start without
//!
//! ```
//! use std::time::Duration;
//! use tailtrace::{ConsoleExporter, Errors, Fraction, LogLevel, Pipeline, SlowerThan, TailSampler};
//!
//! let pipeline = Pipeline::builder("checkout")
//!     .with_tail(
//!         TailSampler::new()
//!             .keep(Errors)
//!             .keep(SlowerThan(Duration::from_millis(500)))
//!             .keep(Fraction::new(0.01)?),
//!     )
//!     .with_exporter(ConsoleExporter::stdout())
//!     .start()?;
//!
//! let tracer = pipeline.tracer();
//! {
//!     let order = tracer.start_span("POST /orders");
//!     order.set_tag("order.id", 4711);
//!     let charge = order.child("charge_card");
//!     charge.log(LogLevel::Info, "asking the bank");
//!     charge.set_error(&std::io::Error::other("card declined"));
//! } // The last span ends here: the tail is asked, and keeps the trace for its error.
//!
//! pipeline.shutdown(Duration::from_secs(5))?; // Waits until it is drawn.
//! assert_eq!(pipeline.stats().exported, 2);
//! println!("{}", pipeline.stats());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Without a tail, [`Tracer::new`] takes a sampler and an exporter and is all there is.
//!
//! # The flow
//!
#![doc = include_str!("../assets/flow-rustdoc.svg")]
//!
//! Spans come in through [`layer`] for `tracing` instrumentation, [`tracer`] for the crate's own API, and `otel` for
//! OpenTelemetry. Headers are read and written by [`propagation`]; [`config`] reads the environment. The [`ledger`]
//! counts at every arrow. The chapter on the [data flow](manual::data_flow) goes through it step by step.
//!
//! # The rooms
//!
//! Each module has one concern. The names that most programs need are re-exported here.
//!
//! - [`layer`]: `tracing` instrumentation. [`TraceLayer`] is the layer for `tracing-subscriber`,
//!   [`TraceSpanExt`] gives its spans remote parents, tags and ids, [`TraceIds`] writes the ids into logs.
//! - [`tracer`]: the native API. [`Tracer`] starts spans, [`SpanGuard`] is one that runs and ends when
//!   it is dropped, [`SpanBuilder`] starts one with more than a name.
//! - [`pipeline`]: the whole flow. [`Pipeline::builder`] puts it together; the [`Pipeline`] flushes,
//!   shuts down, takes another sampler or tail while it runs, keeps a dropped trace after the fact, and
//!   gives the account.
//! - [`sampling`]: the head. A [`Sampler`] is asked once when a local trace begins and says drop,
//!   record or sample.
//! - [`record`]: the hot path. One pooled buffer per local trace, completed when its last span ends;
//!   [`RecordLimits`] bounds what is live, and the ring of recent drops.
//! - [`tail`]: the tail. A [`TailPolicy`] sees a complete local trace; [`TailSampler`] combines several.
//! - [`delivery`]: when and how often kept traces are exported. [`DeliveryConfig`] has the limits of the
//!   queues and the [`Retry`]; [`AsyncExporter`] gives any exporter a queue of its own.
//! - [`export`]: where to. [`ConsoleExporter`] draws waterfalls, [`FileExporter`] writes lines of JSON,
//!   [`InMemoryExporter`] is for tests; `OtlpExporter`, `JaegerExporter` and `ZipkinExporter` (features) speak
//!   to backends; [`Exporter`] is the trait for an exporter of your own.
//! - [`ledger`]: the account. [`Stats`] is a snapshot, [`Reason`] says why spans did not arrive.
//! - [`propagation`]: headers to [`TraceContext`] and back, in the formats of W3C, B3 and Jaeger.
//! - `otel` (feature): OpenTelemetry. Our sampler and tail in a set-up of its SDK, its exporters and
//!   samplers in a pipeline, its API on the recorder, one current span for both, the ledger as metrics.
//! - [`config`]: the environment. [`config::from_env`] makes a pipeline of the `OTEL_*` variables.
//! - [`model`]: the words that all modules speak: ids, contexts, tags, logs, links, limits.
//! - [`trace`]: how spans are stored and read: a [`Trace`], its spans, and what a tail policy sees of it.
//! - [`time`]: the only reader of clocks, so that tests can drive it.
//! - `testing` (feature): hand-made traces and traces as text.
//! - [`manual`]: the book.
//!
//! # Features
//!
#![doc = include_str!("manual/features.md")]
//!
//! # The book
//!
//! [Data flow](manual::data_flow) ·
//! [Tracing](manual::tracing) ·
//! [Choosing a sampler](manual::choosing_a_sampler) ·
//! [Tail sampling](manual::tail_sampling) ·
//! [Loss and the ledger](manual::loss_and_the_ledger) ·
//! [Propagation](manual::propagation) ·
//! [Switching from tracing-opentelemetry](manual::switching_from_tracing_opentelemetry) ·
//! OpenTelemetry ·
//! [Configuration](manual::configuration) ·
//! [Features](manual::features) ·
//! [Decisions](manual::decisions) ·
//! [Comparison](manual::comparison)
#![forbid(unsafe_code)]
// Some of the recorder's tools serve one door only, and the book speaks of all doors.
#![cfg_attr(
    not(feature = "layer"),
    allow(dead_code, unused_imports, rustdoc::broken_intra_doc_links)
)]
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

pub mod config;
pub mod delivery;
pub mod export;
mod kit;
#[cfg(feature = "layer")]
pub mod layer;
pub mod ledger;
pub mod manual;
pub mod model;
#[cfg(feature = "otel")]
pub mod otel;
pub mod pipeline;
pub mod propagation;
pub mod record;
pub mod sampling;
pub mod tail;
#[cfg(feature = "testing")]
pub mod testing;
pub mod time;
pub mod trace;
pub mod tracer;

pub use delivery::{AsyncExporter, DeliveryConfig, Retry};
#[cfg(feature = "jaeger")]
pub use export::JaegerExporter;
#[cfg(feature = "zipkin")]
pub use export::ZipkinExporter;
pub use export::{
    Batching, ConsoleExporter, ExportError, Exporter, FileError, FileExporter, InMemoryExporter,
    Rotation,
};
#[cfg(feature = "otlp")]
pub use export::{OtlpError, OtlpExporter, OtlpExporterBuilder, OtlpProtocol};
#[cfg(feature = "layer")]
pub use layer::{
    LayerHandle, SetParentError, TraceIds, TraceLayer, TraceLayerBuilder, TraceSpanExt,
};
pub use ledger::{Reason, Stats};
pub use model::{
    Baggage, IdError, Limits, Link, LogEntry, LogLevel, RateError, Resource, SpanId, SpanKind,
    Status, TagRef, TagValue, Threshold, TraceContext, TraceFlags, TraceId, TraceState,
};
pub use pipeline::{
    DeliveryReport, ExporterFailure, FlushError, Pipeline, PipelineBuilder, ShutdownError,
    StartError,
};
pub use record::{KeepOutcome, RecordLimits, SpanPool};
pub use sampling::{
    AdaptiveError, AdaptiveSampler, AlwaysOff, AlwaysOn, AlwaysRecord, FixedRateSampler,
    ParentBasedSampler, PrioritySampler, RateLimitError, RateLimitingSampler, RuleBasedSampler,
    Sampler, SamplingDecision, SamplingRequest, SamplingResult,
};
pub use tail::{
    All, Any, DropIf, Errors, FirstMatch, Fraction, HasLog, Named, Not, PerSecond, RootNamed,
    SlowerThan, Slowest, SpanCount, SpanSlowerThan, SpansPerSecond, TagEquals, TagInRange,
    TagMatches, TailDecision, TailPolicy, TailSampler, Verdict,
};
pub use trace::{Span, SpanRef, Trace, TraceView};
pub use tracer::{SpanBuilder, SpanGuard, Tracer};

/// The programs in the README are tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
