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
#![doc = include_str!("../assets/waterfall-light.svg")]
//!
//! This is what a program of five requests prints: one failed, one was slow, three were dropped. A layer at DEBUG
//! beside logs at INFO gives the debug events of the requests that failed, and of no others.
//!
//! # One line to begin
//!
//! With the feature `init`, one line installs logs with trace ids, our subscriber, headers, a tail and an exporter:
//!
//! ```no_run
//! # #[cfg(feature = "init")]
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let _guard = tailtrace::init("shop")?; // Flushes when `main` ends.
//!     tracing::info_span!("place_order").in_scope(|| tracing::info!("asking the bank"));
//!     Ok(())
//! }
//! # #[cfg(not(feature = "init"))]
//! # fn main() {}
//! ```
//!
//! # axum in ten lines
//!
//! ```
//! # #[cfg(all(feature = "init", feature = "tower"))]
//! # {
//! use axum::{Router, extract::MatchedPath, routing::get};
//! use tailtrace::layer::http::HttpServerLayer;
//!
//! # #[allow(clippy::needless_doctest_main)]
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let _guard = tailtrace::init("shop")?;
//!     let traced = HttpServerLayer::new()
//!         .with_route(|request| request.extensions.get::<MatchedPath>().map(MatchedPath::as_str));
//!     let app = Router::new().route("/orders/{id}", get(async || "paid")).layer(traced);
//!     let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
//!     Ok(axum::serve(listener, app).await?)
//! }
//! # }
//! ```
//!
//! Each request is a span with its route and status, below the caller's where it has one (features `init` and `tower`).
//!
//! # Two lines in an OpenTelemetry set-up
//!
//! ```diff
//!  let provider = SdkTracerProvider::builder()
//! -    .with_sampler(Sampler::TraceIdRatioBased(0.01)) // Of the errors, too, 99 % are lost.
//! -    .with_batch_exporter(exporter)
//! +    .with_sampler(HeadSampler::new(&pipeline))
//! +    .with_span_processor(TailSpanProcessor::new(&pipeline))
//!      .build();
//! ```
//!
//! `otel::install(&pipeline)` does it for programs that keep the layer of `tracing-opentelemetry`.
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
//! # Without `tracing`
//!
//! [`pipeline.tracer()`](Pipeline::tracer) starts spans that end when their guards are dropped: see [`Tracer`].
//! Without a tail, [`Tracer::new`] takes a sampler and an exporter and is all there is.
//!
//! # The flow
//!
#![doc = include_str!("../assets/flow-rustdoc.svg")]
//!
//! Spans come in through [`layer`] for `tracing` instrumentation, [`Tracer`] for the crate's own API, and `otel` for
//! OpenTelemetry. Headers are read and written by [`propagation`]; [`config`] reads the environment. The [`ledger`]
//! counts at every arrow. The chapter on the [data flow](manual::data_flow) goes through it step by step.
//!
//! # The names, and the rooms
//!
//! What a first program needs stands at the root:
//!
//! | for | names |
//! |---|---|
//! | the flow | `init`, [`Pipeline`] |
//! | the tail | [`TailSampler`], [`TailPolicy`], [`Verdict`], [`TraceView`]; [`Errors`], [`SlowerThan`], [`Fraction`] |
//! | the head | [`Sampler`], [`SamplingDecision`], [`SamplingResult`], [`SamplingRequest`]; [`AlwaysOn`], [`AlwaysOff`], [`FixedRateSampler`], [`AdaptiveSampler`], [`ParentBasedSampler`] |
//! | the native API | [`Tracer`], [`SpanBuilder`], [`SpanGuard`], [`Incoming`] |
//! | the words | [`TraceId`], [`SpanId`], [`TraceContext`], [`LogLevel`], [`SpanKind`], [`Status`], [`TagValue`] |
//! | what was recorded | [`Trace`], [`Span`], [`SpanRef`] |
//! | the destinations | [`Exporter`], [`ConsoleExporter`], [`FileExporter`], [`InMemoryExporter`], `OtlpExporter`, `JaegerExporter`, `ZipkinExporter` |
//! | `tracing` | [`TraceLayer`], [`TraceSubscriber`], [`TraceSpanExt`], [`TraceIds`] |
//!
//! Every name has one public path. All other names are in the module of their concern:
//!
//! - [`pipeline`]: the whole flow. [`Pipeline::builder`] puts it together with a
//!   [`PipelineBuilder`](pipeline::PipelineBuilder); the [`Pipeline`] flushes, shuts down, takes another sampler or
//!   tail while it runs, keeps a dropped trace after the fact, and gives the account. Here are also the reports and
//!   errors of these: `DeliveryReport`, `ExporterFailure`, `FlushError`, `ShutdownError`, `StartError`.
//! - [`sampling`]: the head. A [`Sampler`] is asked once when a local trace begins and says drop, record or
//!   sample. Here are the samplers `AlwaysRecord`, `PrioritySampler`, `RateLimitingSampler` and
//!   `RuleBasedSampler` with its `Rule`.
//! - [`tail`]: the tail. A [`TailPolicy`] sees a complete local trace; [`TailSampler`] combines several. Here are
//!   `TailDecision`, `EvaluationOrder`, the policies `All`, `Any`, `DropIf`, `ErrorsByStatus`, `FirstMatch`, `HasLog`, `Named`, `Not`, `PerSecond`,
//!   `RootNamed`, `Slowest`, `SpanCount`, `SpanSlowerThan`, `SpansPerSecond`, `TagEquals`, `TagInRange` and
//!   `TagMatches`.
//! - [`model`]: the words that all modules speak. Here are `Baggage`, `Limits`, `Link`, `LogEntry`, `Random`, `Resource`,
//!   `TagRef`, `Threshold`, `TraceFlags`, `TraceState`, the errors of reading them, such as `IdError`, and `SettingError`,
//!   the one error for settings out of range.
//! - [`trace`]: how spans are stored and read: what a [`Trace`] and its spans consist of.
//! - [`record`]: the hot path. One pooled buffer per local trace, completed when its last span ends;
//!   [`RecordLimits`](record::RecordLimits) bounds what is live, and the ring of recent drops. `KeepOutcome`, `SpanPool`.
//! - [`coherence`]: one trace in all services. `Coherence` says over which `KeepBus` and in which group services tell
//!   each other what they kept; `MemoryBus` is one within the process, `NatsBus` and `RedisBus` (features) reach servers.
//! - [`delivery`]: when and how often kept traces are exported. [`DeliveryConfig`](delivery::DeliveryConfig) has the
//!   limits of the queues and the [`Retry`](delivery::Retry); [`AsyncExporter`](delivery::AsyncExporter) gives any
//!   exporter a queue of its own.
//! - [`export`]: where to. [`ConsoleExporter`] draws waterfalls, [`FileExporter`] writes lines of JSON,
//!   [`InMemoryExporter`] is for tests; `OtlpExporter`, `JaegerExporter` and `ZipkinExporter` (features) speak
//!   to backends; [`Exporter`] is the trait for an exporter of your own. Here are `Batch`, `Batching`,
//!   `ExportError`, `FileError`, `HttpError`, `OtlpProtocol`, `Rotation`, and the builders of the exporters, such as
//!   `OtlpExporterBuilder`.
//! - [`ledger`]: the account. [`Stats`](ledger::Stats) is a snapshot, [`Reason`](ledger::Reason) says why spans did
//!   not arrive.
//! - [`layer`]: `tracing` instrumentation. [`TraceLayer`] is the layer for `tracing-subscriber`, [`TraceSubscriber`]
//!   a subscriber of our own, where spans cost less; [`TraceSpanExt`] gives their spans remote parents, tags and ids,
//!   [`TraceIds`] writes the ids into logs. Here are `TraceLayerBuilder`, `LayerHandle`, `TraceSubscriberBuilder`,
//!   `SubscriberHandle`, `TraceFilter`, `ParseTraceFilterError`, `SetParentError`, and `layer::http` (feature `tower`) with `HttpServerLayer` and
//!   `HttpClientLayer` for services and clients.
//! - [`propagation`]: headers to [`TraceContext`] and back, in the formats of W3C, B3 and Jaeger.
//! - `otel` (feature): OpenTelemetry. Our sampler and tail in a set-up of its SDK, its exporters and
//!   samplers in a pipeline, its API on the recorder, one current span for both, the ledger as metrics.
//! - [`config`]: the environment. [`config::from_env`] makes a pipeline of the `OTEL_*` variables; `model::Resource::detect`
//!   (feature `detect`) describes the process.
//! - `init` (feature): one line sets up logs, traces, export and headers. `Guard`, `InitBuilder`, `InitError`.
//! - [`time`]: the only reader of clocks, so that tests can drive it.
//! - [`adapter`]: for authors of adapters. `Intake`, `Started`, `Original`, `Outline`, `SpanMut`, `TagKey`, `may_block`.
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
//! [Across services](manual::across_services) ·
//! [Running it](manual::running) ·
//! [Versions](manual::versions) ·
//! [Decisions](manual::decisions) ·
//! [Comparison](manual::comparison)
#![forbid(unsafe_code)]
// The book speaks of every room, whether it is there or not. With all of them each link is checked.
#![cfg_attr(
    not(all(feature = "layer", feature = "otel", feature = "otlp", feature = "tower")),
    allow(rustdoc::broken_intra_doc_links)
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

pub mod adapter;
#[cfg_attr(not(test), expect(dead_code, reason = "pipelines do not take part in it yet"))]
pub mod coherence;
pub mod config;
pub mod delivery;
pub mod export;
#[cfg(feature = "init")]
pub mod init;
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
mod tracer;

pub use export::console::ConsoleExporter;
pub use export::exporter::Exporter;
pub use export::file::FileExporter;
#[cfg(feature = "jaeger")]
pub use export::jaeger::JaegerExporter;
pub use export::memory::InMemoryExporter;
#[cfg(feature = "otlp")]
pub use export::otlp::OtlpExporter;
#[cfg(feature = "zipkin")]
pub use export::zipkin::ZipkinExporter;
#[cfg(feature = "init")]
pub use init::entry::init;
#[cfg(feature = "layer")]
pub use layer::span_ext::TraceSpanExt;
#[cfg(feature = "layer")]
pub use layer::subscriber::TraceSubscriber;
#[cfg(feature = "layer")]
pub use layer::trace_ids::TraceIds;
#[cfg(feature = "layer")]
pub use layer::trace_layer::TraceLayer;
pub use model::context::TraceContext;
pub use model::id::{SpanId, TraceId};
pub use model::incoming::Incoming;
pub use model::kind::{SpanKind, Status};
pub use model::log::LogLevel;
pub use model::tag::TagValue;
pub use pipeline::handle::Pipeline;
pub use sampling::adaptive::AdaptiveSampler;
pub use sampling::always::{AlwaysOff, AlwaysOn};
pub use sampling::decision::{SamplingDecision, SamplingResult};
pub use sampling::fixed_rate::FixedRateSampler;
pub use sampling::parent_based::ParentBasedSampler;
pub use sampling::request::SamplingRequest;
pub use sampling::sampler::Sampler;
pub use tail::errors::Errors;
pub use tail::fraction::Fraction;
pub use tail::policy::TailPolicy;
pub use tail::sampler::TailSampler;
pub use tail::slower_than::SlowerThan;
pub use tail::verdict::Verdict;
pub use trace::kept_trace::Trace;
pub use trace::span::Span;
pub use trace::span_ref::SpanRef;
pub use trace::view::TraceView;
pub use tracer::{SpanBuilder, SpanGuard, Tracer};

/// The programs in the README are tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
