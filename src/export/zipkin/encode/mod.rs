//! Traces as Zipkin's JSON, version 2. Pure: bytes out, no network.
//!
//! Specification: OpenTelemetry, "OpenTelemetry to Zipkin Transformation" and "OpenTelemetry
//! Transformation to non-OTLP Formats"; Zipkin, `zipkin2-api.yaml`.

use std::borrow::Cow;
use std::mem;
use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::remote_endpoint;
use crate::export::json::{array, display, key, number, string};
use crate::export::scope::Scope;
use crate::export::{Batch, TraceSizes};
use crate::model::{LogLevel, Resource, SpanKind, Status, TagRef};
use crate::time::unix_nanos;
use crate::trace::{LogRef, SpanRef, Trace};

/// Tags that are made here. What a span says under these names would contradict them.
const STATUS: &str = "otel.status_code";
const ERROR: &str = "error";
/// What older versions of the specification call the name and the version of a scope.
const LIBRARY_NAME: &str = "otel.library.name";
const LIBRARY_VERSION: &str = "otel.library.version";
const DROPPED_TAGS: &str = "otel.dropped_attributes_count";
const DROPPED_LOGS: &str = "otel.dropped_events_count";
const DROPPED_LINKS: &str = "otel.dropped_links_count";

/// Writes the first spans that are left of a batch as one list of at most `limit` bytes; how many they are. A span
/// that is longer by itself makes a longer list. How much of it is of which trace is left in `sizes`.
pub(super) fn write(
    out: &mut Vec<u8>,
    batch: &Batch,
    sizes: &mut TraceSizes,
    limit: usize,
) -> usize {
    sizes.clear();
    let mut written = 0;
    let mut skip = batch.done_in_first();
    key(out, "[");
    for trace in batch {
        let before = out.len();
        let fits = write_trace(out, trace, mem::take(&mut skip), limit, &mut written);
        sizes.push(out.len() - before);
        if !fits {
            break;
        }
    }
    key(out, "]");
    written
}

/// Writes the spans of a trace but for the first `skip` while they fit, and counts them; false when one did not.
fn write_trace(
    out: &mut Vec<u8>,
    trace: &Trace,
    skip: usize,
    limit: usize,
    written: &mut usize,
) -> bool {
    let root = trace.root();
    let is_debug = root.is_some_and(|root| root.context().flags.is_debug());
    let root = root.map(SpanRef::span_id);
    for span in trace.spans().skip(skip) {
        let noted = (root == Some(span.span_id())).then_some(trace);
        let before = out.len();
        key(out, if *written > 0 { "," } else { "" });
        write_span(out, trace.resource(), span, is_debug, noted);
        if out.len() >= limit && *written > 0 {
            out.truncate(before);
            return false;
        }
        *written += 1;
    }
    true
}

/// Writes a span; the root with what is told of the decision about its trace.
fn write_span(
    out: &mut Vec<u8>,
    resource: &Resource,
    span: SpanRef<'_>,
    is_debug: bool,
    noted: Option<&Trace>,
) {
    key(out, "{\"traceId\":\"");
    display(out, span.trace_id());
    key(out, "\",\"id\":\"");
    display(out, span.span_id());
    if let Some(parent) = span.parent_span_id() {
        key(out, "\",\"parentId\":\"");
        display(out, parent);
    }
    key(out, "\",\"name\":");
    string(out, span.operation_name());
    if let Some(kind) = kind(span.kind()) {
        key(out, ",\"kind\":\"");
        key(out, kind);
        key(out, "\"");
    }
    key(out, ",\"timestamp\":");
    display(out, micros(span.start_time()));
    if span.is_finished() {
        // Zipkin takes zero for "unknown", and rounds up itself.
        key(out, ",\"duration\":");
        display(out, span.duration().as_micros().max(1));
    }
    if is_debug {
        key(out, ",\"debug\":true");
    }
    key(out, ",\"localEndpoint\":{\"serviceName\":");
    string(out, resource.service_name());
    key(out, "}");
    remote_endpoint::write(out, span);
    if span.logs().next().is_some() {
        key(out, ",\"annotations\":");
        array(out, span.logs(), annotation);
    }
    key(out, ",\"tags\":");
    Tags { out, count: 0 }.write(resource, span, noted);
    key(out, "}");
}

const fn kind(kind: SpanKind) -> Option<&'static str> {
    match kind {
        SpanKind::Internal => None,
        SpanKind::Server => Some("SERVER"),
        SpanKind::Client => Some("CLIENT"),
        SpanKind::Producer => Some("PRODUCER"),
        SpanKind::Consumer => Some("CONSUMER"),
    }
}

fn micros(time: SystemTime) -> u64 {
    unix_nanos(time) / 1000
}

/// A log entry. Zipkin has no place for its level and fields, so they stand behind the message.
fn annotation(out: &mut Vec<u8>, log: LogRef<'_>) {
    key(out, "{\"timestamp\":");
    display(out, micros(log.time()));
    key(out, ",\"value\":");
    let says_level = log.fields().any(|(name, _)| name == "level");
    let level = log.level();
    let is_plain = level == LogLevel::Info || says_level;
    if is_plain && log.fields().next().is_none() {
        string(out, log.message());
    } else {
        let level = Some(("level", TagRef::Str(level.as_str()))).filter(|_| !is_plain);
        let mut text = Vec::new();
        string(&mut text, log.message());
        key(&mut text, ": {");
        for (index, (name, value)) in level.into_iter().chain(log.fields()).enumerate() {
            key(&mut text, if index > 0 { "," } else { "" });
            string(&mut text, name);
            key(&mut text, ":");
            json(&mut text, value);
        }
        key(&mut text, "}");
        string(out, &String::from_utf8_lossy(&text));
    }
    key(out, "}");
}

/// Writes the tags of a span; each name once.
struct Tags<'o> {
    out: &'o mut Vec<u8>,
    count: usize,
}

impl Tags<'_> {
    fn write(mut self, resource: &Resource, span: SpanRef<'_>, noted: Option<&Trace>) {
        key(self.out, "{");
        let status = span.status();
        for (name, value) in span.tags() {
            if !is_left_out(name, value, &status) {
                self.put(name, &text(value));
            }
        }
        for (name, value) in noted.into_iter().flat_map(Trace::notes) {
            self.put(name, &text(value));
        }
        for (name, value) in resource.iter().map(|(name, value)| (name, value.as_ref())) {
            // A resource does not fail, and its service stands in the endpoint.
            let is_told =
                [ERROR, Resource::SERVICE_NAME].contains(&name) || span.tag(name).is_some();
            if !is_told && !is_left_out(name, value, &status) {
                self.put(name, &text(value));
            }
        }
        match &status {
            Status::Unset => {}
            Status::Ok => self.put(STATUS, "OK"),
            Status::Error { description } => {
                self.put(STATUS, "ERROR");
                self.put(ERROR, description);
            }
        }
        let scope = Scope::of(span);
        for (name, value) in [
            ("otel.scope.name", scope.name()),
            ("otel.scope.version", scope.version()),
            (LIBRARY_NAME, scope.name()),
            (LIBRARY_VERSION, scope.version()),
        ] {
            if !value.is_empty() {
                self.put(name, value);
            }
        }
        for (name, count) in [
            (DROPPED_TAGS, span.dropped_tags()),
            (DROPPED_LOGS, span.dropped_logs()),
            (DROPPED_LINKS, span.dropped_links()),
        ] {
            if count > 0 {
                self.put(name, &count.to_string());
            }
        }
        key(self.out, "}");
    }

    fn put(&mut self, name: &str, value: &str) {
        if self.count > 0 {
            key(self.out, ",");
        }
        self.count += 1;
        string(self.out, name);
        key(self.out, ":");
        string(self.out, value);
    }
}

/// Whether a tag would contradict what is written for every span, or for one with this status.
fn is_left_out(name: &str, value: TagRef<'_>, status: &Status) -> bool {
    match name {
        // To Zipkin a span with any value of it has failed.
        ERROR => status.is_error() || matches!(value, TagRef::Bool(false) | TagRef::Str("false")),
        STATUS | DROPPED_TAGS | DROPPED_LOGS | DROPPED_LINKS => true,
        LIBRARY_NAME | LIBRARY_VERSION | "otel.scope.name" | "otel.scope.version" => true,
        // Zipkin has no other place for what else a scope says.
        _ => false,
    }
}

/// A value as the text of a tag.
fn text(value: TagRef<'_>) -> Cow<'_, str> {
    match value {
        TagRef::Str(text) => Cow::Borrowed(text),
        TagRef::Bytes(bytes) => Cow::Owned(BASE64.encode(bytes)),
        TagRef::F64(number) if !number.is_finite() => Cow::Borrowed(word_for(number)),
        value => {
            let mut out = Vec::new();
            json(&mut out, value);
            Cow::Owned(String::from_utf8_lossy(&out).into_owned())
        }
    }
}

/// A value as JSON.
fn json(out: &mut Vec<u8>, value: TagRef<'_>) {
    match value {
        TagRef::Bool(flag) => display(out, flag),
        TagRef::I64(whole) => display(out, whole),
        TagRef::F64(value) => number(out, value),
        TagRef::Str(text) => string(out, text),
        TagRef::Bytes(bytes) => string(out, &BASE64.encode(bytes)),
        TagRef::BoolArray(flags) => array(out, flags.iter(), display),
        TagRef::I64Array(wholes) => array(out, wholes.iter(), display),
        TagRef::F64Array(values) => array(out, values.iter(), |out, value| number(out, *value)),
        TagRef::StringArray(texts) => array(out, texts.iter(), |out, text| string(out, text)),
    }
}

const fn word_for(number: f64) -> &'static str {
    match number {
        f64::INFINITY => "Infinity",
        f64::NEG_INFINITY => "-Infinity",
        _ => "NaN",
    }
}

#[cfg(test)]
mod tests;
