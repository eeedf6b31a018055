//! Our propagators for OpenTelemetry.

pub(crate) mod context_values;
mod copied;
mod headers;

use std::fmt;

use opentelemetry::Context;
use opentelemetry::propagation::text_map_propagator::FieldIter;
use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator};

use self::copied::CopiedHeaders;
use self::headers::{HeaderReader, HeaderWriter};
use crate::model::{Border, Incoming, TraceContext};
use crate::pipeline::Pipeline;
use crate::propagation::{self, CompositePropagator};
use crate::record::Intake;

/// Any propagator of ours as a propagator of OpenTelemetry. The default speaks the formats of W3C.
///
/// For programs that use OpenTelemetry's API and want headers read and written by the letter: headers of
/// several lines, malformed headers, baggage with any character in it. What OpenTelemetry's types cannot hold
/// travels on all the same, from a request to those it causes: the random flag, members of the trace state
/// with keys of Level 2, B3's and Jaeger's debug, the order of the baggage.
///
/// What is written replaces what a carrier has. OpenTelemetry's carriers can neither remove a header nor say which they
/// have: in place of a `b3` that would win, and of a trace state, baggage and, where no trace is written, ids that came with
/// the request below which the context stands and do not go on, an empty line is written. Of Jaeger's `uberctx-`, of the
/// `x-b3-sampled` of a partner's request that is passed on without a span, and of other requests' headers a carrier has
/// to be cleared before, or new.
///
/// A span and baggage that the context already has stay where the headers have none, or none that can be read.
///
#[cfg_attr(not(older_line), doc = include_str!("../examples/propagator.md"))]
///
/// Make it the one of the program with `opentelemetry::global::set_text_map_propagator`.
pub struct Propagator {
    inner: Box<dyn propagation::Propagator>,
    fields: Vec<String>,
    border: Border,
    /// Knows of the traces that the SDK's spans belong to whether they are kept.
    intake: Option<Intake>,
}

impl Propagator {
    /// Wraps a propagator of ours, such as a [`CompositePropagator`].
    #[must_use]
    pub fn new(propagator: impl propagation::Propagator + 'static) -> Self {
        let fields = propagator.fields().iter().map(|field| (*field).to_owned()).collect();
        Self { inner: Box::new(propagator), fields, border: Border::Inside, intake: None }
    }

    /// Sets how much of what callers send is believed. Default: [`Border::Inside`], all of it.
    ///
    /// With [`Border::Public`], the answer for the edge of a network, a request begins a trace of its own. The link to
    /// the caller needs [`TailSpanProcessor`](super::TailSpanProcessor) or the provider of this crate.
    #[must_use]
    pub fn with_border(mut self, border: Border) -> Self {
        self.border = border;
        self
    }

    /// Has requests carry the sampled flag where the pipeline knows that the trace of the current span is kept: another
    /// service told of it, or a person asked for it. Whom they call then keeps its part too, with any tracer that follows
    /// its caller. Default: the flag is what it was when the span started.
    ///
    /// For requests that are made without a span of their own; spans that start later have the flag by
    /// [`HeadSampler`](super::HeadSampler). Costs each request without the flag a look at the traces that are recorded.
    #[must_use]
    pub fn with_hints_of(mut self, pipeline: &Pipeline) -> Self {
        self.intake = Some(pipeline.intake());
        self
    }

    /// The context with the sampled flag, where the pipeline knows that its trace is kept.
    fn hinted(&self, mut context: TraceContext) -> TraceContext {
        if !context.is_remote
            && !context.is_sampled()
            && let Some(intake) = &self.intake
            && intake.is_known_kept(context.trace_id)
        {
            context.flags = context.flags.with_sampled(true);
        }
        context
    }
}

impl Default for Propagator {
    fn default() -> Self {
        Self::new(CompositePropagator::default())
    }
}

impl TextMapPropagator for Propagator {
    fn inject_context(&self, context: &Context, injector: &mut dyn Injector) {
        let mut headers = HeaderWriter::new(injector, CopiedHeaders::below(context));
        match context_values::trace_context_of(context) {
            Some(context) => self.inner.inject(&self.hinted(context), &mut headers),
            None => {
                let baggage = context_values::baggage_of(context);
                self.inner.inject_baggage(&baggage, &mut headers);
                headers.empty_ids(&self.fields);
            }
        }
    }

    fn extract_with_context(&self, context: &Context, extractor: &dyn Extractor) -> Context {
        let mut incoming = Incoming::default();
        self.inner.extract(&HeaderReader(extractor), &mut incoming);
        let copied = CopiedHeaders::of(&incoming, extractor, context);
        copied.noted_in(context_values::with_incoming(context, incoming.at(self.border)))
    }

    fn fields(&self) -> FieldIter<'_> {
        FieldIter::new(&self.fields)
    }
}

impl fmt::Debug for Propagator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Propagator").field("fields", &self.fields).finish_non_exhaustive()
    }
}
