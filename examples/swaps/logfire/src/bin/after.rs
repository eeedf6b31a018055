//! The tail decides what is exported, and keeps this visit, in which an order failed. Our processor takes the place of
//! the batches, beside those of logfire and of the shop.

use opentelemetry_sdk::trace::InMemorySpanExporter;
use swap_logfire::{logfire, tree, visit};
use tailtrace::{Errors, Pipeline, TailSampler};
use tailtrace_otel_0_32::{OtelExporter, TailSpanProcessor};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let exporter = InMemorySpanExporter::default(); // In your program, that of OTLP.
    let pipeline = Pipeline::builder("shop").with_tail(TailSampler::new().keep(Errors));
    let pipeline = pipeline.with_exporter(OtelExporter::new(exporter.clone())).start()?;
    let tail = TailSpanProcessor::new(&pipeline);
    let logfire = logfire().with_additional_span_processor(tail).finish()?;

    visit();

    logfire.force_flush()?;
    print!("{}", tree(&exporter.get_finished_spans()?));
    logfire.shutdown()?; // Shuts the pipeline down, too.
    Ok(())
}
