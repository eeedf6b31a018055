//! A span as it was sent and as it arrived, in the same words.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use tailtrace::model::{TagRef, TraceFlags};
use tailtrace::{LogLevel, SpanKind, SpanRef, Status, Trace, TraceId};

/// Attributes in the JSON of OTLP; both sides may order them as they like.
pub(crate) type Attributes = BTreeMap<String, Value>;

/// Everything that OTLP says about a span and where it comes from.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Seen {
    pub(crate) trace_id: String,
    pub(crate) span_id: String,
    pub(crate) parent: String,
    pub(crate) name: String,
    pub(crate) kind: u64,
    pub(crate) start: u64,
    pub(crate) end: u64,
    pub(crate) tags: Attributes,
    pub(crate) logs: Vec<SeenLog>,
    pub(crate) links: Vec<SeenLink>,
    pub(crate) status: (u64, String),
    pub(crate) trace_state: String,
    pub(crate) flags: u64,
    pub(crate) dropped: [u64; 3],
    pub(crate) resource: Attributes,
    pub(crate) scope: String,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SeenLog {
    pub(crate) time: u64,
    pub(crate) name: String,
    pub(crate) fields: Attributes,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SeenLink {
    pub(crate) trace_id: String,
    pub(crate) span_id: String,
    pub(crate) trace_state: String,
    pub(crate) flags: u64,
    pub(crate) tags: Attributes,
}

impl Seen {
    /// The spans of a trace as they should arrive, in the order they started.
    pub(crate) fn sent(trace: &Trace) -> Vec<Self> {
        trace.spans().map(|span| Self::of(trace, span)).collect()
    }

    fn of(trace: &Trace, span: SpanRef<'_>) -> Self {
        let log = |log: tailtrace::trace::LogRef<'_>| {
            let mut fields = attributes(log.fields());
            // An event of OpenTelemetry has no level; most entries are of this one.
            if log.level() != LogLevel::Info {
                fields.insert("level".to_owned(), json!({"stringValue": log.level().as_str()}));
            }
            SeenLog { time: nanos(log.time()), name: log.message().to_owned(), fields }
        };
        let link = |link: tailtrace::trace::LinkRef<'_>| SeenLink {
            trace_id: link.context().trace_id.to_hex(),
            span_id: link.context().span_id.to_hex(),
            trace_state: link.context().trace_state.as_str().to_owned(),
            flags: flags(link.context().flags, link.context().is_remote),
            tags: attributes(link.tags()),
        };
        // The span whose parent is in another process.
        let called = trace.root().filter(|root| root.parent_span_id().is_some());
        let called = called.map(SpanRef::span_id);
        let is_root = trace.root().is_some_and(|root| root.span_id() == span.span_id());
        let mut tags = attributes(span.tags());
        // What is told of the decision stands beside the root's own tags.
        for (key, value) in trace.notes().filter(|_| is_root) {
            tags.extend(attributes([(key, value)].into_iter()));
        }
        let status = match span.status() {
            Status::Unset => 0,
            Status::Ok => 1,
            Status::Error { .. } => 2,
        };
        Self {
            trace_id: span.trace_id().to_hex(),
            span_id: span.span_id().to_hex(),
            parent: span.parent_span_id().map(|id| id.to_hex()).unwrap_or_default(),
            name: span.operation_name().to_owned(),
            kind: kind(span.kind()),
            start: nanos(span.start_time()),
            end: nanos(span.end_time().expect("the span has ended")),
            tags,
            logs: span.logs().map(log).collect(),
            links: span.links().map(link).collect(),
            status: (status, span.status_description().to_owned()),
            trace_state: trace_state(trace, is_root),
            flags: flags(span.context().flags, called == Some(span.span_id())),
            dropped: [span.dropped_tags(), span.dropped_logs(), span.dropped_links()]
                .map(u64::from),
            resource: attributes(trace.resource().iter().map(|(key, value)| (key, value.as_ref()))),
            scope: format!("tailtrace {}", env!("CARGO_PKG_VERSION")),
        }
    }

    /// The spans of an answer of Jaeger's `/api/v3`, in the order it gives.
    pub(crate) fn read_all(answer: &Value) -> Vec<Self> {
        let mut all = Vec::new();
        for from in list(&answer["result"]["resourceSpans"]) {
            let resource = read_attributes(&from["resource"]["attributes"]);
            for scoped in list(&from["scopeSpans"]) {
                let scope = &scoped["scope"];
                let scope = format!("{} {}", text(&scope["name"]), text(&scope["version"]));
                let spans = list(&scoped["spans"]).iter();
                all.extend(spans.map(|span| Self::read(span, &resource, &scope)));
            }
        }
        all
    }

    fn read(span: &Value, resource: &Attributes, scope: &str) -> Self {
        let log = |log: &Value| SeenLog {
            time: number(&log["timeUnixNano"]),
            name: text(&log["name"]),
            fields: read_attributes(&log["attributes"]),
        };
        let link = |link: &Value| SeenLink {
            trace_id: text(&link["traceId"]),
            span_id: text(&link["spanId"]),
            trace_state: text(&link["traceState"]),
            flags: number(&link["flags"]),
            tags: read_attributes(&link["attributes"]),
        };
        let dropped = ["droppedAttributesCount", "droppedEventsCount", "droppedLinksCount"];
        Self {
            trace_id: text(&span["traceId"]),
            span_id: text(&span["spanId"]),
            parent: text(&span["parentSpanId"]),
            name: text(&span["name"]),
            kind: number(&span["kind"]),
            start: number(&span["startTimeUnixNano"]),
            end: number(&span["endTimeUnixNano"]),
            tags: read_attributes(&span["attributes"]),
            logs: list(&span["events"]).iter().map(log).collect(),
            links: list(&span["links"]).iter().map(link).collect(),
            status: (number(&span["status"]["code"]), text(&span["status"]["message"])),
            trace_state: text(&span["traceState"]),
            flags: number(&span["flags"]),
            dropped: dropped.map(|name| number(&span[name])),
            resource: resource.clone(),
            scope: scope.to_owned(),
        }
    }

    /// The lines in which two spans differ, this one's first.
    pub(crate) fn differing_from(&self, other: &Self) -> Vec<(String, String)> {
        let lines = |span: &Self| -> Vec<String> {
            format!("{span:#?}").lines().map(|line| line.trim().to_owned()).collect()
        };
        let pairs = lines(self).into_iter().zip(lines(other));
        pairs.filter(|(one, other)| one != other).take(10).collect()
    }

    pub(crate) fn id(&self) -> TraceId {
        TraceId::from_hex(&self.trace_id).expect("Jaeger gives valid ids")
    }
}

/// The flags of W3C, and two bits of OTLP: that it is known where the other span is, and where.
fn flags(flags: TraceFlags, is_remote: bool) -> u64 {
    u64::from(flags.bits()) | 0x100 | if is_remote { 0x200 } else { 0 }
}

fn kind(kind: SpanKind) -> u64 {
    match kind {
        SpanKind::Internal => 1,
        SpanKind::Server => 2,
        SpanKind::Client => 3,
        SpanKind::Producer => 4,
        SpanKind::Consumer => 5,
    }
}

fn nanos(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).expect("the time is not before the epoch");
    u64::try_from(since.as_nanos()).expect("the time is not far in the future")
}

fn attributes<'a>(tags: impl Iterator<Item = (&'a str, TagRef<'a>)>) -> Attributes {
    tags.map(|(key, value)| (key.to_owned(), any_value(value))).collect()
}

/// A value in the JSON of OTLP.
fn any_value(value: TagRef<'_>) -> Value {
    match value {
        TagRef::Bool(value) => json!({"boolValue": value}),
        TagRef::I64(value) => json!({"intValue": value.to_string()}),
        TagRef::F64(value) => json!({"doubleValue": value}),
        TagRef::Str(value) => json!({"stringValue": value}),
        TagRef::Bytes(value) => json!({"bytesValue": BASE64_STANDARD.encode(value)}),
        TagRef::BoolArray(values) => array(values.iter().map(|value| TagRef::Bool(*value))),
        TagRef::I64Array(values) => array(values.iter().map(|value| TagRef::I64(*value))),
        TagRef::F64Array(values) => array(values.iter().map(|value| TagRef::F64(*value))),
        TagRef::StringArray(values) => array(values.iter().map(|value| TagRef::Str(value))),
        other => panic!("a type of tag that is not compared yet: {other:?}"),
    }
}

fn array<'a>(values: impl Iterator<Item = TagRef<'a>>) -> Value {
    json!({"arrayValue": {"values": values.map(any_value).collect::<Vec<_>>()}})
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// Text; what is left out is empty.
fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// A number, which JSON has as text when it is large; what is left out is zero.
fn number(value: &Value) -> u64 {
    let text = || value.as_str().and_then(|text| text.parse().ok());
    value.as_u64().or_else(text).unwrap_or_default()
}

fn read_attributes(value: &Value) -> Attributes {
    let pair = |pair: &Value| (text(&pair["key"]), pair["value"].clone());
    list(value).iter().map(pair).collect()
}

/// The members of other systems leave with the local root alone, that of sampling with every span.
fn trace_state(trace: &Trace, is_root: bool) -> String {
    let state = trace.trace_state().as_str();
    let kept: Vec<&str> =
        state.split(',').filter(|member| is_root || member.starts_with("ot=")).collect();
    kept.join(",")
}
