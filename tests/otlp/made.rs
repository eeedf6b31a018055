//! Traces with everything a span can have, and the messages they should become.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, InstrumentationScope, KeyValue,
};
use opentelemetry_proto::tonic::resource::v1;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link as ProtoLink};
use opentelemetry_proto::tonic::trace::v1::{
    ResourceSpans, ScopeSpans, Span as ProtoSpan, Status as ProtoStatus,
};
use proptest::prelude::*;
use tailtrace::model::{Link, Resource, TagRef, TraceFlags};
use tailtrace::{
    LogLevel, Span, SpanId, SpanKind, SpanRef, Status, TagValue, Trace, TraceContext, TraceId,
};

type Tags = Vec<(String, TagValue)>;

/// Any value; of numbers only those that every reader of JSON reads exactly, where it has to.
pub(crate) fn values(finite: bool) -> impl Strategy<Value = TagValue> {
    let number = move || {
        let exact = any::<i32>().prop_map(|number| f64::from(number) / 8.0);
        if finite { exact.boxed() } else { any::<f64>().boxed() }
    };
    prop_oneof![
        any::<bool>().prop_map(TagValue::Bool),
        any::<i64>().prop_map(TagValue::I64),
        (-2_i64..200).prop_map(TagValue::I64),
        number().prop_map(TagValue::F64),
        ".{0,30}".prop_map(TagValue::String),
        (100_usize..300).prop_map(|len| TagValue::String("é".repeat(len))),
        prop::collection::vec(any::<u8>(), 0..40).prop_map(TagValue::Bytes),
        prop::collection::vec(any::<bool>(), 0..5).prop_map(TagValue::BoolArray),
        prop::collection::vec(any::<i64>(), 0..20).prop_map(TagValue::I64Array),
        prop::collection::vec(number(), 0..20).prop_map(TagValue::F64Array),
        prop::collection::vec(".{0,9}", 0..20).prop_map(TagValue::StringArray),
    ]
}

fn tags(finite: bool, most: usize) -> impl Strategy<Value = Tags> {
    prop::collection::vec(("[a-z.é]{0,12}", values(finite)), 0..most)
}

fn contexts() -> impl Strategy<Value = TraceContext> {
    (1_u128.., 1_u64.., any::<u8>(), any::<bool>(), any::<bool>()).prop_map(
        |(trace, span, flags, state, remote)| {
            let trace = TraceId::from_bits(trace).unwrap();
            let mut context = TraceContext::new(trace, SpanId::from_bits(span).unwrap());
            context.flags = TraceFlags::from_bits_truncate(flags);
            context.is_remote = remote;
            if state {
                context.trace_state = "vendor=1,ot=th:8".parse().unwrap();
            }
            context
        },
    )
}

fn levels() -> impl Strategy<Value = LogLevel> {
    use LogLevel::{Debug, Error, Info, Trace, Warn};
    prop::sample::select(vec![Trace, Debug, Info, Warn, Error])
}

fn kinds() -> impl Strategy<Value = SpanKind> {
    use SpanKind::{Client, Consumer, Internal, Producer, Server};
    prop::sample::select(vec![Internal, Server, Client, Producer, Consumer])
}

fn statuses() -> impl Strategy<Value = Status> {
    prop_oneof![
        Just(Status::Unset),
        Just(Status::Ok),
        Just(Status::error("")),
        ".{0,20}".prop_map(Status::error),
        (100_usize..300).prop_map(|len| Status::error("x".repeat(len))),
    ]
}

/// Fields of a log entry, with now and then one that says the level itself.
fn logs(finite: bool) -> impl Strategy<Value = Vec<(u64, LogLevel, String, Tags)>> {
    let message = prop_oneof![Just("exception".to_owned()), ".{0,20}"];
    let fields =
        (tags(finite, 4), prop::option::weighted(0.1, "level")).prop_map(|(mut tags, level)| {
            tags.extend(level.map(|name| (name, TagValue::from("loud"))));
            tags
        });
    prop::collection::vec((any::<u32>().prop_map(u64::from), levels(), message, fields), 0..4)
}

prop_compose! {
    fn spans(finite: bool)(
        id in 1_u64..,
        parent in prop::option::of(1_u64..6),
        name in ".{0,20}",
        kind in kinds(),
        start in 0_u64..2_000_000_000_000_000_000,
        duration in prop::option::of(0_u64..10_000_000_000),
        status in statuses(),
        tags in tags(finite, 6),
        logs in logs(finite),
        links in prop::collection::vec((contexts(), tags(finite, 3)), 0..3),
        many in prop::bool::weighted(0.05),
    ) -> Span {
        let mut context = TraceContext::new(TraceId::new(), SpanId::from_bits(id).unwrap());
        context.parent_span_id = parent.and_then(SpanId::from_bits);
        let start = UNIX_EPOCH + Duration::from_nanos(start);
        let mut span = Span::started_at(name, context, start);
        span.set_kind(kind);
        span.set_status(status);
        for (key, value) in tags {
            span.set_tag(key, value);
        }
        for (after, level, message, fields) in logs {
            span.log_at(start + Duration::from_nanos(after), level, message, fields);
        }
        for (context, tags) in links {
            span.add_link(tags.into_iter().fold(Link::new(context), |link, (k, v)| link.with_tag(k, v)));
        }
        if many {
            for number in 0..140 {
                span.set_tag(format!("many.{number}"), number);
                span.log(LogLevel::Info, "many");
                span.add_link(Link::new(TraceContext::new(TraceId::new(), SpanId::new())));
            }
        }
        if let Some(duration) = duration {
            span.finish_at(start + Duration::from_nanos(duration));
        }
        span
    }
}

prop_compose! {
    fn traces(finite: bool)(
        id in 1_u128..,
        service in prop::sample::select(vec!["checkout", "cart", ""]),
        zone in prop::option::of(values(true)),
        spans in prop::collection::vec(spans(finite), 0..5),
    ) -> Trace {
        let resource = Resource::new(service);
        let resource = match zone {
            Some(zone) => resource.with_tag("zone", zone),
            None => resource,
        };
        let mut trace = Trace::new(TraceId::from_bits(id).unwrap()).with_resource(resource);
        for span in spans {
            trace.add_span(span);
        }
        trace
    }
}

/// Traces of several services.
pub(crate) fn batches(finite: bool) -> impl Strategy<Value = Vec<Trace>> {
    prop::collection::vec(traces(finite), 1..5)
}

/// The request a batch should become, without looking at how the exporter does it.
pub(crate) fn expected(batch: &[Trace]) -> ExportTraceServiceRequest {
    let mut resource_spans: Vec<ResourceSpans> = Vec::new();
    // Resources that are written alike need not be the same: an empty list of numbers and one of texts.
    let mut known: Vec<Arc<Resource>> = Vec::new();
    for trace in batch.iter().filter(|trace| trace.span_count() > 0) {
        let pairs = trace.resource().iter().map(|(key, value)| pair(key, value.as_ref()));
        let resource = v1::Resource { attributes: pairs.collect(), ..Default::default() };
        let spans = trace.spans().map(|span| expected_span(trace, span));
        let same = |known: &Arc<Resource>| {
            Arc::ptr_eq(known, trace.resource()) || known == trace.resource()
        };
        if let Some(at) = known.iter().position(same) {
            resource_spans[at].scope_spans[0].spans.extend(spans);
            continue;
        }
        known.push(Arc::clone(trace.resource()));
        let scope = InstrumentationScope {
            name: "tailtrace".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            ..Default::default()
        };
        let scope_spans =
            ScopeSpans { scope: Some(scope), spans: spans.collect(), ..Default::default() };
        resource_spans.push(ResourceSpans {
            resource: Some(resource),
            scope_spans: vec![scope_spans],
            ..Default::default()
        });
    }
    ExportTraceServiceRequest { resource_spans }
}

fn expected_span(trace: &Trace, span: SpanRef<'_>) -> ProtoSpan {
    let root = trace.root().unwrap();
    let is_called = span.span_id() == root.span_id() && root.parent_span_id().is_some();
    let (code, message) = match span.status() {
        Status::Unset => (0, String::new()),
        Status::Ok => (1, String::new()),
        Status::Error { description } => (2, description.into_owned()),
    };
    let status = (code != 0).then_some(ProtoStatus { message, code });
    ProtoSpan {
        trace_id: trace.trace_id().to_bytes().to_vec(),
        span_id: span.span_id().to_bytes().to_vec(),
        trace_state: expected_state(trace, span),
        parent_span_id: span.parent_span_id().map(|id| id.to_bytes().to_vec()).unwrap_or_default(),
        flags: u32::from(span.context().flags.bits()) | if is_called { 0x300 } else { 0x100 },
        name: span.operation_name().to_owned(),
        kind: match span.kind() {
            SpanKind::Internal => 1,
            SpanKind::Server => 2,
            SpanKind::Client => 3,
            SpanKind::Producer => 4,
            SpanKind::Consumer => 5,
        },
        start_time_unix_nano: nanos(span.start_time()),
        end_time_unix_nano: nanos(span.end_time().unwrap_or(span.start_time())),
        attributes: span.tags().map(|(key, value)| pair(key, value)).collect(),
        dropped_attributes_count: span.dropped_tags(),
        events: span.logs().map(|log| expected_event(log.to_entry())).collect(),
        dropped_events_count: span.dropped_logs(),
        links: span
            .links()
            .map(|link| {
                let context = link.context();
                let remote = if context.is_remote { 0x200 } else { 0 };
                ProtoLink {
                    trace_id: context.trace_id.to_bytes().to_vec(),
                    span_id: context.span_id.to_bytes().to_vec(),
                    trace_state: context.trace_state.to_string(),
                    attributes: link.tags().map(|(key, value)| pair(key, value)).collect(),
                    dropped_attributes_count: 0,
                    flags: u32::from(context.flags.bits()) | 0x100 | remote,
                }
            })
            .collect(),
        dropped_links_count: span.dropped_links(),
        status,
    }
}

/// The members of other systems stand on the root alone.
fn expected_state(trace: &Trace, span: SpanRef<'_>) -> String {
    let state = span.context().trace_state;
    if trace.root().unwrap().span_id() == span.span_id() {
        return state.to_string();
    }
    state.get("ot").map(|own| format!("ot={own}")).unwrap_or_default()
}

fn expected_event(log: tailtrace::model::LogEntry) -> Event {
    let says = log.fields.iter().any(|(key, _)| key == "level");
    let plain = log.level == LogLevel::Info || says;
    let level = (!plain).then(|| pair("level", TagRef::Str(log.level.as_str())));
    let fields = log.fields.iter().map(|(key, value)| pair(key, value.as_ref()));
    Event {
        time_unix_nano: nanos(log.time),
        name: log.message.into_owned(),
        attributes: level.into_iter().chain(fields).collect(),
        dropped_attributes_count: 0,
    }
}

fn nanos(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap().as_nanos().try_into().unwrap()
}

fn pair(key: &str, value: TagRef<'_>) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(any_value(value)), ..Default::default() }
}

fn any_value(value: TagRef<'_>) -> AnyValue {
    let list = |values: Vec<AnyValue>| Value::ArrayValue(ArrayValue { values });
    let value = match value {
        TagRef::Bool(value) => Value::BoolValue(value),
        TagRef::I64(value) => Value::IntValue(value),
        TagRef::F64(value) => Value::DoubleValue(value),
        TagRef::Str(value) => Value::StringValue(value.to_owned()),
        TagRef::Bytes(value) => Value::BytesValue(value.to_owned()),
        TagRef::BoolArray(all) => list(all.iter().map(|v| any_value(TagRef::Bool(*v))).collect()),
        TagRef::I64Array(all) => list(all.iter().map(|v| any_value(TagRef::I64(*v))).collect()),
        TagRef::F64Array(all) => list(all.iter().map(|v| any_value(TagRef::F64(*v))).collect()),
        TagRef::StringArray(all) => list(all.iter().map(|v| any_value(TagRef::Str(v))).collect()),
        _ => unreachable!("a value of a new kind"),
    };
    AnyValue { value: Some(value) }
}
