//! The OpenTelemetry SDK.

use std::time::Duration;

use opentelemetry::Context;
use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracer, SdkTracerProvider, Span, SpanData,
    SpanExporter, SpanProcessor,
};

use tailtrace::otel::{OtelExporter, TailSpanProcessor};
use tailtrace::{Pipeline, TraceView, Verdict};

use crate::Job;

/// Drops what it is given: a processor at the end of each span, an exporter by the batch.
#[derive(Debug)]
pub struct Nowhere;

impl SpanProcessor for Nowhere {
    fn on_start(&self, _span: &mut Span, _cx: &Context) {}

    fn on_end(&self, _span: SpanData) {}

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _timeout: Duration) -> OTelSdkResult {
        Ok(())
    }
}

impl SpanExporter for Nowhere {
    async fn export(&self, _batch: Vec<SpanData>) -> OTelSdkResult {
        Ok(())
    }
}

/// Dropped by a processor at the end of each span.
pub fn ended(shape: impl Fn(&SdkTracer) + Send + Sync + 'static) -> Job {
    let provider = SdkTracerProvider::builder().with_span_processor(Nowhere).build();
    let tracer = provider.tracer("benches");
    Job::new(move || {
        let _running = &provider;
        shape(&tracer);
    })
}

/// Queued, batched and exported to nowhere by a background thread, with the default settings. The
/// queue holds 2,048 spans.
pub fn batched(shape: impl Fn(&SdkTracer) + Send + Sync + 'static) -> Job {
    let provider = SdkTracerProvider::builder().with_batch_exporter(Nowhere).build();
    let tracer = provider.tracer("benches");
    Job::new(move || shape(&tracer)).settling(1_000, move || {
        provider.force_flush().expect("nowhere takes everything");
    })
}

/// A provider whose batch processor queues so many spans for an exporter to nowhere.
pub fn batching(spans: usize) -> SdkTracerProvider {
    let config = BatchConfigBuilder::default().with_max_queue_size(spans).build();
    let processor = BatchSpanProcessor::builder(Nowhere).with_batch_config(config).build();
    SdkTracerProvider::builder().with_span_processor(processor).build()
}

/// Recorded for a tail of ours, which drops everything.
pub fn tail_dropped(shape: impl Fn(&SdkTracer) + Send + Sync + 'static) -> Job {
    let builder = super::pipeline::builder();
    let pipeline = builder.with_tail(|_: &TraceView<'_>| Verdict::pass()).start();
    let pipeline = pipeline.expect("this machine starts threads");
    let (tracer, provider) = under_tail(&pipeline);
    Job::new(move || {
        let _running = &provider;
        shape(&tracer);
    })
}

/// Kept by a tail of ours, and exported to nowhere as OpenTelemetry's spans.
pub fn tail_kept(shape: impl Fn(&SdkTracer) + Send + Sync + 'static) -> Job {
    let builder = Pipeline::builder("benches").with_exporter(OtelExporter::new(Nowhere));
    let pipeline = builder.with_tail(|_: &TraceView<'_>| Verdict::keep()).start();
    let pipeline = pipeline.expect("this machine starts threads");
    let (tracer, provider) = under_tail(&pipeline);
    Job::new(move || shape(&tracer)).settling(1_000, move || {
        provider.force_flush().expect("nowhere takes everything");
    })
}

pub fn under_tail(pipeline: &Pipeline) -> (SdkTracer, SdkTracerProvider) {
    let processor = TailSpanProcessor::new(pipeline);
    let provider = SdkTracerProvider::builder().with_span_processor(processor).build();
    (provider.tracer("benches"), provider)
}

/// Not recorded.
pub fn sampled_out(shape: impl Fn(&SdkTracer) + Send + Sync + 'static) -> Job {
    let provider = SdkTracerProvider::builder()
        .with_sampler(Sampler::ParentBased(Box::new(Sampler::AlwaysOff)))
        .with_span_processor(Nowhere)
        .build();
    let tracer = provider.tracer("benches");
    Job::new(move || {
        let _running = &provider;
        shape(&tracer);
    })
}
