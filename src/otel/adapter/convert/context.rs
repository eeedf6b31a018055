//! Ids, flags, trace state, contexts and links.

use opentelemetry::trace as otel;

use super::{from_attribute, to_key_value};
use crate::model::{Link, SpanId, Threshold, TraceContext, TraceFlags, TraceId, TraceState};

/// The id; `None` for OpenTelemetry's invalid one, which is zero.
#[inline]
#[must_use]
pub fn from_trace_id(id: otel::TraceId) -> Option<TraceId> {
    TraceId::from_bits(u128::from_be_bytes(id.to_bytes()))
}

/// The trace id as OpenTelemetry's, bit by bit.
#[must_use]
pub fn to_trace_id(id: TraceId) -> otel::TraceId {
    otel::TraceId::from_bytes(id.to_bytes())
}

/// The id; `None` for OpenTelemetry's invalid one, which is zero.
#[inline]
#[must_use]
pub fn from_span_id(id: otel::SpanId) -> Option<SpanId> {
    SpanId::from_bits(u64::from_be_bytes(id.to_bytes()))
}

/// The span id as OpenTelemetry's, bit by bit.
#[must_use]
pub fn to_span_id(id: SpanId) -> otel::SpanId {
    otel::SpanId::from_bytes(id.to_bytes())
}

/// The sampled and the random flag; no other flag has a meaning.
#[must_use]
pub fn from_flags(flags: otel::TraceFlags) -> TraceFlags {
    TraceFlags::from_bits_truncate(flags.to_u8())
}

/// The sampled and the random flag, without debug and deferred, which OpenTelemetry does not know.
#[must_use]
pub fn to_flags(flags: TraceFlags) -> otel::TraceFlags {
    otel::TraceFlags::new(flags.bits())
}

/// The members that the W3C's standard allows. OpenTelemetry also takes members that it does not allow, such
/// as those with empty values.
#[must_use]
pub fn from_trace_state(state: &otel::TraceState) -> TraceState {
    let header = state.header();
    if header.is_empty() {
        return TraceState::new();
    }
    header.parse().unwrap_or_else(|_| {
        let none = TraceState::new();
        let is_allowed = |member: &&str| {
            member.split_once('=').is_some_and(|(key, value)| none.insert(key, value).is_ok())
        };
        let members: Vec<&str> = header.split(',').filter(is_allowed).collect();
        members.join(",").parse().unwrap_or_default()
    })
}

/// The members that OpenTelemetry's type takes: keys that only Level 2 of the standard allows are left
/// out.
#[must_use]
pub fn to_trace_state(state: &TraceState) -> otel::TraceState {
    if state.is_empty() {
        return otel::TraceState::default();
    }
    otel::TraceState::from_key_value(state.iter()).unwrap_or_else(|_| {
        let members = state.iter().filter(|member| is_held(*member));
        otel::TraceState::from_key_value(members).unwrap_or_default()
    })
}

/// Whether OpenTelemetry's type can hold a member.
pub(crate) fn is_held(member: (&str, &str)) -> bool {
    otel::TraceState::from_key_value([member]).is_ok()
}

/// The trace state with this threshold, or without one. OpenTelemetry's own type is changed, not converted,
/// because it may hold members that ours refuses.
#[must_use]
pub fn set_threshold(state: &otel::TraceState, threshold: Option<Threshold>) -> otel::TraceState {
    changed_by(state, threshold).unwrap_or_else(|| state.clone())
}

/// The member that samplers write alone; `None` where there is no other.
#[inline]
pub(crate) fn without_foreign(state: &otel::TraceState) -> Option<otel::TraceState> {
    if is_empty_state(state) { None } else { own_of(state) }
}

/// Whether a trace state has no members.
#[inline(always)]
pub(crate) fn is_empty_state(state: &otel::TraceState) -> bool {
    *state == otel::TraceState::NONE
}

fn own_of(state: &otel::TraceState) -> Option<otel::TraceState> {
    let Some(own) = state.get("ot") else { return Some(otel::TraceState::NONE) };
    let alone = otel::TraceState::from_key_value([("ot", own)]).unwrap_or_default();
    (*state != alone).then_some(alone)
}

/// The trace state with which a span leaves that was kept with this threshold, where that is another. One that says
/// nothing of thresholds is left alone where all are kept.
pub(crate) fn change_threshold(
    state: &otel::TraceState,
    threshold: Option<Threshold>,
) -> Option<otel::TraceState> {
    let is_silent = || !state.get("ot").is_some_and(|member| member.contains("th:"));
    if claims_nothing(threshold) && is_silent() { None } else { changed_by(state, threshold) }
}

/// Whether a threshold says no more than none does: all are kept.
#[inline]
pub(crate) fn claims_nothing(threshold: Option<Threshold>) -> bool {
    threshold.is_none_or(|threshold| threshold == Threshold::ALWAYS)
}

/// The trace state with this threshold, or without one; `None` where it is that already.
fn changed_by(state: &otel::TraceState, threshold: Option<Threshold>) -> Option<otel::TraceState> {
    let with_threshold = from_trace_state(state).with_threshold(threshold);
    let new = with_threshold.get("ot");
    let old = state.get("ot");
    match new {
        _ if new == old => None,
        Some(new) => state.insert("ot", new.to_owned()).ok(),
        None => state.delete("ot").ok(),
    }
}

/// The context; `None` when one of its ids is zero.
#[must_use]
pub fn from_span_context(context: &otel::SpanContext) -> Option<TraceContext> {
    let trace_id = from_trace_id(context.trace_id())?;
    let span_id = from_span_id(context.span_id())?;
    let flags = from_flags(context.trace_flags());
    let mut made = TraceContext::new(trace_id, span_id).with_flags(flags);
    made.trace_state = from_trace_state(context.trace_state());
    made.is_remote = context.is_remote();
    Some(made)
}

/// The context without what OpenTelemetry's has no place for: the baggage, the parent's id, debug and deferred, some
/// members of the trace state.
#[must_use]
pub fn to_span_context(context: &TraceContext) -> otel::SpanContext {
    otel::SpanContext::new(
        to_trace_id(context.trace_id),
        to_span_id(context.span_id),
        to_flags(context.flags),
        context.is_remote,
        to_trace_state(&context.trace_state),
    )
}

/// The link; `None` when it points nowhere because an id is zero.
#[must_use]
pub fn from_link(link: &otel::Link) -> Option<Link> {
    let context = from_span_context(&link.span_context)?;
    let mut made = Link::new(context);
    made.tags = link.attributes.iter().map(from_attribute).collect();
    Some(made)
}

/// The link.
#[must_use]
pub fn to_link(link: &Link) -> otel::Link {
    let attributes = link.tags.iter().map(|(key, value)| to_key_value(key, value.as_ref()));
    otel::Link::new(to_span_context(&link.context), attributes.collect(), 0)
}
