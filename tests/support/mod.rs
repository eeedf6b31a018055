//! What the tests of the whole engine share.

// Each test program uses its part of it.
#![allow(dead_code)]

use std::time::Duration;

use async_trait::async_trait;
use tailtrace::export::{Batch, ExportError};
use tailtrace::ledger::Stats;
use tailtrace::model::Random;
use tailtrace::pipeline::PipelineBuilder;
use tailtrace::time::ManualClock;
use tailtrace::{
    Exporter, InMemoryExporter, Pipeline, SamplingRequest, SamplingResult, SpanRef, Trace,
    TraceView, Verdict,
};

/// Longer than any wait in these tests lasts; reaching it is a failure.
pub(crate) const PLENTY: Duration = Duration::from_secs(60);

/// A pipeline with a clock that stands still, ids from a seed, and an exporter to look into.
pub(crate) fn pipeline() -> (PipelineBuilder, ManualClock, InMemoryExporter) {
    let (clock, memory) = (ManualClock::new(), InMemoryExporter::new());
    let builder = Pipeline::builder("test")
        .with_clock(clock.clock())
        .with_random(Random::seeded(1))
        .with_exporter(memory.clone());
    (builder, clock, memory)
}

/// A head that decides by the root's name: `drop..`, `sample..`, and the tail about the rest.
pub(crate) fn by_name(request: &SamplingRequest<'_>) -> SamplingResult {
    match request.name {
        name if name.starts_with("drop") => SamplingResult::drop(),
        name if name.starts_with("sample") => SamplingResult::sample(),
        _ => SamplingResult::record(),
    }
}

pub(crate) fn keep_errors(trace: &TraceView<'_>) -> Verdict {
    if trace.has_errors() { Verdict::keep() } else { Verdict::pass() }
}

/// The names of a trace's spans in the order they started.
pub(crate) fn names(trace: &Trace) -> Vec<&str> {
    trace.spans().map(SpanRef::operation_name).collect()
}

/// The names of every exported trace, in alphabetical order of traces.
pub(crate) fn exported(memory: &InMemoryExporter) -> Vec<Vec<String>> {
    let own = |trace: &Trace| names(trace).into_iter().map(str::to_owned).collect();
    let mut traces: Vec<Vec<String>> = memory.traces().iter().map(own).collect();
    traces.sort();
    traces
}

/// The account, which must balance.
#[track_caller]
pub(crate) fn settled(pipeline: &Pipeline) -> Stats {
    let stats = pipeline.stats();
    assert!(stats.balances(), "{stats}");
    stats
}

/// An exporter that is a closure.
pub(crate) struct Export<F>(pub(crate) F);

#[async_trait]
impl<F> Exporter for Export<F>
where
    F: Fn(Batch) -> Result<(), ExportError> + Send + Sync,
{
    async fn export(&self, batch: Batch) -> Result<(), ExportError> {
        (self.0)(batch)
    }

    fn batching(&self) -> tailtrace::export::Batching {
        tailtrace::export::Batching::immediate()
    }
}
