//! The switch that shares current spans between `tracing` and OpenTelemetry.

#[cfg(feature = "layer")]
use super::attachments::OtelContexts;
use crate::pipeline::Pipeline;
#[cfg(feature = "layer")]
use crate::record::bridge;

/// Shares the current span between `tracing` spans of this pipeline and OpenTelemetry, in both directions, for
/// as long as the program runs.
///
/// A thread that enters a span of the pipeline's [`TraceLayer`](crate::TraceLayer) has it in
/// `opentelemetry::Context::current()` until it leaves it: propagators, loggers and instrumented libraries
/// see its ids and its baggage, and what they write to the current span is written to it. The other way
/// round, a current OpenTelemetry span becomes the parent of a new `tracing` span: in the same local trace
/// if it is ours, by its ids if it is not. Where OpenTelemetry's telemetry is
/// suppressed, new `tracing` spans are refused and counted as [`OwnWork`](crate::ledger::Reason::OwnWork).
///
/// [`TracerProvider::new`](crate::otel::TracerProvider::new) calls it too; call it yourself where OpenTelemetry is only
/// used for propagation or logs. Pipelines that do not share are not affected. Several pipelines
/// that share stay apart: for the spans of one, a span of another is a parent by its ids.
///
/// # What it costs
/// Entering and leaving a span takes about a quarter of a microsecond and a few allocations instead of
/// some nanoseconds; inside of a trace that is not recorded, only the outermost span costs that. Entering
/// asks the sampler about a trace that is not decided yet, because every reader of the context sees the ids
/// and the sampled flag. A parent that is [set](crate::TraceSpanExt::set_parent) after that still counts, as
/// long as the span has no children; ids that were read before are those of the trace that the span left.
/// Programs that do not share pay a load and a branch.
///
/// # What it cannot do
/// OpenTelemetry refuses, with a panic, to attach a context while the thread's contexts are borrowed, as they
/// are for as long as the closure of `get_active_span` runs and in the samplers and processors of its SDK. A
/// span that is entered there is not made current: the panic is caught, but the program's panic hook prints
/// it. A policy is asked where the last span of a trace ends; if that span was ended through a context, it is
/// locked meanwhile, and the policy must not write to it.
///
/// ```
/// use opentelemetry::Context;
/// use opentelemetry::trace::TraceContextExt;
/// use tailtrace::{ConsoleExporter, Pipeline, TraceSpanExt, otel};
/// use tracing_subscriber::prelude::*;
/// let pipeline = Pipeline::builder("checkout").with_exporter(ConsoleExporter::stdout()).start()?;
/// otel::share_context(&pipeline);
/// let _default = tracing_subscriber::registry().with(pipeline.layer()).set_default();
/// let span = tracing::info_span!("place_order").entered();
/// let seen = Context::current().span().span_context().trace_id();
/// assert_eq!(Some(seen.to_string()), span.trace_id().map(|id| id.to_hex()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn share_context(pipeline: &Pipeline) {
    connect_layer(pipeline);
}

#[cfg(feature = "layer")]
fn connect_layer(pipeline: &Pipeline) {
    bridge::install(&OtelContexts);
    pipeline.recorder().share_context();
}

/// Without the layer there are no `tracing` spans that a thread could be in.
#[cfg(not(feature = "layer"))]
fn connect_layer(_: &Pipeline) {}
