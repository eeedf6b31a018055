//! Every span is exported, by the SDK.

use opentelemetry::global;
use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider};
use swap_actix::{Result, filter, tree, visit};
use tracing_subscriber::{Layer, layer::SubscriberExt, util::SubscriberInitExt};

#[actix_web::main]
async fn main() -> Result<()> {
    let exporter = InMemorySpanExporter::default(); // In your program, that of OTLP.
    let provider = SdkTracerProvider::builder().with_batch_exporter(exporter.clone()).build();
    let tracer = provider.tracer("shop");
    global::set_tracer_provider(provider.clone());
    global::set_text_map_propagator(TraceContextPropagator::new());
    let layer = tracing_opentelemetry::layer().with_tracer(tracer);
    tracing_subscriber::registry().with(layer.with_filter(filter())).init();

    visit().await?;

    provider.force_flush()?;
    print!("{}", tree(&exporter.get_finished_spans()?));
    Ok(())
}
