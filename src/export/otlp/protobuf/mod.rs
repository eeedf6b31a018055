//! Spans as the messages of OTLP, written straight from where they stand.
//!
//! Fields are in the order of their numbers and what has its default value is left out, so that the
//! bytes are those that generated code would write.

pub(super) mod reader;
mod wire;

use super::fields::{TraceFields, kind_number, level_of};
use super::requests::Format;
use crate::export::scope::{Scope, is_scope_tag};
use crate::model::{Resource, Status, TagRef};
use crate::trace::{LinkRef, LogRef, SpanRef};
use wire::{
    BYTES, FIXED32, FIXED64, OpenMessage, VARINT, bytes, bytes_len, fixed64, key, number, text,
    text_len, varint, varint_len,
};

/// Writes requests in the binary form.
#[derive(Debug)]
pub(super) struct Protobuf {
    resource_spans: Option<OpenMessage>,
    scope_spans: Option<OpenMessage>,
    /// How many bytes the length of the last span took; the next is likely to be its like.
    span_width: usize,
}

impl Default for Protobuf {
    fn default() -> Self {
        Self { resource_spans: None, scope_spans: None, span_width: 1 }
    }
}

/// What the length of most requests takes: 16 KiB to 2 MiB.
const ENVELOPE_WIDTH: usize = 3;

impl Format for Protobuf {
    fn begin(&mut self, _out: &mut Vec<u8>) {}

    fn open_resource(&mut self, out: &mut Vec<u8>, resource: &Resource) {
        self.resource_spans = Some(OpenMessage::begin(out, key(1, BYTES), ENVELOPE_WIDTH));
        let open = OpenMessage::begin(out, key(1, BYTES), 1);
        for (name, value) in resource.iter() {
            tag(out, key(1, BYTES), name, value.as_ref());
        }
        open.end(out);
    }

    fn open_scope(&mut self, out: &mut Vec<u8>, scope: Scope<'_>) {
        self.scope_spans = Some(OpenMessage::begin(out, key(2, BYTES), ENVELOPE_WIDTH));
        let open = OpenMessage::begin(out, key(1, BYTES), 1);
        text(out, key(1, BYTES), scope.name());
        text(out, key(2, BYTES), scope.version());
        for (name, value) in scope.attributes() {
            tag(out, key(3, BYTES), name, value);
        }
        open.end(out);
        text(out, key(3, BYTES), scope.schema_url());
    }

    fn close_scope(&mut self, out: &mut Vec<u8>) {
        if let Some(open) = self.scope_spans.take() {
            open.end(out);
        }
    }

    fn span(&mut self, out: &mut Vec<u8>, fields: &TraceFields<'_>, span: SpanRef<'_>) {
        let open = OpenMessage::begin(out, key(2, BYTES), self.span_width);
        write_span(out, fields, span);
        self.span_width = open.end(out);
    }

    fn close_resource(&mut self, out: &mut Vec<u8>) {
        if let Some(open) = self.resource_spans.take() {
            open.end(out);
        }
    }

    fn end(&mut self, _out: &mut Vec<u8>) {}
}

fn write_span(out: &mut Vec<u8>, fields: &TraceFields<'_>, span: SpanRef<'_>) {
    out.extend_from_slice(&ids(&fields.trace_id, &span.span_id().to_bytes()));
    text(out, key(3, BYTES), fields.trace_state_of(span));
    if let Some(parent) = span.parent_span_id() {
        bytes(out, key(4, BYTES), &parent.to_bytes());
    }
    text(out, key(5, BYTES), span.operation_name());
    out.extend_from_slice(&[key(6, VARINT), kind_number(span.kind())]);
    let (start, end) = fields.times(span);
    fixed64(out, key(7, FIXED64), start);
    fixed64(out, key(8, FIXED64), end);
    for (name, value) in fields.tags_of(span).filter(|(name, _)| !is_scope_tag(name)) {
        tag(out, key(9, BYTES), name, value);
    }
    number(out, key(10, VARINT), span.dropped_tags().into());
    for log in span.logs() {
        let open = OpenMessage::begin(out, key(11, BYTES), 1);
        write_log(out, log);
        open.end(out);
    }
    number(out, key(12, VARINT), span.dropped_logs().into());
    for link in span.links() {
        let open = OpenMessage::begin(out, key(13, BYTES), 1);
        write_link(out, link);
        open.end(out);
    }
    number(out, key(14, VARINT), span.dropped_links().into());
    if span.has_error_status() {
        let description = span.status_description();
        out.push(key(15, BYTES));
        varint(out, text_len(description) as u64 + 2);
        text(out, key(2, BYTES), description);
        out.extend_from_slice(&[key(3, VARINT), 2]);
    } else if span.status() == Status::Ok {
        out.extend_from_slice(&[key(15, BYTES), 2, key(3, VARINT), 1]);
    }
    // The key of field 16 is the first that takes two bytes.
    let [a, b, c, d] = fields.flags_of(span).to_le_bytes();
    out.extend_from_slice(&[0x85, 0x01, a, b, c, d]);
}

/// Fields 1 and 2 of a span and of a link.
#[inline]
fn ids(trace: &[u8; 16], span: &[u8; 8]) -> [u8; 28] {
    let mut fields = [0; 28];
    [fields[0], fields[1], fields[18], fields[19]] = [key(1, BYTES), 16, key(2, BYTES), 8];
    fields[2..18].copy_from_slice(trace);
    fields[20..].copy_from_slice(span);
    fields
}

fn write_log(out: &mut Vec<u8>, log: LogRef<'_>) {
    fixed64(out, key(1, FIXED64), log.nanos());
    text(out, key(2, BYTES), log.message());
    if let Some(level) = level_of(log) {
        tag(out, key(3, BYTES), "level", TagRef::Str(level));
    }
    for (name, value) in log.fields() {
        tag(out, key(3, BYTES), name, value);
    }
}

fn write_link(out: &mut Vec<u8>, link: LinkRef<'_>) {
    let context = link.context();
    out.extend_from_slice(&ids(&context.trace_id.to_bytes(), &context.span_id.to_bytes()));
    text(out, key(3, BYTES), context.trace_state.as_str());
    for (name, value) in link.tags() {
        tag(out, key(4, BYTES), name, value);
    }
    out.push(key(6, FIXED32));
    out.extend_from_slice(&TraceFields::flags_of_link(context).to_le_bytes());
}

/// A `KeyValue` as the field with this key.
#[inline]
fn tag(out: &mut Vec<u8>, field: u8, name: &str, value: TagRef<'_>) {
    let Some(value_len) = scalar_len(value) else {
        return tag_of_array(out, field, name, value);
    };
    out.push(field);
    varint(out, (text_len(name) + bytes_len(value_len)) as u64);
    text(out, key(1, BYTES), name);
    out.push(key(2, BYTES));
    varint(out, value_len as u64);
    scalar(out, value);
}

fn tag_of_array(out: &mut Vec<u8>, field: u8, name: &str, value: TagRef<'_>) {
    let pair = OpenMessage::begin(out, field, 1);
    text(out, key(1, BYTES), name);
    let any = OpenMessage::begin(out, key(2, BYTES), 1);
    let array = OpenMessage::begin(out, key(5, BYTES), 1);
    match value {
        TagRef::BoolArray(flags) => flags.iter().for_each(|flag| item(out, TagRef::Bool(*flag))),
        TagRef::I64Array(wholes) => wholes.iter().for_each(|whole| item(out, TagRef::I64(*whole))),
        TagRef::F64Array(values) => values.iter().for_each(|value| item(out, TagRef::F64(*value))),
        TagRef::StringArray(texts) => texts.iter().for_each(|text| item(out, TagRef::Str(text))),
        TagRef::Bool(_) | TagRef::I64(_) | TagRef::F64(_) | TagRef::Str(_) | TagRef::Bytes(_) => {}
    }
    array.end(out);
    any.end(out);
    pair.end(out);
}

/// An `AnyValue` as an item of an `ArrayValue`.
fn item(out: &mut Vec<u8>, value: TagRef<'_>) {
    out.push(key(1, BYTES));
    varint(out, scalar_len(value).unwrap_or(0) as u64);
    scalar(out, value);
}

/// How long the `AnyValue` is; `None` for an array.
#[inline]
fn scalar_len(value: TagRef<'_>) -> Option<usize> {
    Some(match value {
        TagRef::Str(text) => bytes_len(text.len()),
        TagRef::I64(whole) => 1 + varint_len(whole as u64),
        TagRef::Bool(_) => 2,
        TagRef::F64(_) => 9,
        TagRef::Bytes(raw) => bytes_len(raw.len()),
        TagRef::BoolArray(_)
        | TagRef::I64Array(_)
        | TagRef::F64Array(_)
        | TagRef::StringArray(_) => {
            return None;
        }
    })
}

/// The `AnyValue`: one of its fields, which is there even when it is zero.
#[inline]
fn scalar(out: &mut Vec<u8>, value: TagRef<'_>) {
    match value {
        TagRef::Str(text) => bytes(out, key(1, BYTES), text.as_bytes()),
        TagRef::Bool(flag) => out.extend_from_slice(&[key(2, VARINT), u8::from(flag)]),
        TagRef::I64(whole) => {
            out.push(key(3, VARINT));
            varint(out, whole as u64);
        }
        TagRef::F64(value) => {
            out.push(key(4, FIXED64));
            out.extend_from_slice(&value.to_le_bytes());
        }
        TagRef::Bytes(raw) => bytes(out, key(7, BYTES), raw),
        TagRef::BoolArray(_)
        | TagRef::I64Array(_)
        | TagRef::F64Array(_)
        | TagRef::StringArray(_) => {}
    }
}
