//! Running spans behind OpenTelemetry's trait for spans.

use std::borrow::Cow;
use std::error::Error;
use std::sync::OnceLock;
use std::time::SystemTime;

use opentelemetry::KeyValue;
use opentelemetry::trace::{Span as ApiSpan, SpanContext, Status};

use super::active_span::{write_error, write_event_now};
use crate::otel::adapter::context::SpanRegistration;
use crate::otel::adapter::writable_span::WritableSpan as _;
use crate::otel::convert;
use crate::record::ActiveSpan;

/// A span of [`Tracer`](super::Tracer), to be used through `opentelemetry::trace::Span`. Dropping it ends it.
///
/// After its end every method may still be called and changes nothing, and the span is still a valid parent.
#[derive(Debug)]
#[must_use = "a span ends when it is dropped; bind it to a name or put it into a context"]
pub struct Span {
    /// Made when a caller reads the ids: a span that never becomes a parent needs none. Declared before the
    /// span, and so dropped before it: the registration must not refer to the trace when the span ends.
    ids: OnceLock<(SpanContext, SpanRegistration)>,
    span: ActiveSpan,
    has_ended: bool,
}

impl Span {
    pub(super) fn new(span: ActiveSpan) -> Self {
        Self { ids: OnceLock::new(), span, has_ended: false }
    }

    fn is_writable(&self) -> bool {
        !self.has_ended && self.span.may_write()
    }

    fn finish(&mut self, end: Option<SystemTime>) {
        if self.has_ended {
            return;
        }
        self.has_ended = true;
        self.span.note_panic();
        let end = end.and_then(|time| self.span.tick_at(time));
        self.span.finish(end);
    }
}

impl ApiSpan for Span {
    fn add_event<T>(&mut self, name: T, attributes: Vec<KeyValue>)
    where
        T: Into<Cow<'static, str>>,
    {
        if self.is_writable() {
            write_event_now(&self.span, name.into(), attributes);
        }
    }

    fn add_event_with_timestamp<T>(&mut self, name: T, time: SystemTime, attributes: Vec<KeyValue>)
    where
        T: Into<Cow<'static, str>>,
    {
        if self.is_writable() {
            self.span.write_event(name.into(), time, attributes);
        }
    }

    fn record_error(&mut self, error: &dyn Error) {
        if self.is_writable() {
            write_error(&self.span, error);
        }
    }

    fn span_context(&self) -> &SpanContext {
        let (ids, _) = self.ids.get_or_init(|| {
            let context = self.span.context();
            (convert::to_span_context(&context), SpanRegistration::new(context))
        });
        ids
    }

    fn is_recording(&self) -> bool {
        !self.has_ended && self.span.is_recording()
    }

    fn set_attribute(&mut self, attribute: KeyValue) {
        if self.is_writable() {
            self.span.write_attribute(&attribute);
        }
    }

    fn set_status(&mut self, status: Status) {
        if self.is_writable() {
            self.span.write_status(&status);
        }
    }

    fn update_name<T>(&mut self, name: T)
    where
        T: Into<Cow<'static, str>>,
    {
        if self.is_writable() {
            let name = name.into();
            self.span.write(|span| {
                span.set_name(name);
            });
        }
    }

    fn add_link(&mut self, to: SpanContext, attributes: Vec<KeyValue>) {
        if self.is_writable() {
            self.span.write_link(to, attributes);
        }
    }

    fn end(&mut self) {
        self.finish(None);
    }

    fn end_with_timestamp(&mut self, end: SystemTime) {
        self.finish(Some(end));
    }
}
