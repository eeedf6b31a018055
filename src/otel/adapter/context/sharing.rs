//! The switch that shares current spans between `tracing` and OpenTelemetry.

use super::attachments::OtelContexts;
use crate::pipeline::Pipeline;

/// Shares the current span between `tracing` spans of this pipeline and OpenTelemetry, in both directions, for
/// as long as the program runs.
///
/// A thread that enters a span of the pipeline's `TraceLayer` has it in
/// `opentelemetry::Context::current()` until it leaves it: propagators, loggers and instrumented libraries
/// see its ids and its baggage, and what they write to the current span is written to it. The other way
/// round, a current OpenTelemetry span becomes the parent of a new `tracing` span: in the same local trace
/// if it is ours, by its ids if it is not. Where OpenTelemetry's telemetry is
/// suppressed, new `tracing` spans are refused and counted as `OwnWork`.
///
/// **Call it where a log bridge such as opentelemetry-appender-tracing stands beside the layer**: its records have the
/// ids of OpenTelemetry's current context, and none without. `install`, and `TracerProvider::new` of the newest line,
/// call it too. Pipelines that do not share are not affected. Several pipelines that share stay apart: for the spans of
/// one, a span of another is a parent by its ids. A process shares with one line of OpenTelemetry, the first that asks.
///
/// # What it costs
/// Entering and leaving a span takes about a quarter of a microsecond and a few allocations instead of
/// some nanoseconds; inside of a trace that is not recorded, only the outermost span costs that. Entering
/// asks the sampler about a trace that is not decided yet, because every reader of the context sees the ids
/// and the sampled flag. A parent that is set after that still counts, as
/// long as the span has no children; ids that were read before are those of the trace that the span left.
/// Programs that do not share pay a load and a branch.
///
/// # What it cannot do
/// OpenTelemetry refuses, with a panic, to attach a context while the thread's contexts are borrowed, as they
/// are for as long as the closure of `get_active_span` runs and in the samplers and processors of its SDK. A
/// span that is entered there is not made current: the panic is caught, but the program's panic hook prints
/// it. Before line 0.29 guards must be dropped in the order of a stack. A policy is asked where the last span of a trace ends; if that span was ended through a context, it is
/// locked meanwhile, and the policy must not write to it.
///
#[cfg_attr(not(older_line), doc = include_str!("../examples/share_context.md"))]
pub fn share_context(pipeline: &Pipeline) {
    pipeline.intake().share_context(&OtelContexts);
}
