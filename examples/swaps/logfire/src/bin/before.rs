//! Every span is exported, by the SDK.

use opentelemetry_sdk::trace::{BatchSpanProcessor, InMemorySpanExporter};
use swap_logfire::{logfire, tree, visit};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let exporter = InMemorySpanExporter::default(); // In your program, that of OTLP.
    let batches = BatchSpanProcessor::builder(exporter.clone()).build();
    let logfire = logfire().with_additional_span_processor(batches).finish()?;

    visit();

    logfire.force_flush()?;
    print!("{}", tree(&exporter.get_finished_spans()?));
    logfire.shutdown()?;
    Ok(())
}
