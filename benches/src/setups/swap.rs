//! `tracing-opentelemetry` with its default options, whose spans reach a pipeline of ours.

use std::time::Duration;

use opentelemetry::trace::{Tracer, TracerProvider};
use tailtrace::otel::{self, OtelExporter};
use tailtrace::pipeline::PipelineBuilder;
use tailtrace::{Pipeline, TailSampler, TraceView, Verdict};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::Registry;

use super::{pipeline, sdk};
use crate::Job;

/// How the spans of the layer reach the pipeline.
#[derive(Clone, Copy, Debug)]
pub enum Way {
    /// By `otel::TracerProvider`.
    Provider,
    /// By the SDK, with `HeadSampler` and `TailSpanProcessor`.
    Sdk,
}

/// Looked at by a tail without policies and dropped.
pub fn dropped(way: Way, shape: impl Fn() + Send + Sync + 'static) -> Job {
    under(way, pipeline::builder().with_tail(TailSampler::new()), shape)
}

/// Kept, and exported to nowhere by an exporter of this crate.
pub fn kept(way: Way, shape: impl Fn() + Send + Sync + 'static) -> Job {
    let keep = |_: &TraceView<'_>| Verdict::keep();
    under(way, pipeline::builder().with_tail(keep), shape)
}

/// Kept, and exported to nowhere by an exporter of OpenTelemetry's.
pub fn kept_by_theirs(way: Way, shape: impl Fn() + Send + Sync + 'static) -> Job {
    let keep = |_: &TraceView<'_>| Verdict::keep();
    let exporter = OtelExporter::new(sdk::Nowhere);
    let builder = Pipeline::builder("benches").with_tail(keep).with_exporter(exporter);
    under(way, builder, shape)
}

fn under(way: Way, builder: PipelineBuilder, shape: impl Fn() + Send + Sync + 'static) -> Job {
    let pipeline = builder.start().expect("this machine starts threads");
    match way {
        Way::Provider => {
            let tracer = otel::TracerProvider::new(&pipeline).tracer("benches");
            traced(tracer, shape, move || flush(&pipeline))
        }
        Way::Sdk => {
            let (tracer, provider) = sdk::under_tail(&pipeline);
            traced(tracer, shape, move || {
                let _running = &provider;
                flush(&pipeline);
            })
        }
    }
}

fn traced<T>(
    tracer: T,
    shape: impl Fn() + Send + Sync + 'static,
    settle: impl Fn() + Send + Sync + 'static,
) -> Job
where
    T: Tracer + Send + Sync + 'static,
    T::Span: Send + Sync,
{
    let layer = tracing_opentelemetry::layer::<Registry>().with_tracer(tracer);
    Job::new(shape).settling(1_000, settle).under(tracing_subscriber::registry().with(layer))
}

fn flush(pipeline: &Pipeline) {
    let exported = pipeline.flush(Duration::from_secs(60));
    assert!(exported.is_ok(), "spans were lost, which made them cheap");
}
