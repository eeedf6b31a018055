//! What the second switch loses where contexts are not shared: the layer tells it, and the records have no ids.

use std::time::Duration;

use opentelemetry_sdk::logs::InMemoryLogExporter;
use opentelemetry_sdk::trace::InMemorySpanExporter;
use swap_logs::{Result, bridge, order, told};
use tailtrace::{Errors, Pipeline, TailSampler, otel::OtelExporter};
use tracing_subscriber::{layer::SubscriberExt, util::SubscriberInitExt};

fn main() -> Result<()> {
    let (exporter, records) = (InMemorySpanExporter::default(), InMemoryLogExporter::default());
    let pipeline = Pipeline::builder("shop").with_tail(TailSampler::new().keep(Errors));
    let pipeline = pipeline.with_exporter(OtelExporter::new(exporter.clone())).start()?;
    // The layer sees what stands below it.
    let below = tracing_subscriber::registry().with(bridge(&records));
    below.with(pipeline.layer()).init();

    order(7);

    pipeline.shutdown(Duration::from_secs(5))?;
    print!("{}", told(&exporter.get_finished_spans()?, &records)?);
    Ok(())
}
