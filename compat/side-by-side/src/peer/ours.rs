//! tailtrace.

use tailtrace::layer::SetParentError;
use tailtrace::model::{Link, TraceFlags};
use tailtrace::{LogLevel, SpanId, Status, TagValue, TraceContext, TraceId, TraceSpanExt as _};
use tracing::Span;

use super::{Ours, Peer, whole};
use crate::seen::Value;
use crate::sides::{REMOTE_SPAN, REMOTE_TRACE};

fn remote() -> TraceContext {
    let trace = TraceId::from_hex(REMOTE_TRACE).unwrap();
    TraceContext::new(trace, SpanId::from_hex(REMOTE_SPAN).unwrap())
        .with_flags(TraceFlags::SAMPLED)
        .remote()
}

fn value_of(value: Value) -> TagValue {
    match value {
        Value::Bool(value) => value.into(),
        Value::I64(value) => value.into(),
        Value::F64(value) => value.parse::<f64>().unwrap().into(),
        Value::Text(value) => value.into(),
        Value::Array(values) => TagValue::I64Array(whole(values)),
        other => panic!("no value there for {other:?}"),
    }
}

impl Peer for Ours {
    fn set_parent(&self, span: &Span) -> Result<(), String> {
        span.set_parent(remote()).map_err(|error| variant_of(error).to_owned())
    }

    fn context(&self, span: &Span) -> Option<(String, String)> {
        let context = span.context()?;
        Some((context.trace_id.to_string(), context.span_id.to_string()))
    }

    fn add_link(&self, span: &Span, tags: &[(&'static str, Value)]) {
        let tags = tags.iter().cloned();
        span.add_link(
            tags.fold(Link::new(remote()), |link, (key, value)| {
                link.with_tag(key, value_of(value))
            }),
        );
    }

    fn set_tag(&self, span: &Span, key: &'static str, value: Value) {
        span.set_tag(key, value_of(value));
    }

    fn set_status(&self, span: &Span, error: Option<&'static str>) {
        span.set_status(error.map_or(Status::Ok, Status::error));
    }

    fn log_event(&self, span: &Span, name: &'static str, fields: &[(&'static str, Value)]) {
        let fields = fields.iter().cloned().map(|(key, value)| (key, value_of(value)));
        span.log_with_fields(LogLevel::Info, name, fields);
    }
}

/// The variant's name: our errors print by `Debug` what they print by `Display`.
fn variant_of(error: SetParentError) -> &'static str {
    match error {
        SetParentError::LayerNotFound => "LayerNotFound",
        SetParentError::AlreadyStarted => "AlreadyStarted",
        SetParentError::SpanDisabled => "SpanDisabled",
        _ => "another",
    }
}
