//! Subscribers for what is traced with the macros of `tracing`: the registry and one layer.

use std::time::Duration;

use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::trace::{Sampler, SdkTracer, SdkTracerProvider};
use tailtrace::pipeline::PipelineBuilder;
use tailtrace::{AlwaysOff, Fraction, Pipeline, TailSampler};
use tracing::subscriber::Subscriber;
use tracing_opentelemetry::OpenTelemetryLayer;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::Registry;

use super::pipeline;
use super::sdk::{self, Nowhere};
use crate::Job;

/// A layer that does nothing: what `tracing` and the registry cost by themselves. A registry without
/// any layer would be no measure, because it never gives its spans back.
struct Empty;

impl<S: Subscriber> tracing_subscriber::Layer<S> for Empty {}

/// Not recorded by anybody.
pub fn empty(shape: impl Fn() + Send + Sync + 'static) -> Job {
    Job::new(shape).under(tracing_subscriber::registry().with(Empty))
}

/// `tracing-opentelemetry` with its default options; dropped by a processor at the end of each span.
pub fn opentelemetry(shape: impl Fn() + Send + Sync + 'static) -> Job {
    under_opentelemetry(Sampler::AlwaysOn, |layer| layer, shape)
}

/// `tracing-opentelemetry` with its default options; batched and exported to nowhere. The queue holds
/// all that is traced before the job settles.
pub fn opentelemetry_batched(shape: impl Fn() + Send + Sync + 'static) -> Job {
    let provider = sdk::batching(1 << 17);
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("benches"));
    Job::new(shape)
        .settling(100_000, move || provider.force_flush().expect("nowhere takes everything"))
        .under(tracing_subscriber::registry().with(layer))
}

/// The same without anything that an option can turn off.
pub fn opentelemetry_lean(shape: impl Fn() + Send + Sync + 'static) -> Job {
    under_opentelemetry(Sampler::AlwaysOn, lean, shape)
}

/// `tracing-opentelemetry` with its default options; not recorded.
pub fn opentelemetry_sampled_out(shape: impl Fn() + Send + Sync + 'static) -> Job {
    under_opentelemetry(Sampler::AlwaysOff, |layer| layer, shape)
}

/// The same without anything that an option can turn off.
pub fn opentelemetry_lean_sampled_out(shape: impl Fn() + Send + Sync + 'static) -> Job {
    under_opentelemetry(Sampler::AlwaysOff, lean, shape)
}

type OpenTelemetry = OpenTelemetryLayer<Registry, SdkTracer>;

fn lean(layer: OpenTelemetry) -> OpenTelemetry {
    layer
        .with_location(false)
        .with_threads(false)
        .with_target(false)
        .with_tracked_inactivity(false)
        .with_context_activation(false)
}

fn under_opentelemetry(
    sampler: Sampler,
    options: fn(OpenTelemetry) -> OpenTelemetry,
    shape: impl Fn() + Send + Sync + 'static,
) -> Job {
    let provider =
        SdkTracerProvider::builder().with_sampler(sampler).with_span_processor(Nowhere).build();
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("benches"));
    Job::new(move || {
        let _running = &provider;
        shape();
    })
    .under(tracing_subscriber::registry().with(options(layer)))
}

/// tailtrace; recorded, looked at by a tail without policies and dropped.
pub fn dropped(shape: impl Fn() + Send + Sync + 'static) -> Job {
    under_tailtrace(pipeline::builder().with_tail(TailSampler::new()), shape)
}

/// tailtrace; recorded by such a pipeline, looked at by a tail without policies and dropped.
pub fn dropped_by(builder: PipelineBuilder, shape: impl Fn() + Send + Sync + 'static) -> Job {
    under_tailtrace(builder.with_tail(TailSampler::new()), shape)
}

/// tailtrace; not recorded.
pub fn sampled_out(shape: impl Fn() + Send + Sync + 'static) -> Job {
    under_tailtrace(pipeline::builder().with_sampler(AlwaysOff), shape)
}

/// tailtrace; recorded, one trace of a hundred kept by the tail and exported to nowhere.
pub fn kept_1pct(shape: impl Fn() + Send + Sync + 'static) -> Job {
    let one_percent = Fraction::new(0.01).expect("it is a rate");
    under_tailtrace(pipeline::builder().with_tail(TailSampler::new().keep(one_percent)), shape)
}

fn under_tailtrace(builder: PipelineBuilder, shape: impl Fn() + Send + Sync + 'static) -> Job {
    let pipeline = builder.start().expect("this machine starts threads");
    let subscriber = tracing_subscriber::registry().with(pipeline.layer());
    // A layer may hold its pipeline weakly.
    Job::new(shape).settling(100_000, move || flush(&pipeline)).under(subscriber)
}

/// tailtrace's own subscriber; recorded, looked at by a tail without policies and dropped.
pub fn own_dropped(shape: impl Fn() + Send + Sync + 'static) -> Job {
    under_own(pipeline::builder().with_tail(TailSampler::new()), false, shape)
}

/// tailtrace's own subscriber; not recorded. What stands in such a trace may be disabled.
pub fn own_sampled_out(disables: bool, shape: impl Fn() + Send + Sync + 'static) -> Job {
    under_own(pipeline::builder().with_sampler(AlwaysOff), disables, shape)
}

fn under_own(
    builder: PipelineBuilder,
    disables: bool,
    shape: impl Fn() + Send + Sync + 'static,
) -> Job {
    let pipeline = builder.start().expect("this machine starts threads");
    let subscriber = pipeline.subscriber();
    let subscriber = if disables { subscriber.disabling() } else { subscriber };
    // A subscriber may hold its pipeline weakly.
    Job::new(shape).settling(100_000, move || flush(&pipeline)).under(subscriber)
}

fn flush(pipeline: &Pipeline) {
    let exported = pipeline.flush(Duration::from_secs(60));
    assert!(exported.is_ok(), "spans were lost, which made them cheap");
}
