//! Spans as the JSON form of OTLP.
//!
//! That of protobuf, but for ids, which are hexadecimal digits, and enumerations, which are numbers.
//! What has its default value is left out.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::fields::{TraceFields, kind_number, level_of};
use super::requests::Format;
use crate::export::json::{array, display, key, number, string};
use crate::export::scope::{Scope, is_scope_tag};
use crate::model::{Resource, Status, TagRef};
use crate::trace::{LinkRef, LogRef, SpanRef};

/// Writes requests in the form of JSON.
#[derive(Debug, Default)]
pub(super) struct Json;

impl Format for Json {
    fn begin(&mut self, out: &mut Vec<u8>) {
        key(out, "{\"resourceSpans\":[");
    }

    fn open_resource(&mut self, out: &mut Vec<u8>, resource: &Resource) {
        comma(out);
        key(out, "{\"resource\":{\"attributes\":");
        let tags = resource.iter().map(|(name, value)| (name, value.as_ref()));
        attributes(out, tags);
        key(out, "},\"scopeSpans\":[");
    }

    fn open_scope(&mut self, out: &mut Vec<u8>, scope: Scope<'_>) {
        comma(out);
        key(out, "{\"scope\":{\"name\":");
        string(out, scope.name());
        if !scope.version().is_empty() {
            key(out, ",\"version\":");
            string(out, scope.version());
        }
        let mut tags = scope.attributes().peekable();
        if tags.peek().is_some() {
            key(out, ",\"attributes\":");
            attributes(out, tags);
        }
        key(out, "}");
        if !scope.schema_url().is_empty() {
            key(out, ",\"schemaUrl\":");
            string(out, scope.schema_url());
        }
        key(out, ",\"spans\":[");
    }

    fn close_scope(&mut self, out: &mut Vec<u8>) {
        key(out, "]}");
    }

    fn span(&mut self, out: &mut Vec<u8>, fields: &TraceFields<'_>, span: SpanRef<'_>) {
        comma(out);
        write_span(out, fields, span);
    }

    fn close_resource(&mut self, out: &mut Vec<u8>) {
        key(out, "]}");
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        key(out, "]}");
    }
}

/// Separates an item of an array from the one before it, if there is one.
fn comma(out: &mut Vec<u8>) {
    if out.last() != Some(&b'[') {
        out.push(b',');
    }
}

fn write_span(out: &mut Vec<u8>, fields: &TraceFields<'_>, span: SpanRef<'_>) {
    key(out, "{\"traceId\":\"");
    display(out, span.trace_id());
    key(out, "\",\"spanId\":\"");
    display(out, span.span_id());
    key(out, "\"");
    let trace_state = fields.trace_state_of(span);
    if !trace_state.is_empty() {
        key(out, ",\"traceState\":");
        string(out, trace_state);
    }
    if let Some(parent) = span.parent_span_id() {
        key(out, ",\"parentSpanId\":\"");
        display(out, parent);
        key(out, "\"");
    }
    key(out, ",\"name\":");
    string(out, span.operation_name());
    key(out, ",\"kind\":");
    display(out, kind_number(span.kind()));
    let (start, end) = fields.times(span);
    quoted(out, ",\"startTimeUnixNano\":", start);
    quoted(out, ",\"endTimeUnixNano\":", end);
    let mut tags = fields.tags_of(span).filter(|(name, _)| !is_scope_tag(name)).peekable();
    if tags.peek().is_some() {
        key(out, ",\"attributes\":");
        attributes(out, tags);
    }
    count(out, ",\"droppedAttributesCount\":", span.dropped_tags());
    let mut logs = span.logs().peekable();
    if logs.peek().is_some() {
        key(out, ",\"events\":");
        array(out, logs, write_log);
    }
    count(out, ",\"droppedEventsCount\":", span.dropped_logs());
    let mut links = span.links().peekable();
    if links.peek().is_some() {
        key(out, ",\"links\":");
        array(out, links, write_link);
    }
    count(out, ",\"droppedLinksCount\":", span.dropped_links());
    match span.status() {
        Status::Unset => {}
        Status::Ok => key(out, ",\"status\":{\"code\":1}"),
        Status::Error { description } if description.is_empty() => {
            key(out, ",\"status\":{\"code\":2}");
        }
        Status::Error { description } => {
            key(out, ",\"status\":{\"message\":");
            string(out, &description);
            key(out, ",\"code\":2}");
        }
    }
    key(out, ",\"flags\":");
    display(out, fields.flags_of(span));
    out.push(b'}');
}

fn write_log(out: &mut Vec<u8>, log: LogRef<'_>) {
    quoted(out, "{\"timeUnixNano\":", log.nanos());
    key(out, ",\"name\":");
    string(out, log.message());
    let level = level_of(log).map(|level| ("level", TagRef::Str(level)));
    let mut tags = level.into_iter().chain(log.fields()).peekable();
    if tags.peek().is_some() {
        key(out, ",\"attributes\":");
        attributes(out, tags);
    }
    out.push(b'}');
}

fn write_link(out: &mut Vec<u8>, link: LinkRef<'_>) {
    let context = link.context();
    key(out, "{\"traceId\":\"");
    display(out, context.trace_id);
    key(out, "\",\"spanId\":\"");
    display(out, context.span_id);
    key(out, "\"");
    if !context.trace_state.is_empty() {
        key(out, ",\"traceState\":");
        string(out, context.trace_state.as_str());
    }
    let mut tags = link.tags().peekable();
    if tags.peek().is_some() {
        key(out, ",\"attributes\":");
        attributes(out, tags);
    }
    key(out, ",\"flags\":");
    display(out, TraceFields::flags_of_link(context));
    out.push(b'}');
}

fn attributes<'a>(out: &mut Vec<u8>, tags: impl Iterator<Item = (&'a str, TagRef<'a>)>) {
    array(out, tags, |out, (name, tag)| {
        key(out, "{\"key\":");
        string(out, name);
        key(out, ",\"value\":");
        value(out, tag);
        out.push(b'}');
    });
}

fn value(out: &mut Vec<u8>, tag: TagRef<'_>) {
    match tag {
        TagRef::Bool(flag) => {
            key(out, "{\"boolValue\":");
            display(out, flag);
        }
        TagRef::I64(whole) => quoted(out, "{\"intValue\":", whole),
        TagRef::F64(value) => {
            key(out, "{\"doubleValue\":");
            number(out, value);
        }
        TagRef::Str(text) => {
            key(out, "{\"stringValue\":");
            string(out, text);
        }
        TagRef::Bytes(raw) => quoted(out, "{\"bytesValue\":", STANDARD.encode(raw)),
        TagRef::BoolArray(flags) => list(out, flags.iter().map(|flag| TagRef::Bool(*flag))),
        TagRef::I64Array(wholes) => list(out, wholes.iter().map(|whole| TagRef::I64(*whole))),
        TagRef::F64Array(values) => list(out, values.iter().map(|value| TagRef::F64(*value))),
        TagRef::StringArray(texts) => list(out, texts.iter().map(|text| TagRef::Str(text))),
    }
    out.push(b'}');
}

fn list<'a>(out: &mut Vec<u8>, items: impl Iterator<Item = TagRef<'a>>) {
    key(out, "{\"arrayValue\":{\"values\":");
    array(out, items, value);
    out.push(b'}');
}

/// What JSON's numbers cannot hold exactly, as text that needs no escaping.
fn quoted(out: &mut Vec<u8>, name: &str, value: impl std::fmt::Display) {
    key(out, name);
    out.push(b'"');
    display(out, value);
    out.push(b'"');
}

fn count(out: &mut Vec<u8>, name: &str, dropped: u32) {
    if dropped > 0 {
        key(out, name);
        display(out, dropped);
    }
}
