//! What a finished span of OpenTelemetry's SDK takes.

use std::borrow::Cow;
use std::cell::RefCell;

use opentelemetry::trace::{Event, Link, Status as OtelStatus, TraceState};
use opentelemetry::{Array, KeyValue, StringValue, Value};

use super::convert;
use super::release_line::{self, Scope, SpanData};

/// The longest names of a scope that do not count as memory of its spans: a seventh of what a bare span takes.
const SHORT_SCOPE: usize = 64;

/// The memory of a finished span.
#[inline(always)]
pub(super) fn bytes_of(data: &SpanData) -> usize {
    size_of::<SpanData>() + scope_bytes(release_line::scope(data)) + details_bytes(data)
}

/// The memory of what a finished span points to, but for its scope.
#[inline(always)]
pub(super) fn details_bytes(data: &SpanData) -> usize {
    state_bytes(data.span_context.trace_state()) + details_bytes_beside_state(data)
}

/// The same but for its trace state.
#[inline(always)]
pub(super) fn details_bytes_beside_state(data: &SpanData) -> usize {
    let description = match &data.status {
        OtelStatus::Error { description } => owned_bytes(description),
        _ => 0,
    };
    let texts = owned_bytes(&data.name) + description;
    let room =
        data.attributes.capacity() | data.events.events.capacity() | data.links.links.capacity();
    let lists = if room == 0 { 0 } else { lists_bytes(data) };
    texts + lists
}

/// The memory of a span's lists.
// In sight of the caller, who would copy the span once more otherwise.
#[inline]
fn lists_bytes(data: &SpanData) -> usize {
    let events = &data.events.events;
    let links = &data.links.links;
    let room = events.capacity() * size_of::<Event>() + links.capacity() * size_of::<Link>();
    let in_events: usize = events.iter().map(event_bytes).sum();
    let in_links: usize = links.iter().map(link_bytes).sum();
    room + tag_bytes(&data.attributes) + in_events + in_links
}

/// What an event points to.
#[inline]
fn event_bytes(event: &Event) -> usize {
    owned_bytes(&event.name) + tag_bytes(&event.attributes)
}

/// What a link points to.
#[inline]
fn link_bytes(link: &Link) -> usize {
    tag_bytes(&link.attributes) + state_bytes(link.span_context.trace_state())
}

/// What a scope points to, of which each span of the SDK has its own copy; none where it is short. OpenTelemetry does not
/// tell which texts are static, and short ones nearly always are: a bare span takes no memory beside itself then, which
/// spares the account of the trace a change.
#[inline]
pub(super) fn scope_bytes(scope: &Scope) -> usize {
    let (name, version, schema_url) = release_line::scope_names(scope);
    let names = name.len() + version.map_or(0, str::len) + schema_url.map_or(0, str::len);
    let attributes = release_line::scope_attributes(scope);
    if names <= SHORT_SCOPE && attributes.size_hint() == (0, Some(0)) {
        return 0;
    }
    let tag = |tag: &KeyValue| size_of::<KeyValue>() + tag_text_bytes(tag);
    names + attributes.map(tag).sum::<usize>()
}

/// The memory of a trace state, of which each span of the SDK has its own copy.
#[inline]
pub(super) fn state_bytes(state: &TraceState) -> usize {
    thread_local! {
        /// The state that was measured last: those of the spans of a trace are equal, and measuring allocates.
        static LAST: RefCell<(TraceState, usize)> = const { RefCell::new((TraceState::NONE, 0)) };
    }
    if convert::is_empty_state(state) {
        return 0;
    }
    let known = |last: &RefCell<(TraceState, usize)>| {
        let last = last.try_borrow().ok()?;
        (last.0 == *state).then_some(last.1)
    };
    LAST.try_with(known).ok().flatten().unwrap_or_else(|| {
        let bytes = measured(state);
        let _ = LAST.try_with(|last| {
            if let Ok(mut last) = last.try_borrow_mut() {
                *last = (state.clone(), bytes);
            }
        });
        bytes
    })
}

#[cold]
fn measured(state: &TraceState) -> usize {
    const MEMBER: usize = size_of::<(String, String)>() + 4 * size_of::<usize>();
    let header = state.header();
    let members = header.split(',').count();
    // A deque has room for up to twice of what it holds.
    header.len() + 2 * members * MEMBER
}

#[inline]
#[expect(clippy::ptr_arg, reason = "a static text takes no memory of the span")]
fn owned_bytes(text: &Cow<'static, str>) -> usize {
    if let Cow::Owned(text) = text { text.capacity() } else { 0 }
}

/// The memory of attributes, for which the SDK's vector has room for up to twice as many as there are.
#[inline]
fn tag_bytes(attributes: &Vec<KeyValue>) -> usize {
    let room = attributes.capacity() * size_of::<KeyValue>();
    room + attributes.iter().map(tag_text_bytes).sum::<usize>()
}

/// What an attribute points to. OpenTelemetry does not tell which texts are static: each counts as owned.
#[inline]
fn tag_text_bytes(tag: &KeyValue) -> usize {
    tag.key.as_str().len() + value_bytes(&tag.value)
}

#[inline]
fn value_bytes(value: &Value) -> usize {
    match value {
        Value::String(text) => text.as_str().len(),
        Value::Array(Array::Bool(values)) => values.capacity(),
        Value::Array(Array::I64(values)) => values.capacity() * size_of::<i64>(),
        Value::Array(Array::F64(values)) => values.capacity() * size_of::<f64>(),
        Value::Array(Array::String(values)) => {
            let texts: usize = values.iter().map(|text| text.as_str().len()).sum();
            values.capacity() * size_of::<StringValue>() + texts
        }
        _ => 0,
    }
}
