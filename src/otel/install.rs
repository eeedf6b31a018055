//! One call for a program that keeps the layer of `tracing-opentelemetry`.

use opentelemetry::global;
use opentelemetry::trace::TracerProvider as _;

use super::adapter::Propagator;
use super::provider::{Tracer, TracerProvider};
use crate::pipeline::Pipeline;

/// Makes the pipeline OpenTelemetry's for the whole program, and gives a tracer for the layer of `tracing-opentelemetry`.
///
/// It sets the global provider and the global propagator, in the formats of W3C, and shares contexts. That layer and all
/// that is built on it (axum-tracing-opentelemetry, tonic-tracing-opentelemetry, reqwest-tracing,
/// tracing-actix-web) stay as they are; their spans are recorded by this crate, without the SDK, and the tail
/// decides.
///
/// ```no_run
/// use tailtrace::{ConsoleExporter, Errors, Pipeline, otel};
/// let pipeline =
///     Pipeline::builder("shop").with_tail(Errors).with_exporter(ConsoleExporter::stdout()).start()?;
/// let tracer = otel::install(&pipeline);
/// // tracing_subscriber::registry().with(tracing_opentelemetry::layer().with_tracer(tracer)).init();
/// # let _ = tracer;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "the layer of `tracing-opentelemetry` takes the tracer: `layer().with_tracer(tracer)`"]
pub fn install(pipeline: &Pipeline) -> Tracer {
    let provider = TracerProvider::new(pipeline);
    let tracer = provider.tracer("tracing");
    global::set_tracer_provider(provider);
    global::set_text_map_propagator(Propagator::default());
    tracer
}
