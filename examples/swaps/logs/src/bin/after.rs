//! The tail decides what is exported; records are sent all the same, with the ids of their traces.

use std::time::Duration;

use opentelemetry_sdk::logs::InMemoryLogExporter;
use opentelemetry_sdk::trace::InMemorySpanExporter;
use swap_logs::{Result, bridge, order, told};
use tailtrace::otel::{self, OtelExporter};
use tailtrace::{Errors, Pipeline, TailSampler};
use tracing_subscriber::{layer::SubscriberExt, util::SubscriberInitExt};

fn main() -> Result<()> {
    let (exporter, records) = (InMemorySpanExporter::default(), InMemoryLogExporter::default());
    let pipeline = Pipeline::builder("shop").with_tail(TailSampler::new().keep(Errors));
    let pipeline = pipeline.with_exporter(OtelExporter::new(exporter.clone())).start()?;
    let layer = tracing_opentelemetry::layer().with_tracer(otel::install(&pipeline));
    tracing_subscriber::registry().with(layer).with(bridge(&records)).init();

    order(7);

    pipeline.flush(Duration::from_secs(5))?;
    print!("{}", told(&exporter.get_finished_spans()?, &records)?);
    Ok(())
}
