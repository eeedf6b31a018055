//! features: otel
//!
//! A handler traced by `tracing` calls a library that is instrumented with OpenTelemetry's API, which
//! calls back into code traced by `tracing`: one connected trace.

use std::time::Duration;

use opentelemetry::trace::{SpanKind, TraceContextExt, Tracer};
use opentelemetry::{KeyValue, global};
use tailtrace::{AlwaysOn, ConsoleExporter, Pipeline, otel};
use tracing::{info, info_span, instrument};
use tracing_subscriber::prelude::*;

/// Somebody else's library. It knows OpenTelemetry's API and nothing of this program.
mod payments {
    use super::*;

    pub(crate) fn charge(cents: i64, sign: impl FnOnce()) {
        let tracer = global::tracer("payments");
        let call = tracer
            .span_builder("POST /charges")
            .with_kind(SpanKind::Client)
            .with_attributes([KeyValue::new("amount", cents)]);
        tracer.in_span_with_builder(call, |context| {
            sign();
            context.span().set_attribute(KeyValue::new("http.response.status_code", 201));
        });
    }
}

#[instrument]
fn place_order(id: u64) {
    info!("in stock");
    payments::charge(995, || drop(info_span!("sign_request")));
    // What is said about OpenTelemetry's current span is said about this one.
    opentelemetry::Context::current().span().add_event("paid", Vec::new());
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let pipeline = Pipeline::builder("checkout")
        .with_sampler(AlwaysOn)
        .with_exporter(ConsoleExporter::stdout())
        .start()?;
    global::set_tracer_provider(otel::TracerProvider::new(&pipeline));
    tracing_subscriber::registry().with(pipeline.layer()).init();

    place_order(4711);

    pipeline.shutdown(Duration::from_secs(5))?;
    println!("{}", pipeline.stats());
    Ok(())
}
