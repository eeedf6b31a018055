//! Conversions between OpenTelemetry's contexts and ours.

use opentelemetry::Context;
use opentelemetry::trace::TraceContextExt;

use super::super::propagator::context_values;
use super::baggage::{baggage_of, with_default_baggage};
use super::borrowed_span::with_borrowed_span;
use super::span_registry;
use crate::model::Incoming;
use crate::model::TraceContext;
use crate::record::SpanWriter;

/// The current OpenTelemetry context with a span of ours in it, to be attached or passed to code that takes
/// a context.
///
/// For native spans, which nothing makes current by itself, and for contexts that
/// `extract_context` read. Spans started under it with
/// `TracerProvider` join the span's local trace, and writes to the context's
/// span reach ours until that ends. Baggage of the span stands in the context unless the current one has some.
/// What `extract` read may be baggage alone, which stands in the context then.
///
#[cfg_attr(not(older_line), doc = include_str!("../examples/to_context.md"))]
#[must_use]
pub fn to_context(context: impl Into<Incoming>) -> Context {
    let current = Context::current();
    let Incoming { context, baggage, .. } = context.into();
    let Some(mut context) = context else {
        return with_default_baggage(current, &baggage);
    };
    context.baggage = baggage;
    if context.is_remote {
        let incoming = Incoming::default().with_context(context.clone());
        let extended = context_values::with_incoming(&current, incoming);
        return with_default_baggage(extended, &context.baggage);
    }
    let writer = SpanWriter::of(&context);
    with_borrowed_span(&current, context, writer)
}

/// The parent that a context of OpenTelemetry stands for: its span, by its ids, and its baggage. `None` when
/// it has no valid span; [`incoming_of`] then still gives the baggage.
///
/// For `set_parent` and
/// `start_span_with_context` in programs that extract with
/// OpenTelemetry's propagators. A span of ours is found by its ids, so that spans started under the context
/// join its local trace.
///
#[cfg_attr(not(older_line), doc = include_str!("../examples/from_context.md"))]
#[must_use]
pub fn from_context(context: &Context) -> Option<TraceContext> {
    let span = context.span();
    let ids = span.span_context();
    if !ids.is_valid() {
        return None;
    }
    let mut parent =
        span_registry::find(ids).or_else(|| context_values::trace_context_of(context))?;
    if let Some(baggage) = baggage_of(context) {
        parent.baggage = baggage;
    }
    Some(parent)
}

/// What a context of OpenTelemetry brings along: the parent that [`from_context`] gives, if there is one, and the
/// baggage, which stands by itself.
///
#[cfg_attr(not(older_line), doc = include_str!("../examples/incoming_of.md"))]
#[must_use]
pub fn incoming_of(context: &Context) -> Incoming {
    match from_context(context) {
        Some(parent) => parent.into(),
        None => Incoming::default().with_baggage(baggage_of(context).unwrap_or_default()),
    }
}
