//! OpenTelemetry's tracing API on our recorder.

mod span;

use std::fmt;
use std::sync::Arc;

use opentelemetry::trace::{SpanBuilder, Tracer as ApiTracer, TracerProvider as ApiTracerProvider};
use opentelemetry::{Context, InstrumentationScope};

pub use span::Span;

use super::context::{baggage_of, parent_of};
use super::say::{self, Tag};
use super::{convert, share_context};
use crate::model::{Link, TraceContext};
use crate::pipeline::Pipeline;
use crate::record::{ActiveSpan, Begin, Recorder, Start};

/// OpenTelemetry's tracing API on a [`Pipeline`], without its SDK.
///
/// For programs whose libraries are instrumented with the API: their spans take part in the pipeline's
/// sampling, tail, limits and ledger like any other. Set-ups that keep the SDK use its parts around it
/// instead. Clones are handles. It does not keep the pipeline running: when the last [`Pipeline`] handle
/// is dropped, its spans are counted as started after the shutdown and still propagate their trace.
///
/// The library's name and version become the tags `otel.scope.name` and `otel.scope.version` of its
/// spans. Spans that are not recorded keep their trace's id and tell the next that they are not sampled,
/// also where OpenTelemetry's telemetry is suppressed; those are counted as
/// [`OwnWork`](crate::Reason::OwnWork). Making one [shares contexts](share_context) with `tracing` spans.
///
/// ```standalone_crate
/// use opentelemetry::global;
/// use opentelemetry::trace::{Span, Tracer};
/// use std::time::Duration;
/// use tailtrace::{AlwaysOn, InMemoryExporter, Pipeline, otel};
/// let memory = InMemoryExporter::new();
/// let pipeline =
///     Pipeline::builder("checkout").with_sampler(AlwaysOn).with_exporter(memory.clone()).start()?;
/// global::set_tracer_provider(otel::TracerProvider::new(&pipeline));
/// global::tracer("http-client").start("GET").end();
/// pipeline.shutdown(Duration::from_secs(5))?;
/// assert_eq!(memory.traces()[0].root().unwrap().operation_name(), "GET");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct TracerProvider {
    recorder: Arc<Recorder>,
}

impl TracerProvider {
    /// A provider whose tracers record into this pipeline.
    #[must_use]
    pub fn new(pipeline: &Pipeline) -> Self {
        share_context(pipeline);
        Self { recorder: Arc::clone(pipeline.recorder()) }
    }
}

impl ApiTracerProvider for TracerProvider {
    type Tracer = Tracer;

    fn tracer_with_scope(&self, scope: InstrumentationScope) -> Tracer {
        let scope = convert::scope_tags(&scope).into();
        Tracer { recorder: Arc::clone(&self.recorder), scope }
    }
}

impl fmt::Debug for TracerProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TracerProvider").finish_non_exhaustive()
    }
}

/// Starts spans for one library, through `opentelemetry::trace::Tracer`.
///
/// From [`TracerProvider`]. A span whose parent is a span of the same pipeline joins its local trace; any
/// other parent counts by its ids. Clones are handles.
#[derive(Clone)]
pub struct Tracer {
    recorder: Arc<Recorder>,
    /// What the library's spans say about it.
    scope: Arc<[Tag]>,
}

impl ApiTracer for Tracer {
    type Span = Span;

    fn build_with_context(&self, builder: SpanBuilder, context: &Context) -> Span {
        let parent = parent_of(context);
        // A decider that is asked about a trace finds a span of that trace current, and could go on for ever.
        if context.is_telemetry_suppressed() || self.recorder.is_asking() {
            return Span::new(self.recorder.refuse(parent.as_ref()));
        }
        Span::new(self.start(builder, parent.as_ref(), context))
    }
}

impl Tracer {
    fn start(
        &self,
        builder: SpanBuilder,
        parent: Option<&TraceContext>,
        context: &Context,
    ) -> ActiveSpan {
        let SpanBuilder { span_kind, name, start_time, attributes, events, links } = builder;
        let mut start = match parent {
            Some(parent) => Start::under(name, parent),
            None => Start::new(name),
        };
        if parent.is_none() {
            start.baggage = baggage_of(context).unwrap_or_default();
        }
        start.kind = span_kind.as_ref().map(convert::from_span_kind).unwrap_or_default();
        start.start = start_time.map(Begin::Wall);
        let (attributes, links) = (attributes.unwrap_or_default(), links.unwrap_or_default());
        let read = || -> (Vec<Tag>, Vec<Link>) {
            (say::tags(&attributes), links.iter().filter_map(convert::from_link).collect())
        };
        // A sampler looks at them; where none is asked, they wait until it is clear that they are kept.
        let is_asked = !parent.is_some_and(|parent| self.recorder.is_home_of(parent));
        if is_asked {
            (start.tags, start.links) = read();
        }
        let span = self.recorder.start(start);
        if !span.may_write() {
            return span;
        }
        let (tags, valid) = if is_asked { Default::default() } else { read() };
        let nowhere = links.iter().filter(|link| !link.span_context.is_valid()).count();
        span.edit(|edit| {
            for (key, value) in self.scope.iter().chain(&tags) {
                edit.set_tag(key.clone(), value.as_ref());
            }
            for link in valid {
                edit.add_link(link);
            }
            if nowhere > 0 {
                edit.count_dropped(0, 0, u32::try_from(nowhere).unwrap_or(u32::MAX));
            }
        });
        for event in events.into_iter().flatten() {
            say::event(&span, event.name, event.timestamp, event.attributes);
        }
        span
    }
}

impl fmt::Debug for Tracer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tracer").field("scope", &self.scope).finish_non_exhaustive()
    }
}
