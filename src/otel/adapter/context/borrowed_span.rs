//! A span of ours in a context of OpenTelemetry that does not own it.

use std::borrow::Cow;
use std::error::Error;
use std::time::SystemTime;

use opentelemetry::trace::{Span, SpanContext, Status, TraceContextExt};
use opentelemetry::{Context, KeyValue};

use super::super::convert;
use super::super::propagator::context_values;
use super::super::writable_span::WritableSpan as _;
use super::baggage::with_default_baggage;
use super::span_registry::SpanRegistration;
use crate::model::Incoming;
use crate::model::TraceContext;
use crate::record::SpanWriter;

/// A span that the native API or the layer ends: writes reach it, and an end through the context does not.
#[derive(Debug)]
struct BorrowedSpan {
    ids: SpanContext,
    /// `None` when the span is not on record.
    writer: Option<SpanWriter>,
    _registration: SpanRegistration,
}

/// The context with a borrowed span in it.
pub(super) fn with_borrowed_span(
    outer: &Context,
    context: TraceContext,
    writer: Option<SpanWriter>,
) -> Context {
    if has_more_than_ids(&context) {
        // Our propagators look for the exact context beside the span.
        let exact = Incoming::default().with_context(context.clone());
        return with_span(&context_values::with_incoming(outer, exact), context, writer);
    }
    with_span(outer, context, writer)
}

/// Whether a context holds what OpenTelemetry's cannot.
fn has_more_than_ids(context: &TraceContext) -> bool {
    let flags = context.flags;
    flags.is_debug() || flags.is_deferred() || !context.trace_state.iter().all(convert::is_held)
}

fn with_span(outer: &Context, context: TraceContext, writer: Option<SpanWriter>) -> Context {
    let ids = convert::to_span_context(&context);
    let baggage = context.baggage.clone();
    let span = BorrowedSpan { ids, writer, _registration: SpanRegistration::new(context) };
    with_default_baggage(outer.with_span(span), &baggage)
}

impl Span for BorrowedSpan {
    fn add_event_with_timestamp<T>(&mut self, name: T, time: SystemTime, fields: Vec<KeyValue>)
    where
        T: Into<Cow<'static, str>>,
    {
        if let Some(span) = &self.writer {
            span.write_event(name.into(), time, fields);
        }
    }

    fn record_error(&mut self, error: &dyn Error) {
        if let Some(span) = &self.writer {
            span.write_error(error);
        }
    }

    fn span_context(&self) -> &SpanContext {
        &self.ids
    }

    fn is_recording(&self) -> bool {
        self.writer.as_ref().is_some_and(SpanWriter::is_open)
    }

    fn set_attribute(&mut self, attribute: KeyValue) {
        if let Some(span) = &self.writer {
            span.write_attribute(&attribute);
        }
    }

    fn set_status(&mut self, status: Status) {
        if let Some(span) = &self.writer {
            span.write_status(&status);
        }
    }

    fn update_name<T>(&mut self, name: T)
    where
        T: Into<Cow<'static, str>>,
    {
        // The conversion may be the caller's code, so it runs before the trace's lock is taken.
        let name = name.into();
        if let Some(span) = &self.writer {
            span.write(|span| {
                span.set_name(name);
            });
        }
    }

    fn add_link(&mut self, to: SpanContext, attributes: Vec<KeyValue>) {
        if let Some(span) = &self.writer {
            span.write_link(to, attributes);
        }
    }

    // The owner of the span ends it.
    fn end_with_timestamp(&mut self, _: SystemTime) {}
}
