//! A running span, as OpenTelemetry's API knows it.

use std::borrow::Cow;
use std::error::Error;
use std::sync::OnceLock;
use std::time::SystemTime;

use opentelemetry::KeyValue;
use opentelemetry::trace::{Span as ApiSpan, SpanContext, Status};

use crate::otel::context::Known;
use crate::otel::{convert, say};
use crate::record::ActiveSpan;

/// A span of [`Tracer`](super::Tracer), to be used through `opentelemetry::trace::Span`; dropping it ends
/// it.
///
/// After its end every method still works and changes nothing, and it is still a valid parent.
#[derive(Debug)]
#[must_use = "a span ends when it is dropped; bind it to a name or put it into a context"]
pub struct Span {
    /// Made when somebody asks: a span that never becomes a parent needs no ids. Goes before the span,
    /// so that nothing else refers to its trace when that ends.
    shown: OnceLock<(SpanContext, Known)>,
    span: ActiveSpan,
    has_ended: bool,
}

impl Span {
    pub(super) fn new(span: ActiveSpan) -> Self {
        Self { shown: OnceLock::new(), span, has_ended: false }
    }

    fn is_told(&self) -> bool {
        !self.has_ended && self.span.may_write()
    }

    fn finish(&mut self, end: Option<SystemTime>) {
        if self.has_ended {
            return;
        }
        self.has_ended = true;
        let end = end.and_then(|time| self.span.tick_at(time));
        self.span.finish(end);
    }
}

impl ApiSpan for Span {
    fn add_event<T>(&mut self, name: T, attributes: Vec<KeyValue>)
    where
        T: Into<Cow<'static, str>>,
    {
        if self.is_told() {
            say::event_now(&self.span, name.into(), attributes);
        }
    }

    fn add_event_with_timestamp<T>(&mut self, name: T, time: SystemTime, attributes: Vec<KeyValue>)
    where
        T: Into<Cow<'static, str>>,
    {
        if self.is_told() {
            say::event(&self.span, name.into(), time, attributes);
        }
    }

    fn record_error(&mut self, error: &dyn Error) {
        if self.is_told() {
            say::error(&self.span, error);
        }
    }

    fn span_context(&self) -> &SpanContext {
        let shown = self.shown.get_or_init(|| {
            let context = self.span.context();
            (convert::to_span_context(&context), Known::new(context))
        });
        &shown.0
    }

    fn is_recording(&self) -> bool {
        !self.has_ended && self.span.is_recording()
    }

    fn set_attribute(&mut self, attribute: KeyValue) {
        if self.is_told() {
            say::attribute(&self.span, &attribute);
        }
    }

    fn set_status(&mut self, status: Status) {
        if self.is_told() {
            say::status(&self.span, &status);
        }
    }

    fn update_name<T>(&mut self, name: T)
    where
        T: Into<Cow<'static, str>>,
    {
        if self.is_told() {
            self.span.set_name(name.into());
        }
    }

    fn add_link(&mut self, to: SpanContext, attributes: Vec<KeyValue>) {
        if self.is_told() {
            say::link(&self.span, to, attributes);
        }
    }

    fn end(&mut self) {
        self.finish(None);
    }

    fn end_with_timestamp(&mut self, end: SystemTime) {
        self.finish(Some(end));
    }
}
