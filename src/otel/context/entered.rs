//! A span of ours in a context of OpenTelemetry that does not own it.

use std::borrow::Cow;
use std::error::Error;
use std::time::SystemTime;

use opentelemetry::trace::{Span, SpanContext, Status, TraceContextExt};
use opentelemetry::{Context, KeyValue};

use super::baggage;
use super::known::Known;
use crate::model::TraceContext;
use crate::otel::adapter::propagator::kept;
use crate::otel::convert;
use crate::otel::say;
use crate::propagation::Extracted;
use crate::record::SpanHand;
use crate::record::neighbour::Shown;

/// Stands for a span that somebody else ends: what is said about it reaches that span, and its end is
/// not said here.
#[derive(Debug)]
struct Entered {
    ids: SpanContext,
    hand: Option<SpanHand>,
    _known: Known,
}

/// `around` with a span in it.
pub(super) fn with(around: &Context, shown: Shown) -> Context {
    let Shown { context, hand, .. } = shown;
    if has_more_than_ids(&context) {
        // For our propagators, which look for it beside the span.
        let exact = Extracted { parent: Some(context.clone()), ..Extracted::default() };
        return with_plain(&kept::keep(around, exact), context, hand);
    }
    with_plain(around, context, hand)
}

/// Whether a context says what OpenTelemetry's ids cannot.
fn has_more_than_ids(context: &TraceContext) -> bool {
    let flags = context.flags;
    flags.is_debug() || flags.is_deferred() || !context.trace_state.iter().all(convert::is_held)
}

fn with_plain(around: &Context, context: TraceContext, hand: Option<SpanHand>) -> Context {
    let (ids, carried) = (convert::to_span_context(&context), context.baggage.clone());
    let entered = Entered { ids, hand, _known: Known::new(context) };
    baggage::lend(around.with_span(entered), &carried)
}

impl Span for Entered {
    fn add_event_with_timestamp<T>(&mut self, name: T, time: SystemTime, fields: Vec<KeyValue>)
    where
        T: Into<Cow<'static, str>>,
    {
        if let Some(hand) = &self.hand {
            say::event(hand, name.into(), time, fields);
        }
    }

    fn record_error(&mut self, error: &dyn Error) {
        if let Some(hand) = &self.hand {
            say::error(hand, error);
        }
    }

    fn span_context(&self) -> &SpanContext {
        &self.ids
    }

    fn is_recording(&self) -> bool {
        self.hand.as_ref().is_some_and(SpanHand::is_open)
    }

    fn set_attribute(&mut self, attribute: KeyValue) {
        if let Some(hand) = &self.hand {
            say::attribute(hand, &attribute);
        }
    }

    fn set_status(&mut self, status: Status) {
        if let Some(hand) = &self.hand {
            say::status(hand, &status);
        }
    }

    fn update_name<T>(&mut self, name: T)
    where
        T: Into<Cow<'static, str>>,
    {
        let name = name.into();
        if let Some(hand) = &self.hand {
            hand.edit(|edit| {
                edit.set_name(name);
            });
        }
    }

    fn add_link(&mut self, to: SpanContext, attributes: Vec<KeyValue>) {
        if let Some(hand) = &self.hand {
            say::link(hand, to, attributes);
        }
    }

    fn end_with_timestamp(&mut self, _: SystemTime) {}
}
