//! Finished spans of OpenTelemetry's SDK as they are.

use std::borrow::Cow;
use std::time::SystemTime;

use opentelemetry::trace::{Event, Link, SpanContext, Status as OtelStatus};
use opentelemetry::{Array, KeyValue, Value};

use super::convert;
use super::release_line::SpanData;
use crate::model::{SpanId, Status, TraceId};
use crate::trace::{Original, Outline, SpanMut, Trace};

/// A key longer than this counts as memory of its span.
const LONG_KEY: usize = 128;

/// A finished span of OpenTelemetry's SDK, as [`TailSpanProcessor`](super::TailSpanProcessor) records it.
///
/// [`Trace::originals`] gives them back from a trace that is made of them.
#[derive(Clone, Debug)]
pub struct SdkSpan(pub SpanData);

impl SdkSpan {
    /// Copies the spans of a kept trace as an exporter gets them: flagged as sampled, with the threshold the
    /// trace was kept with. `None` when the trace is not made of spans of the SDK.
    #[must_use]
    pub fn all_of(trace: &Trace) -> Option<Vec<SpanData>> {
        let originals: &[Self] = trace.originals()?;
        let threshold = trace.threshold();
        let mut kept: Vec<SpanData> = Vec::with_capacity(originals.len());
        for Self(data) in originals {
            let context = &data.span_context;
            // Nearly always all spans carry the same state, which is then changed once.
            let before = kept.len().checked_sub(1).and_then(|last| originals.get(last));
            let state = match (before, kept.last()) {
                (Some(Self(before)), Some(after))
                    if before.span_context.trace_state() == context.trace_state() =>
                {
                    after.span_context.trace_state().clone()
                }
                _ => convert::set_threshold(context.trace_state(), threshold),
            };
            let flags = context.trace_flags().with_sampled(true);
            let span_context = SpanContext::new(
                context.trace_id(),
                context.span_id(),
                flags,
                context.is_remote(),
                state,
            );
            kept.push(SpanData { span_context, ..data.clone() });
        }
        Some(kept)
    }
}

// The methods that are called for every span that ends are inlined: where a span is only borrowed by code
// that the compiler sees, it is moved once on its way in, and spans are large.
impl Original for SdkSpan {
    #[inline]
    fn ids(&self) -> (TraceId, SpanId) {
        let context = &self.0.span_context;
        // A span without valid ids belongs to no known trace, and random ids belong to none either.
        let trace_id = convert::from_trace_id(context.trace_id()).unwrap_or_else(TraceId::new);
        (trace_id, convert::from_span_id(context.span_id()).unwrap_or_else(SpanId::new))
    }

    #[inline]
    fn is_error(&self) -> bool {
        matches!(self.0.status, OtelStatus::Error { .. })
    }

    fn times(&self) -> (SystemTime, SystemTime) {
        (self.0.start_time, self.0.end_time)
    }

    fn outline(&self) -> Outline<'_> {
        let Self(data) = self;
        let (trace_id, span_id) = self.ids();
        Outline {
            trace_id,
            span_id,
            parent_span_id: convert::from_span_id(data.parent_span_id),
            is_parent_remote: convert::is_parent_remote(data),
            name: &data.name,
            kind: convert::from_span_kind(&data.span_kind),
            start: data.start_time,
            end: data.end_time,
            status: match data.status {
                OtelStatus::Unset => Status::Unset,
                OtelStatus::Ok => Status::Ok,
                OtelStatus::Error { .. } => Status::error(""),
            },
        }
    }

    fn describe(&self, span: &mut SpanMut<'_>) {
        convert::write_span_data(&self.0, span);
    }

    #[inline]
    fn bytes(&self) -> usize {
        let Self(data) = self;
        let events: usize = data.events.events.iter().map(event_bytes).sum();
        let links: usize = data.links.links.iter().map(link_bytes).sum();
        let description = match &data.status {
            OtelStatus::Error { description } => owned_bytes(description),
            _ => 0,
        };
        let texts = owned_bytes(&data.name) + description;
        size_of::<Self>() + texts + tag_bytes(&data.attributes) + events + links
    }
}

#[inline]
fn event_bytes(event: &Event) -> usize {
    size_of::<Event>() + owned_bytes(&event.name) + tag_bytes(&event.attributes)
}

#[inline]
fn link_bytes(link: &Link) -> usize {
    size_of::<Link>() + tag_bytes(&link.attributes)
}

#[inline]
#[expect(clippy::ptr_arg, reason = "a static text takes no memory of the span")]
fn owned_bytes(text: &Cow<'static, str>) -> usize {
    if let Cow::Owned(text) = text { text.len() } else { 0 }
}

/// The memory of attributes.
#[inline]
fn tag_bytes(attributes: &[KeyValue]) -> usize {
    let tags = attributes.iter();
    let texts: usize = tags.map(|tag| key_bytes(tag.key.as_str()) + value_bytes(&tag.value)).sum();
    size_of_val(attributes) + texts
}

/// The memory of a key. OpenTelemetry does not tell which keys are static, but static ones are short.
#[inline]
fn key_bytes(key: &str) -> usize {
    if key.len() > LONG_KEY { key.len() } else { 0 }
}

#[inline]
fn value_bytes(value: &Value) -> usize {
    match value {
        Value::String(text) => text.as_str().len(),
        Value::Array(Array::Bool(values)) => values.len(),
        Value::Array(Array::I64(values)) => size_of_val(values.as_slice()),
        Value::Array(Array::F64(values)) => size_of_val(values.as_slice()),
        Value::Array(Array::String(values)) => {
            values.iter().map(|text| size_of_val(text) + text.as_str().len()).sum()
        }
        _ => 0,
    }
}
