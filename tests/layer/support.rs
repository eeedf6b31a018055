//! A pipeline with a layer, and what arrived.

use std::time::Duration;

use tailtrace::{
    AlwaysOn, Fraction, InMemoryExporter, Pipeline, PipelineBuilder, SpanRef, Stats, Trace,
    TraceLayer,
};
use tracing::subscriber::with_default;
use tracing_subscriber::prelude::*;

/// How long anything may take before a test gives up.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// What became of a program.
pub(crate) struct Outcome {
    pub(crate) traces: Vec<Trace>,
    pub(crate) stats: Stats,
}

impl Outcome {
    pub(crate) fn spans(&self) -> impl Iterator<Item = SpanRef<'_>> {
        self.traces.iter().flat_map(Trace::spans)
    }

    /// The span of this name.
    #[track_caller]
    pub(crate) fn span(&self, name: &str) -> SpanRef<'_> {
        let found = self.spans().find(|span| span.operation_name() == name);
        found.unwrap_or_else(|| panic!("no span {name} among {:?}", self.names()))
    }

    pub(crate) fn names(&self) -> Vec<&str> {
        self.spans().map(SpanRef::operation_name).collect()
    }

    /// The name of a span's parent.
    #[track_caller]
    pub(crate) fn parent_of(&self, name: &str) -> Option<&str> {
        let parent = self.span(name).parent_span_id()?;
        let found = self.spans().find(|span| span.span_id() == parent);
        Some(found.map_or("(elsewhere)", SpanRef::operation_name))
    }
}

/// A pipeline that keeps everything, unless a test says otherwise.
pub(crate) fn keeping() -> PipelineBuilder {
    Pipeline::builder("layer").with_sampler(AlwaysOn)
}

/// A pipeline whose tail keeps everything, so that nothing is sampled before.
pub(crate) fn tailed() -> PipelineBuilder {
    Pipeline::builder("layer").with_tail(Fraction::new(1.0).unwrap())
}

/// Runs a program under a subscriber with one layer.
pub(crate) fn trace(program: impl FnOnce()) -> Outcome {
    trace_with(keeping(), Pipeline::layer, program)
}

/// The same with a pipeline and a layer of one's own.
pub(crate) fn trace_with(
    builder: PipelineBuilder,
    layer: impl FnOnce(&Pipeline) -> TraceLayer,
    program: impl FnOnce(),
) -> Outcome {
    trace_under(builder, |pipeline| tracing_subscriber::registry().with(layer(pipeline)), program)
}

/// The same with a subscriber of one's own.
pub(crate) fn trace_under<S>(
    builder: PipelineBuilder,
    subscriber: impl FnOnce(&Pipeline) -> S,
    program: impl FnOnce(),
) -> Outcome
where
    S: tracing::Subscriber + Send + Sync + 'static,
{
    let memory = InMemoryExporter::new();
    let pipeline = builder.with_exporter(memory.clone()).start().unwrap();
    with_default(subscriber(&pipeline), program);
    let _ = pipeline.shutdown(PATIENCE);
    let stats = pipeline.stats();
    assert!(stats.balances(), "{stats}");
    Outcome { traces: memory.traces(), stats }
}
