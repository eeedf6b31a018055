//! `tracing-opentelemetry`.

use opentelemetry::trace::{
    SpanContext, SpanId, Status, TraceContextExt as _, TraceFlags, TraceId, TraceState,
};
use opentelemetry::{Array, Context, KeyValue, Value as TheirValue};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use super::{Peer, Theirs, name_of, whole};
use crate::seen::Value;
use crate::sides::{REMOTE_SPAN, REMOTE_TRACE};

fn remote() -> SpanContext {
    SpanContext::new(
        TraceId::from_hex(REMOTE_TRACE).unwrap(),
        SpanId::from_hex(REMOTE_SPAN).unwrap(),
        TraceFlags::SAMPLED,
        true,
        TraceState::default(),
    )
}

fn value_of(value: Value) -> TheirValue {
    match value {
        Value::Bool(value) => value.into(),
        Value::I64(value) => value.into(),
        Value::F64(value) => value.parse::<f64>().unwrap().into(),
        Value::Text(value) => value.into(),
        Value::Array(values) => TheirValue::Array(Array::I64(whole(values))),
        other => panic!("no value there for {other:?}"),
    }
}

fn tags_of(tags: &[(&'static str, Value)]) -> Vec<KeyValue> {
    tags.iter().cloned().map(|(key, value)| KeyValue::new(key, value_of(value))).collect()
}

impl Peer for Theirs {
    fn set_parent(&self, span: &Span) -> Result<(), String> {
        let remote = Context::new().with_remote_span_context(remote());
        span.set_parent(remote).map_err(name_of)
    }

    fn context(&self, span: &Span) -> Option<(String, String)> {
        let context = span.context();
        let context = context.span().span_context().clone();
        let ids = (context.trace_id().to_string(), context.span_id().to_string());
        context.is_valid().then_some(ids)
    }

    fn add_link(&self, span: &Span, tags: &[(&'static str, Value)]) {
        span.add_link_with_attributes(remote(), tags_of(tags));
    }

    fn set_tag(&self, span: &Span, key: &'static str, value: Value) {
        span.set_attribute(key, value_of(value));
    }

    fn set_status(&self, span: &Span, error: Option<&'static str>) {
        span.set_status(error.map_or(Status::Ok, Status::error));
    }

    fn log_event(&self, span: &Span, name: &'static str, fields: &[(&'static str, Value)]) {
        span.add_event(name, tags_of(fields));
    }
}
