//! One place for a thread to be, whether `tracing` or OpenTelemetry brought it there.

mod baggage;
mod entered;
mod known;
mod stack;

use opentelemetry::Context;
use opentelemetry::trace::TraceContextExt;

pub(super) use known::Known;
use stack::Contexts;

use super::adapter::propagator::kept;
use crate::model::{Baggage, TraceContext};
use crate::pipeline::Pipeline;
use crate::propagation::Extracted;
use crate::record::SpanHand;
use crate::record::neighbour::{self, Shown};

/// Shares what is current between `tracing` spans of this pipeline and OpenTelemetry, in both directions,
/// for as long as the program runs.
///
/// A thread that enters a span of the pipeline's [`TraceLayer`](crate::TraceLayer) has it in
/// `opentelemetry::Context::current()` until it leaves it: propagators, loggers and instrumented libraries
/// see its ids and its baggage, and what they say about the current span is said about it. The other
/// way round, an OpenTelemetry span that is current becomes the parent of a new `tracing` span, in the
/// same local trace if it is ours, by its ids if it is not. Where OpenTelemetry's telemetry is
/// suppressed, new `tracing` spans are refused and counted as [`OwnWork`](crate::Reason::OwnWork).
///
/// [`TracerProvider::new`](super::TracerProvider::new) does it too; call this where OpenTelemetry is only
/// used for propagation or logs. Pipelines that do not share are left alone, and several that do are
/// told apart: for the spans of one, a span of another is a parent by its ids.
///
/// # What it costs
/// Entering and leaving a span takes about a quarter of a microsecond and a few allocations instead of
/// some nanoseconds; inside of a trace that is not recorded, only its outermost span does. It asks the
/// span's sampler if nobody has yet, because a context tells ids and the sampled flag to anybody. A parent
/// that is [set](crate::TraceSpanExt::set_parent) after that still counts, as long as the span has no
/// children; ids that were read before are those of the trace that it left. Programs that do not call
/// this pay a load and a branch.
///
/// # What it cannot do
/// OpenTelemetry refuses, with a panic, to attach a context while its own are borrowed, as they are for
/// as long as the closure of `get_active_span` runs and in the samplers and processors of its SDK. A span
/// that is entered there is not made current: the panic is caught, and whoever prints panics prints it.
/// A policy is asked where the last span of a trace ends; if that was said to a span of a context, the
/// policy must not say anything to that span itself, which is locked meanwhile.
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
    neighbour::install(&Contexts);
    pipeline.recorder().share_context();
}

/// The current OpenTelemetry context with a span of ours in it, to be attached or handed to code that
/// takes one.
///
/// For native spans, which nothing makes current by itself, and for contexts that
/// [`extract_context`](crate::Tracer::extract_context) read. Spans started under it with
/// [`TracerProvider`](super::TracerProvider) join the span's local trace; what is said about it reaches
/// the span until that ends. Baggage of the span stands in the context unless it has some already.
///
/// ```
/// use opentelemetry::trace::TraceContextExt;
/// use tailtrace::{AlwaysOn, InMemoryExporter, Tracer, otel};
/// let tracer = Tracer::new("checkout", AlwaysOn, InMemoryExporter::new());
/// let order = tracer.start_span("place_order");
/// let context = otel::to_context(&order.context());
/// let seen = context.span().span_context().span_id().to_string();
/// assert_eq!(seen, order.context().span_id.to_hex());
/// ```
#[must_use]
pub fn to_context(context: &TraceContext) -> Context {
    let (current, hand) = (Context::current(), SpanHand::of(context));
    let context = context.clone();
    if context.is_remote {
        let baggage = context.baggage.clone();
        let read = Extracted { parent: Some(context), ..Extracted::default() };
        return baggage::lend(kept::keep(&current, read), &baggage);
    }
    entered::with(&current, Shown { context, hand, is_dropped: false })
}

/// What a context of OpenTelemetry tells the next span: the ids of its span and its baggage. `None` when
/// it has no valid span.
///
/// For [`set_parent`](crate::TraceSpanExt::set_parent) and
/// [`start_span_with_context`](crate::Tracer::start_span_with_context) in programs that extract with
/// OpenTelemetry's propagators. A span of ours is found again, so that what starts under the context
/// joins its local trace.
///
/// ```
/// use opentelemetry::Context;
/// use tailtrace::{AlwaysOn, InMemoryExporter, Tracer, otel};
/// let tracer = Tracer::new("checkout", AlwaysOn, InMemoryExporter::new());
/// let parent = otel::from_context(&Context::current());
/// let span = tracer.start_span_with_context("place_order", parent.as_ref());
/// # drop(span);
/// ```
#[must_use]
pub fn from_context(context: &Context) -> Option<TraceContext> {
    parent_of(context)
}

/// The parent that a context stands for.
pub(super) fn parent_of(context: &Context) -> Option<TraceContext> {
    let span = context.span();
    let ids = span.span_context();
    if !ids.is_valid() {
        return None;
    }
    let mut parent = known::find(ids).or_else(|| kept::context_of(context))?;
    if let Some(carried) = baggage_of(context) {
        parent.baggage = carried;
    }
    Some(parent)
}

/// The baggage that a context says it has, if it says.
pub(super) fn baggage_of(context: &Context) -> Option<Baggage> {
    baggage::of(context)
}
