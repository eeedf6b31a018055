//! The provider.

use std::fmt;
use std::sync::Arc;

use opentelemetry::InstrumentationScope;
use opentelemetry::trace::TracerProvider as ApiTracerProvider;

use super::tracer::Tracer;
use crate::otel::{convert, share_context};
use crate::pipeline::Pipeline;
use crate::record::Recorder;

/// OpenTelemetry's tracing API on a [`Pipeline`], without its SDK.
///
/// For programs whose libraries are instrumented with the API: their spans take part in the pipeline's
/// sampling, tail, limits and ledger like any other. Set-ups that keep the SDK use
/// [`HeadSampler`](crate::otel::HeadSampler) and [`TailSpanProcessor`](crate::otel::TailSpanProcessor) instead.
/// Clones are handles. The provider does not keep the pipeline running: when the last [`Pipeline`] handle is
/// dropped, its spans are counted as started after the shutdown and still propagate their trace.
///
/// The library's name and version become the tags `otel.scope.name` and `otel.scope.version` of its
/// spans. Spans that are not recorded keep their trace's id and tell the next service that they are not
/// sampled. So do spans that start where OpenTelemetry's telemetry is suppressed, which are counted as
/// [`OwnWork`](crate::ledger::Reason::OwnWork). Making a provider [shares contexts](share_context) with `tracing`.
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
        Tracer::new(Arc::clone(&self.recorder), scope)
    }
}

impl fmt::Debug for TracerProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TracerProvider").finish_non_exhaustive()
    }
}
