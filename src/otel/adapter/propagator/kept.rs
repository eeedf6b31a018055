//! What headers say and OpenTelemetry's types cannot hold, kept beside them in its context.

use opentelemetry::Context;
use opentelemetry::baggage::BaggageExt;
use opentelemetry::trace::TraceContextExt;

use super::super::convert::{
    from_baggage, from_span_context, is_held, to_baggage, to_span_context, to_trace_state, update,
};
use super::super::line::with_baggage;
use crate::model::{Baggage, TraceContext, TraceState};
use crate::propagation::Extracted;

/// The parent as the headers had it.
struct Parent(TraceContext);

/// The baggage as the headers had it.
struct Carried(Baggage);

/// The context with what was extracted; what was not stays as it is.
pub(crate) fn keep(context: &Context, extracted: Extracted) -> Context {
    let Extracted { parent, baggage, .. } = extracted;
    let mut kept = context.clone();
    if let Some(parent) = parent {
        kept = kept.with_remote_span_context(to_span_context(&parent)).with_value(Parent(parent));
    }
    if !baggage.is_empty() {
        kept = with_baggage(&kept, to_baggage(&baggage)).with_value(Carried(baggage));
    }
    kept
}

/// What the context tells the next process, if it has a span; with what was kept, if that is of the same
/// trace.
pub(crate) fn context_of(context: &Context) -> Option<TraceContext> {
    let span = context.span();
    let mut told = from_span_context(span.span_context())?;
    match context.get::<Parent>() {
        Some(Parent(parent)) if parent.trace_id == told.trace_id => {
            if parent.span_id == told.span_id && told.is_remote {
                told.flags = parent.flags;
                told.parent_span_id = parent.parent_span_id;
            } else {
                let random = told.flags.is_random() || parent.flags.is_random();
                let decided = parent.flags.with_sampled(told.flags.is_sampled());
                told.flags = decided.with_random(random);
            }
            told.trace_state = with_lost(told.trace_state, &parent.trace_state);
        }
        _ => {}
    }
    told.baggage = baggage_of(context);
    Some(told)
}

/// The baggage of the context: as it arrived, but for what was changed since.
pub(crate) fn baggage_of(context: &Context) -> Baggage {
    let theirs = context.baggage();
    if theirs.is_empty() {
        return Baggage::new();
    }
    match context.get::<Carried>() {
        Some(Carried(arrived)) => update(arrived, theirs),
        None => from_baggage(theirs),
    }
}

/// The trace state with the members that got lost when it was made from `arrived`.
fn with_lost(state: TraceState, arrived: &TraceState) -> TraceState {
    if arrived.iter().all(is_held) {
        return state;
    }
    if state.as_str() == to_trace_state(arrived).header() {
        return arrived.clone();
    }
    // What is new or changed has its place in front, the others keep the order in which they arrived.
    let is_new = |(key, value): &(&str, &str)| arrived.get(key) != Some(value);
    let old = arrived
        .iter()
        .filter(|(key, value)| !is_held((key, value)) || state.get(key) == Some(value));
    let members = state.iter().filter(is_new).chain(old).take(TraceState::MAX_MEMBERS);
    let members: Vec<String> = members.map(|(key, value)| format!("{key}={value}")).collect();
    members.join(",").parse().unwrap_or(state)
}
