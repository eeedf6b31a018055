//! One call for a program that keeps the layer of `tracing-opentelemetry`.

use opentelemetry::global;
use opentelemetry::trace::TracerProvider as _;

use opentelemetry_sdk::Resource;
#[cfg(before_0_27)]
use opentelemetry_sdk::trace::Config;
#[cfg(before_0_28)]
use opentelemetry_sdk::trace::{Builder, Tracer as SdkTracer, TracerProvider as SdkTracerProvider};
#[cfg(not(before_0_28))]
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider, TracerProviderBuilder as Builder};

use super::release_line;
use super::{HeadSampler, Propagator, TailSpanProcessor, share_context};
use crate::pipeline::Pipeline;

/// Makes the pipeline OpenTelemetry's for the whole program, and gives a tracer for the layer of `tracing-opentelemetry`.
///
/// It sets the global provider, which is the SDK's with [`HeadSampler`] and [`TailSpanProcessor`], and the global
/// propagator, in the formats of W3C. That layer and all that is built on it (axum-tracing-opentelemetry,
/// tonic-tracing-opentelemetry, reqwest-tracing, tracing-actix-web) stay as they are, and so do libraries that ask for
/// the global tracer; the tail decides about their spans. The resource is the pipeline's. It [shares contexts](share_context),
/// for a program that has our layer as well.
///
/// The provider does not keep the pipeline running: hold the [`Pipeline`] in `main`, and flush and shut down that. Spans
/// that start after its shutdown still go on to the next service.
///
/// # What it costs
/// What the SDK costs, and about 1,600 instructions for a bare span that the tail drops; the layer and the SDK take five
/// times as much.
///
#[cfg_attr(not(older_line), doc = include_str!("examples/install.md"))]
#[must_use = "the layer of `tracing-opentelemetry` takes the tracer: `layer().with_tracer(tracer)`"]
pub fn install(pipeline: &Pipeline) -> SdkTracer {
    share_context(pipeline);
    let tail = TailSpanProcessor::beside(pipeline);
    let provider = with_head(HeadSampler::new(pipeline)).with_span_processor(tail).build();
    let tracer = provider.tracer("tracing");
    global::set_tracer_provider(provider);
    global::set_text_map_propagator(Propagator::default());
    tracer
}

/// A provider without a resource of its own.
#[cfg(before_0_27)]
fn with_head(head: HeadSampler) -> Builder {
    let config = Config::default().with_sampler(head);
    SdkTracerProvider::builder().with_config(config.with_resource(no_resource()))
}

#[cfg(not(before_0_27))]
fn with_head(head: HeadSampler) -> Builder {
    SdkTracerProvider::builder().with_sampler(head).with_resource(no_resource())
}

fn no_resource() -> Resource {
    release_line::resource(Vec::new(), None)
}
