//! Every span is exported, by the SDK.

use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::logs::InMemoryLogExporter;
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider};
use swap_logs::{Result, bridge, order, told};
use tracing_subscriber::{layer::SubscriberExt, util::SubscriberInitExt};

fn main() -> Result<()> {
    let (exporter, records) = (InMemorySpanExporter::default(), InMemoryLogExporter::default());
    let provider = SdkTracerProvider::builder().with_batch_exporter(exporter.clone()).build();
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("shop"));
    tracing_subscriber::registry().with(layer).with(bridge(&records)).init();

    order(7);

    provider.force_flush()?;
    print!("{}", told(&exporter.get_finished_spans()?, &records)?);
    Ok(())
}
