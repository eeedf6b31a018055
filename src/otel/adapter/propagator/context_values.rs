//! Values in OpenTelemetry's context for what headers say and OpenTelemetry's types cannot hold.

use opentelemetry::Context;
use opentelemetry::baggage::BaggageExt;
use opentelemetry::trace::{SpanContext, TraceContextExt};

use super::super::convert::{
    from_baggage, from_span_context, is_held, to_baggage, to_span_context, to_trace_state,
    updated_baggage,
};
use super::super::release_line::with_baggage;
use crate::model::Incoming;
use crate::model::{Baggage, TraceContext, TraceFlags, TraceState};

/// The parent as it arrived in headers.
struct ArrivedParent(TraceContext);

/// The caller of a request that begins a trace of its own.
struct ArrivedLink(SpanContext);

/// The baggage as it arrived in headers.
struct ArrivedBaggage(Baggage);

/// The context with what a propagator extracted; what it did not find stays as it is.
pub(crate) fn with_incoming(context: &Context, incoming: Incoming) -> Context {
    let Incoming { context: parent, baggage, link, .. } = incoming;
    let mut extended = context.clone();
    if let Some(parent) = parent {
        let remote = to_span_context(&parent);
        extended = extended.with_remote_span_context(remote).with_value(ArrivedParent(parent));
    }
    if let Some(caller) = link {
        extended = extended.with_value(ArrivedLink(to_span_context(&caller)));
    }
    if !baggage.is_empty() {
        let converted = to_baggage(&baggage);
        extended = with_baggage(&extended, converted).with_value(ArrivedBaggage(baggage));
    }
    extended
}

/// What the context tells the next process about its span, if it has one: with what arrived in headers, if
/// that is of the same trace.
pub(crate) fn trace_context_of(context: &Context) -> Option<TraceContext> {
    let span = context.span();
    let mut current = from_span_context(span.span_context())?;
    match context.get::<ArrivedParent>() {
        Some(ArrivedParent(parent)) if parent.trace_id == current.trace_id => {
            if parent.span_id == current.span_id && current.is_remote {
                current.flags = parent.flags;
                current.parent_span_id = parent.parent_span_id;
            } else {
                let random = current.flags.is_random() || parent.flags.is_random();
                let decided = parent.flags.with_sampled(current.flags.is_sampled());
                current.flags = decided.with_random(random);
            }
            current.trace_state = with_unheld_members(current.trace_state, &parent.trace_state);
        }
        _ => {}
    }
    current.baggage = baggage_of(context);
    Some(current)
}

/// The flags of the parent as they arrived, which OpenTelemetry's have no room for.
pub(crate) fn arrived_flags(context: &Context) -> Option<TraceFlags> {
    let ArrivedParent(parent) = context.get()?;
    let span = context.span();
    let current = span.span_context();
    let is_same = from_span_context(current).is_some_and(|current| {
        (current.trace_id, current.span_id) == (parent.trace_id, parent.span_id)
    });
    is_same.then_some(parent.flags)
}

/// The caller that the root below this context is linked to, where its ids did not count.
pub(crate) fn arrived_link(context: &Context) -> Option<&SpanContext> {
    context.get().map(|ArrivedLink(caller)| caller)
}

/// The baggage of the context: as it arrived, with the changes that were made since.
pub(crate) fn baggage_of(context: &Context) -> Baggage {
    let current = context.baggage();
    if current.is_empty() {
        return Baggage::new();
    }
    match context.get::<ArrivedBaggage>() {
        Some(ArrivedBaggage(arrived)) => updated_baggage(arrived, current),
        None => from_baggage(current),
    }
}

/// The trace state with the members of `arrived` that OpenTelemetry's type could not hold.
fn with_unheld_members(state: TraceState, arrived: &TraceState) -> TraceState {
    if arrived.iter().all(is_held) {
        return state;
    }
    if state.as_str() == to_trace_state(arrived).header() {
        return arrived.clone();
    }
    // W3C: members that are new or changed stand in front, the rest keeps the order in which it arrived.
    let is_new = |(key, value): &(&str, &str)| arrived.get(key) != Some(value);
    let old = arrived
        .iter()
        .filter(|(key, value)| !is_held((key, value)) || state.get(key) == Some(value));
    let members = state.iter().filter(is_new).chain(old).take(TraceState::MAX_MEMBERS);
    let members: Vec<String> = members.map(|(key, value)| format!("{key}={value}")).collect();
    members.join(",").parse().unwrap_or(state)
}
