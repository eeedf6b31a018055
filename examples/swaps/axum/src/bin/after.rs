//! The tail decides what is exported; here it keeps everything, so that there is something to compare.

use std::time::Duration;

use axum::BoxError;
use opentelemetry_sdk::trace::InMemorySpanExporter;
use tailtrace::otel::{self, OtelExporter};
use tailtrace::{Errors, Pipeline, SlowerThan, TailSampler};
use tracing_subscriber::{Layer, layer::SubscriberExt, util::SubscriberInitExt};

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let exporter = InMemorySpanExporter::default(); // In your program, that of OTLP.
    let tail = TailSampler::new().keep(Errors).keep(SlowerThan(Duration::ZERO));
    let pipeline = Pipeline::builder("shop").with_tail(tail);
    let pipeline = pipeline.with_exporter(OtelExporter::new(exporter.clone())).start()?;
    let tracer = otel::install(&pipeline);
    let layer = tracing_opentelemetry::layer().with_tracer(tracer);
    tracing_subscriber::registry().with(layer.with_filter(swap_axum::filter())).init();

    swap_axum::visit().await?;

    pipeline.flush(Duration::from_secs(5))?;
    print!("{}", swap_axum::tree(&exporter.get_finished_spans()?));
    Ok(())
}
