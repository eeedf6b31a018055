//! The tracers of libraries.

use std::fmt;
use std::sync::Arc;

use opentelemetry::Context;
use opentelemetry::trace::{SpanBuilder, Tracer as ApiTracer};

use super::active_span::{OwnedTag, owned_tags};
use super::span::Span;
use crate::model::{Link, TraceContext};
use crate::otel::adapter::context::baggage_of;
use crate::otel::adapter::propagator::context_values;
use crate::otel::adapter::writable_span::WritableSpan as _;
use crate::otel::{convert, from_context};
use crate::record::{ActiveSpan, Recorder, SpanStart, StartTime};

/// Starts spans for one library, through `opentelemetry::trace::Tracer`.
///
/// From [`TracerProvider`](super::TracerProvider). A span whose parent is a span of the same pipeline joins its local trace; any
/// other parent counts by its ids. Clones are handles.
#[derive(Clone)]
pub struct Tracer {
    recorder: Arc<Recorder>,
    /// The tags that name the library, for each of its spans.
    scope: Arc<[OwnedTag]>,
}

impl ApiTracer for Tracer {
    type Span = Span;

    fn build_with_context(&self, builder: SpanBuilder, context: &Context) -> Span {
        let parent = from_context(context);
        // A sampler or policy that traces finds a span current of the trace that it is asked about. It would be
        // asked about its own spans, and so on for ever.
        if context.is_telemetry_suppressed() || self.recorder.is_decider_running() {
            return Span::new(self.recorder.start_refused(parent.as_ref()));
        }
        Span::new(self.start(builder, parent.as_ref(), context))
    }
}

impl Tracer {
    pub(super) fn new(recorder: Arc<Recorder>, scope: Arc<[OwnedTag]>) -> Self {
        Self { recorder, scope }
    }

    fn start(
        &self,
        builder: SpanBuilder,
        parent: Option<&TraceContext>,
        context: &Context,
    ) -> ActiveSpan {
        let SpanBuilder { span_kind, name, start_time, attributes, events, links } = builder;
        let mut start = match parent {
            Some(parent) => SpanStart::under(name, parent),
            None => SpanStart::new(name),
        };
        if parent.is_none() {
            start.baggage = baggage_of(context).unwrap_or_default();
        }
        let caller = context_values::arrived_link(context).filter(|_| parent.is_none());
        let caller = caller.and_then(convert::from_span_context).map(Link::new);
        start.kind = span_kind.as_ref().map(convert::from_span_kind).unwrap_or_default();
        start.start = start_time.map(StartTime::Wall);
        let attributes = attributes.unwrap_or_default();
        let links = links.unwrap_or_default();
        let convert = || -> (Vec<OwnedTag>, Vec<Link>) {
            (owned_tags(&attributes), links.iter().filter_map(convert::from_link).collect())
        };
        // A sampler reads tags and links. Where none is asked, they are converted only for a span on record.
        let is_asked = !parent.is_some_and(|parent| self.recorder.is_home_of(parent));
        if is_asked {
            (start.tags, start.links) = convert();
        }
        start.links.extend(caller);
        let span = self.recorder.start(start);
        if !span.may_write() {
            return span;
        }
        let (tags, valid_links) = if is_asked { Default::default() } else { convert() };
        let invalid_links = links.iter().filter(|link| !link.span_context.is_valid()).count();
        span.write(|span| {
            for (key, value) in &tags {
                span.set_tag(key.clone(), value.as_ref());
            }
            for (key, value) in self.scope.iter() {
                span.set_scope_tag(&key.clone().into(), value.as_ref());
            }
            for link in valid_links {
                span.add_link(link);
            }
            if invalid_links > 0 {
                span.count_dropped(0, 0, u32::try_from(invalid_links).unwrap_or(u32::MAX));
            }
        });
        for event in events.into_iter().flatten() {
            span.write_event(event.name, event.timestamp, event.attributes);
        }
        span
    }
}

impl fmt::Debug for Tracer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tracer").field("scope", &self.scope).finish_non_exhaustive()
    }
}
