//! The native API: spans that a program starts itself.
//!
//! ```
//! use tailtrace::{AlwaysOn, InMemoryExporter, Tracer};
//! let memory = InMemoryExporter::new();
//! let tracer = Tracer::new("checkout", AlwaysOn, memory.clone());
//! {
//!     let order = tracer.start_span("place_order");
//!     order.set_tag("order.id", 4711);
//!     let _charge = order.child("charge_card");
//! }
//! tracer.shutdown(std::time::Duration::from_secs(5))?;
//! assert_eq!(memory.traces()[0].span_count(), 2);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod builder;
mod guard;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

pub use builder::SpanBuilder;
pub use guard::SpanGuard;

use crate::export::Exporter;
use crate::ledger::Stats;
use crate::model::{Border, Incoming, Link, TraceContext};
use crate::pipeline::{DeliveryReport, FlushError, Pipeline, ShutdownError};
use crate::propagation::{Extractor, Injector, Propagator, default_propagator};
use crate::record::{Recorder, SpanStart};
use crate::sampling::Sampler;

/// Starts spans and carries their contexts over process borders.
///
/// Get one from [`Pipeline::tracer`], or from [`Tracer::new`] where a sampler and an exporter are all
/// there is to say. Clones are handles to the same pipeline and cost an atomic operation.
#[derive(Clone)]
pub struct Tracer {
    recorder: Arc<Recorder>,
    pipeline: Pipeline,
    propagator: Arc<dyn Propagator>,
    border: Border,
}

impl Tracer {
    /// A tracer with a pipeline of its own: one sampler, one exporter, no tail.
    ///
    /// The last clone to be dropped shuts the pipeline down and waits up to five seconds for what is
    /// still to be exported; [`shutdown`](Self::shutdown) says how that went. Should the machine
    /// refuse the exporter's thread, there is a warning and every span is counted as
    /// [started after shutdown](crate::ledger::Reason::ShutDown).
    pub fn new(
        service_name: impl Into<String>,
        sampler: impl Sampler + 'static,
        exporter: impl Exporter + 'static,
    ) -> Self {
        Pipeline::simple(service_name.into(), Box::new(sampler), Box::new(exporter)).into_tracer()
    }

    /// Starts a span that has no parent: the root of a new trace.
    #[inline]
    pub fn start_span(&self, name: impl Into<Cow<'static, str>>) -> SpanGuard {
        SpanGuard::new(self.recorder.start(SpanStart::new(name.into())))
    }

    /// Starts a span under a parent.
    ///
    /// With the context of a span of this process the new one joins its local trace. With what
    /// [`extract`](Self::extract) or [`extract_context`](Self::extract_context) read from headers it is
    /// the root of a local trace of its own. Without a context it starts a new trace, which carries the
    /// baggage of the [`Incoming`].
    #[inline]
    pub fn start_span_with_context(
        &self,
        name: impl Into<Cow<'static, str>>,
        parent: impl Into<Incoming>,
    ) -> SpanGuard {
        let Incoming { context, baggage, link } = parent.into();
        let links = link.map(Link::new).into_iter().collect();
        let parent = context.as_ref();
        let start = SpanStart { parent, baggage, links, ..SpanStart::new(name.into()) };
        SpanGuard::new(self.recorder.start(start))
    }

    /// Prepares a span that starts with more than a name.
    pub fn span_builder(&self, name: impl Into<Cow<'static, str>>) -> SpanBuilder {
        SpanBuilder::root(Arc::clone(&self.recorder), name.into())
    }

    /// Reads the caller's context and baggage from incoming headers: W3C `traceparent`, `tracestate` and
    /// `baggage`, unless the tracer has [another propagator](Self::with_propagator).
    ///
    /// Baggage that comes without a valid `traceparent` is kept, and goes to the trace that starts then.
    ///
    /// ```
    /// use std::collections::HashMap;
    /// use tailtrace::{AlwaysOn, InMemoryExporter, Tracer};
    /// let tracer = Tracer::new("checkout", AlwaysOn, InMemoryExporter::new());
    /// let mut headers = HashMap::new();
    /// headers.insert("baggage".to_string(), "tenant=acme".to_string());
    /// let span = tracer.start_span_with_context("handle_request", tracer.extract(&headers));
    /// assert_eq!(span.baggage().get("tenant"), Some("acme"));
    /// ```
    #[must_use]
    pub fn extract(&self, headers: &dyn Extractor) -> Incoming {
        let mut incoming = Incoming::default();
        self.propagator.extract(headers, &mut incoming);
        let mut incoming = incoming.at(self.border);
        if let Some(context) = &mut incoming.context {
            context.baggage = incoming.baggage.clone();
        }
        incoming
    }

    /// Reads the caller's context from incoming headers, as [`extract`](Self::extract) does; it carries
    /// the baggage.
    ///
    /// `None` when there is no valid `traceparent`; then the request starts a new trace, and baggage that
    /// came without it is lost.
    ///
    /// ```
    /// use std::collections::HashMap;
    /// use tailtrace::{AlwaysOn, InMemoryExporter, Tracer};
    /// let tracer = Tracer::new("checkout", AlwaysOn, InMemoryExporter::new());
    /// let mut headers = HashMap::new();
    /// headers.insert("traceparent".to_string(),
    ///     "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".to_string());
    /// let caller = tracer.extract_context(&headers);
    /// let span = tracer.start_span_with_context("handle_request", caller.as_ref());
    /// assert_eq!(span.context().trace_id, caller.expect("a valid header").trace_id);
    /// ```
    #[must_use]
    pub fn extract_context(&self, headers: &dyn Extractor) -> Option<TraceContext> {
        self.extract(headers).context
    }

    /// Writes a span's context into outgoing headers.
    ///
    /// The context of a span that is not recorded is written too, as not sampled: the next service
    /// belongs to the same trace. Where it is known by now that the span's trace is kept, it is written as sampled.
    pub fn inject_context(&self, context: &TraceContext, headers: &mut dyn Injector) {
        self.propagator.inject(&Recorder::hinted(context), headers);
    }

    /// This tracer with headers of its own. Default: those of
    /// [`propagation::set_default`](crate::propagation::set_default), else W3C's.
    #[must_use]
    pub fn with_propagator(mut self, propagator: impl Propagator + 'static) -> Self {
        self.propagator = Arc::new(propagator);
        self
    }

    /// This tracer at the border of a network: what [`extract`](Self::extract) reads counts as far as the border
    /// says. Default: [`Border::Inside`].
    ///
    /// ```
    /// use std::collections::HashMap;
    /// use tailtrace::model::Border;
    /// use tailtrace::{AlwaysOn, InMemoryExporter, Tracer};
    /// let tracer = Tracer::new("gateway", AlwaysOn, InMemoryExporter::new()).with_border(Border::Public);
    /// let headers = HashMap::from([(
    ///     "traceparent".to_owned(),
    ///     "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".to_owned(),
    /// )]);
    /// let request = tracer.start_span_with_context("GET /stock", tracer.extract(&headers));
    /// assert_ne!(request.context().trace_id.to_hex(), "4bf92f3577b34da6a3ce929d0e0e4736");
    /// ```
    #[must_use]
    pub fn with_border(mut self, border: Border) -> Self {
        self.border = border;
        self
    }

    /// What became of the spans so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.pipeline.stats()
    }

    /// Exports what was kept so far; see [`Pipeline::flush`].
    ///
    /// # Errors
    /// When something was lost or is left when `timeout` is over.
    pub fn flush(&self, timeout: Duration) -> Result<DeliveryReport, FlushError> {
        self.pipeline.flush(timeout)
    }

    /// Ends the pipeline behind this tracer; see [`Pipeline::shutdown`].
    ///
    /// # Errors
    /// When something was lost or is left when `timeout` is over.
    pub fn shutdown(&self, timeout: Duration) -> Result<DeliveryReport, ShutdownError> {
        self.pipeline.shutdown(timeout)
    }
}

impl fmt::Debug for Tracer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tracer").finish_non_exhaustive()
    }
}

impl Pipeline {
    /// A tracer that records into this pipeline.
    ///
    /// It does not keep the pipeline running: when the last [`Pipeline`] handle is dropped, its spans
    /// are counted as started after the shutdown.
    #[must_use]
    pub fn tracer(&self) -> Tracer {
        self.weak().into_tracer()
    }

    fn into_tracer(self) -> Tracer {
        let propagator = default_propagator();
        Tracer {
            recorder: Arc::clone(self.recorder()),
            pipeline: self,
            propagator,
            border: Border::Inside,
        }
    }
}
