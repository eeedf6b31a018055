//! tailtrace's pipeline, with its default limits.

use std::time::Duration;

use async_trait::async_trait;
use tailtrace::coherence::{Coherence, MemoryBus};
use tailtrace::export::{Batch, ExportError};
use tailtrace::pipeline::PipelineBuilder;
use tailtrace::record::RecordLimits;
use tailtrace::{
    Exporter, Pipeline, SamplingRequest, SamplingResult, SpanGuard, TraceView, Tracer, Verdict,
};

use crate::Job;

/// Drops what it is given.
pub struct Nowhere;

#[async_trait]
impl Exporter for Nowhere {
    async fn export(&self, _batch: Batch) -> Result<(), ExportError> {
        Ok(())
    }
}

/// A pipeline that exports to [`Nowhere`] what its tail keeps.
pub fn builder() -> PipelineBuilder {
    Pipeline::builder("benches").with_exporter(Nowhere)
}

/// Recorded, looked at by the tail and dropped.
pub fn dropped(shape: impl Fn(&Tracer) + Send + Sync + 'static) -> Job {
    dropped_by(builder(), shape)
}

/// The same without the ring that holds dropped traces for a while: what the ring costs, in memory
/// that is no longer in a cache when it is used again.
pub fn dropped_at_once(shape: impl Fn(&Tracer) + Send + Sync + 'static) -> Job {
    dropped_by(with_ring(0), shape)
}

/// The same in a group of services that keep their traces together, with a ring of the same size.
pub fn dropped_coherent(shape: impl Fn(&Tracer) + Send + Sync + 'static) -> Job {
    // One byte more than the default, so that coherence leaves it as it is.
    let builder = with_ring(RecordLimits::default().ring_bytes + 1);
    dropped_by(builder.with_coherence(Coherence::new(MemoryBus::new())), shape)
}

/// A pipeline whose ring of dropped traces takes this many bytes.
pub fn with_ring(bytes: usize) -> PipelineBuilder {
    builder().with_limits(RecordLimits::default().with_ring_bytes(bytes))
}

/// Recorded by such a pipeline, looked at by its tail and dropped.
pub fn dropped_by(
    builder: PipelineBuilder,
    shape: impl Fn(&Tracer) + Send + Sync + 'static,
) -> Job {
    let (pipeline, tracer) = start(builder.with_tail(|_: &TraceView<'_>| Verdict::pass()));
    Job::new(move || {
        let _running = &pipeline;
        shape(&tracer);
    })
}

/// The same below a root that never ends, as a consumer's loop has: decided in parts.
pub fn dropped_in_parts(shape: impl Fn(&SpanGuard) + Send + Sync + 'static) -> Job {
    let (pipeline, tracer) = start(builder().with_tail(|_: &TraceView<'_>| Verdict::pass()));
    let root = tracer.start_span("consumer");
    Job::new(move || {
        let _running = &pipeline;
        shape(&root);
    })
}

/// Not recorded.
pub fn sampled_out(shape: impl Fn(&Tracer) + Send + Sync + 'static) -> Job {
    let (pipeline, tracer) =
        start(builder().with_sampler(|_: &SamplingRequest<'_>| SamplingResult::drop()));
    Job::new(move || {
        let _running = &pipeline;
        shape(&tracer);
    })
}

/// Recorded, kept by the tail and exported to nowhere.
pub fn kept(shape: impl Fn(&Tracer) + Send + Sync + 'static) -> Job {
    let (pipeline, tracer) = start(builder().with_tail(|_: &TraceView<'_>| Verdict::keep()));
    Job::new(move || shape(&tracer)).settling(10_000, move || {
        let exported = pipeline.flush(Duration::from_secs(60));
        assert!(exported.is_ok(), "spans were lost, which made them cheap");
    })
}

fn start(builder: PipelineBuilder) -> (Pipeline, Tracer) {
    let pipeline = builder.start().expect("this machine starts threads");
    let tracer = pipeline.tracer();
    (pipeline, tracer)
}
