//! Spans.

use opentelemetry::KeyValue;
use opentelemetry::trace as otel;
#[cfg(before_0_24)]
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SpanEvents, SpanLinks};

use super::super::release_line::{self, SpanData};
use super::event::level_of;
use super::scope::{ScopeReader, write_scope};
use super::{
    from_key_value, from_link, from_span_context, from_span_id, to_event, to_flags, to_key_value,
    to_span_context, to_span_id, to_trace_id, to_trace_state, without_foreign,
};
use crate::model::{Limits, SpanKind, Status, TraceContext};
use crate::trace::{LinkRef, Span, SpanMut, SpanRef, Trace};

/// The role of a span.
#[must_use]
pub fn from_span_kind(kind: &otel::SpanKind) -> SpanKind {
    match kind {
        otel::SpanKind::Client => SpanKind::Client,
        otel::SpanKind::Server => SpanKind::Server,
        otel::SpanKind::Producer => SpanKind::Producer,
        otel::SpanKind::Consumer => SpanKind::Consumer,
        otel::SpanKind::Internal => SpanKind::Internal,
    }
}

/// The role of a span.
#[must_use]
pub fn to_span_kind(kind: SpanKind) -> otel::SpanKind {
    match kind {
        SpanKind::Client => otel::SpanKind::Client,
        SpanKind::Server => otel::SpanKind::Server,
        SpanKind::Producer => otel::SpanKind::Producer,
        SpanKind::Consumer => otel::SpanKind::Consumer,
        SpanKind::Internal => otel::SpanKind::Internal,
    }
}

/// How a span ended.
#[must_use]
pub fn from_status(status: &otel::Status) -> Status {
    match status {
        otel::Status::Unset => Status::Unset,
        otel::Status::Ok => Status::Ok,
        otel::Status::Error { description } => Status::error(description.clone()),
    }
}

/// How a span ended.
#[must_use]
pub fn to_status(status: Status) -> otel::Status {
    match status {
        Status::Unset => otel::Status::Unset,
        Status::Ok => otel::Status::Ok,
        Status::Error { description } => otel::Status::error(description),
    }
}

/// Writes the data into a span of ours: kind, scope, attributes, events, links, status, counts of what was
/// dropped, and whether the parent is remote.
///
/// It does not write what a span is started with, which are name, ids and times, nor its end. The span's own
/// limits hold.
pub fn write_span_data(data: &SpanData, span: &mut SpanMut<'_>) {
    span.set_kind(from_span_kind(&data.span_kind));
    span.set_parent_remote(is_parent_remote(data));
    write_scope(release_line::scope(data), span);
    for attribute in &data.attributes {
        let (key, value) = from_key_value(attribute);
        span.set_tag(key, value);
    }
    let mut tags = data.dropped_attributes_count;
    for event in &data.events.events {
        let (level, attributes) = level_of(&event.attributes);
        let fields = attributes.iter().map(from_key_value);
        span.log_at(event.timestamp, level, &event.name, fields);
        tags = tags.saturating_add(event.dropped_attributes_count);
    }
    let mut links = data.links.dropped_count;
    for link in &data.links.links {
        tags = tags.saturating_add(link.dropped_attributes_count);
        match from_link(link) {
            Some(link) => {
                span.add_link(link);
            }
            None => links = links.saturating_add(1),
        }
    }
    span.set_status(from_status(&data.status));
    span.count_dropped(tags, data.events.dropped_count, links);
}

/// The span, with all that its data holds and no other limits; `None` when an id of it is zero.
#[must_use]
pub fn from_span_data(data: &SpanData) -> Option<Span> {
    let mut context = from_span_context(&data.span_context)?;
    context.parent_span_id = from_span_id(data.parent_span_id);
    let mut span = Span::started_at("", context, data.start_time);
    let mut written = span.as_mut().with_limits(&Limits::NONE);
    written.set_name(data.name.clone());
    write_span_data(data, &mut written);
    written.finish_at(data.end_time);
    Some(span)
}

/// The span. One that has not ended ends when it started.
#[must_use]
pub fn to_span_data(span: SpanRef<'_>) -> SpanData {
    SharedFields::of(&span.context()).span_data(span)
}

/// The spans of a kept trace, with the sampled flag, which says that they were kept, and with these notes on the local
/// root. Where `foreign_on_root`, the members of other systems stand in the trace state of the local root alone.
pub(crate) fn spans_of(
    trace: &Trace,
    mut notes: Vec<KeyValue>,
    foreign_on_root: bool,
) -> Vec<SpanData> {
    let mut spans = trace.spans().peekable();
    let Some(first) = spans.peek() else { return Vec::new() };
    let mut context = first.context();
    context.flags = context.flags.with_sampled(true);
    let of_root = SharedFields::of(&context);
    let own_state = foreign_on_root.then(|| without_foreign(&of_root.trace_state)).flatten();
    let trace_state = own_state.unwrap_or_else(|| of_root.trace_state.clone());
    let of_others = SharedFields { flags: of_root.flags, trace_state };
    let root = trace.root().map(SpanRef::span_id);
    let converted = spans.map(|span| {
        if Some(span.span_id()) != root {
            return of_others.span_data(span);
        }
        let mut data = of_root.span_data(span);
        data.attributes.append(&mut notes);
        data
    });
    converted.collect()
}

/// The fields that all spans of a trace have alike, converted once.
struct SharedFields {
    flags: otel::TraceFlags,
    trace_state: otel::TraceState,
}

impl SharedFields {
    /// The fields of the spans of a context's trace.
    fn of(context: &TraceContext) -> Self {
        Self { flags: to_flags(context.flags), trace_state: to_trace_state(&context.trace_state) }
    }

    fn span_data(&self, span: SpanRef<'_>) -> SpanData {
        let mut scope = ScopeReader::default();
        let tags = span.tags().filter(|(key, value)| !scope.take(key, *value));
        let attributes = tags.map(|(key, value)| to_key_value(key, value)).collect();
        let mut events = SpanEvents::default();
        events.events = span.logs().map(to_event).collect();
        events.dropped_count = span.dropped_logs();
        let mut links = SpanLinks::default();
        links.links = span.links().map(link_of).collect();
        links.dropped_count = span.dropped_links();
        SpanData {
            span_context: otel::SpanContext::new(
                to_trace_id(span.trace_id()),
                to_span_id(span.span_id()),
                self.flags,
                false,
                self.trace_state.clone(),
            ),
            parent_span_id: span.parent_span_id().map_or(otel::SpanId::INVALID, to_span_id),
            #[cfg(not(before_0_31))]
            parent_span_is_remote: span.is_parent_remote(),
            span_kind: to_span_kind(span.kind()),
            name: span.operation_name().to_owned().into(),
            start_time: span.start_time(),
            end_time: span.end_time().unwrap_or_else(|| span.start_time()),
            attributes,
            dropped_attributes_count: span.dropped_tags(),
            events,
            links,
            status: to_status(span.status()),
            #[cfg(before_0_24)]
            resource: std::borrow::Cow::Owned(Resource::empty()),
            #[cfg(before_0_27)]
            instrumentation_lib: scope.finish(),
            #[cfg(not(before_0_27))]
            instrumentation_scope: scope.finish(),
        }
    }
}

/// Whether the span's parent is in another process.
#[must_use]
pub fn is_parent_remote(data: &SpanData) -> bool {
    release_line::is_parent_remote(data)
}

fn link_of(link: LinkRef<'_>) -> otel::Link {
    let attributes = link.tags().map(|(key, value)| to_key_value(key, value));
    otel::Link::new(to_span_context(link.context()), attributes.collect(), 0)
}
