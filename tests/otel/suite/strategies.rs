//! Arbitrary things of OpenTelemetry.

use std::collections::HashSet;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use opentelemetry::trace::{
    Event, Link, SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState,
};
use opentelemetry::{Array, KeyValue, StringValue, Value};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::release_line::{self, Scope, SpanData};
use super::support::bare;

/// Any value; numbers that differ from themselves are tested by hand.
pub(crate) fn value() -> impl Strategy<Value = Value> {
    let number = || any::<f64>().prop_filter("not itself", |number| !number.is_nan());
    let texts = vec(any::<String>().prop_map(StringValue::from), 0..4);
    prop_oneof![
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::I64),
        number().prop_map(Value::F64),
        any::<String>().prop_map(Value::from),
        vec(any::<bool>(), 0..4).prop_map(|values| Value::Array(Array::Bool(values))),
        vec(any::<i64>(), 0..4).prop_map(|values| Value::Array(Array::I64(values))),
        vec(number(), 0..4).prop_map(|values| Value::Array(Array::F64(values))),
        texts.prop_map(|values| Value::Array(Array::String(values))),
    ]
}

fn key() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[a-c]",
        Just("level".to_owned()),
        Just("otel.scope".to_owned()),
        Just("otel.status_code".to_owned()),
    ]
}

/// Attributes with a level among them here and there, and no key twice.
pub(crate) fn attributes() -> impl Strategy<Value = Vec<KeyValue>> {
    let level = prop_oneof!["TRACE|DEBUG|INFO|WARN|ERROR", "warn|Error|loud"];
    let level = level.prop_map(|level| KeyValue::new("level", level));
    let any_one = (key(), value()).prop_map(|(key, value)| KeyValue::new(key, value));
    vec(prop_oneof![1 => level, 5 => any_one], 0..6).prop_map(|mut attributes| {
        let mut known = HashSet::new();
        attributes.retain(|attribute| known.insert(attribute.key.clone()));
        attributes
    })
}

pub(crate) fn time() -> impl Strategy<Value = SystemTime> {
    (0..4_000_000_000_000_000_000_u64).prop_map(|nanos| UNIX_EPOCH + Duration::from_nanos(nanos))
}

pub(crate) fn trace_state() -> impl Strategy<Value = TraceState> {
    let member = ("[a-z][a-z0-9_*/-]{0,9}", "[!-+.-<>-~]{1,9}");
    vec(member, 0..4).prop_map(|members| TraceState::from_key_value(members).unwrap())
}

/// A context that is valid, with flags that mean something.
pub(crate) fn span_context() -> impl Strategy<Value = SpanContext> {
    (1..=u128::MAX, 1..=u64::MAX, 0..4_u8, any::<bool>(), trace_state()).prop_map(
        |(trace, span, flags, is_remote, state)| {
            SpanContext::new(
                TraceId::from_bytes(trace.to_be_bytes()),
                SpanId::from_bytes(span.to_be_bytes()),
                TraceFlags::new(flags),
                is_remote,
                state,
            )
        },
    )
}

pub(crate) fn event() -> impl Strategy<Value = Event> {
    (any::<String>(), time(), attributes())
        .prop_map(|(name, time, attributes)| Event::new(name, time, attributes, 0))
}

pub(crate) fn link() -> impl Strategy<Value = Link> {
    (span_context(), attributes())
        .prop_map(|(context, attributes)| Link::new(context, attributes, 0))
}

pub(crate) fn kind() -> impl Strategy<Value = SpanKind> {
    prop_oneof![
        Just(SpanKind::Client),
        Just(SpanKind::Server),
        Just(SpanKind::Producer),
        Just(SpanKind::Consumer),
        Just(SpanKind::Internal),
    ]
}

pub(crate) fn status() -> impl Strategy<Value = Status> {
    prop_oneof![Just(Status::Unset), Just(Status::Ok), any::<String>().prop_map(Status::error)]
}

pub(crate) fn scope() -> impl Strategy<Value = Scope> {
    let parts = (any::<String>(), option::of("[0-9.]{1,5}"), option::of("[a-z:/]{1,9}"));
    (parts, attributes()).prop_map(|((name, version, url), attributes)| {
        let mut scope = Scope::builder(name).with_attributes(attributes);
        if let Some(version) = version {
            scope = scope.with_version(version);
        }
        if let Some(url) = url {
            scope = scope.with_schema_url(url);
        }
        scope.build()
    })
}

/// A span that ended, of a context that is not remote.
pub(crate) fn span_data() -> impl Strategy<Value = SpanData> {
    let head = (span_context(), any::<u64>(), any::<bool>(), kind(), any::<String>());
    let times = (time(), 0..10_000_000_000_u64);
    let lists = (attributes(), vec(event(), 0..3), vec(link(), 0..3));
    let dropped = (any::<u32>(), any::<u32>(), any::<u32>());
    (head, times, lists, dropped, status(), scope()).prop_map(
        |(
            head,
            (start_time, nanos),
            (attributes, all_events, all_links),
            dropped,
            status,
            scope,
        )| {
            let (context, parent, is_parent_remote, span_kind, name) = head;
            let mut data = bare("", 1, 1);
            data.span_context = SpanContext::new(
                context.trace_id(),
                context.span_id(),
                context.trace_flags(),
                false,
                context.trace_state().clone(),
            );
            data.parent_span_id = SpanId::from_bytes(parent.to_be_bytes());
            release_line::set_parent_remote(&mut data, is_parent_remote);
            (data.span_kind, data.name, data.status) = (span_kind, name.into(), status);
            (data.start_time, data.end_time) =
                (start_time, start_time + Duration::from_nanos(nanos));
            (data.attributes, data.dropped_attributes_count) = (attributes, dropped.0);
            (data.events.events, data.events.dropped_count) = (all_events, dropped.1);
            (data.links.links, data.links.dropped_count) = (all_links, dropped.2);
            release_line::set_scope(&mut data, scope);
            data
        },
    )
}
