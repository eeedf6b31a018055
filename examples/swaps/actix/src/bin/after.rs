//! The tail decides what is exported, and keeps this visit, in which an order failed. The line of OpenTelemetry is an older one, so
//! the call is that of its crate.

use std::time::Duration;

use opentelemetry_sdk::trace::InMemorySpanExporter;
use swap_actix::{Result, filter, tree, visit};
use tailtrace::{Errors, Pipeline, TailSampler};
use tailtrace_otel_0_32::{OtelExporter, install};
use tracing_subscriber::{Layer, layer::SubscriberExt, util::SubscriberInitExt};

#[actix_web::main]
async fn main() -> Result<()> {
    let exporter = InMemorySpanExporter::default(); // In your program, that of OTLP.
    let pipeline = Pipeline::builder("shop").with_tail(TailSampler::new().keep(Errors));
    let pipeline = pipeline.with_exporter(OtelExporter::new(exporter.clone())).start()?;
    let tracer = install(&pipeline);
    let layer = tracing_opentelemetry::layer().with_tracer(tracer);
    tracing_subscriber::registry().with(layer.with_filter(filter())).init();

    visit().await?;

    pipeline.flush(Duration::from_secs(5))?;
    print!("{}", tree(&exporter.get_finished_spans()?));
    Ok(())
}
