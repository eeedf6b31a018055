//! features: jaeger
//! An order whose charge fails, sent to Jaeger by OTLP, and where to look at it there:
//! `cargo run --example jaeger --features jaeger -- http://localhost:4317`
//! A Jaeger to look at: `docker run --rm -p 4317:4317 -p 16686:16686 jaegertracing/jaeger`
//!
//! Without an address nothing is sent: the trace is drawn instead.

use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use tailtrace::pipeline::PipelineBuilder;
use tailtrace::{
    ConsoleExporter, Errors, JaegerExporter, LogLevel, Pipeline, SpanKind, TailSampler, TraceId,
    Tracer,
};

fn main() -> ExitCode {
    // Says on standard error what the pipeline has to say: why an exporter fails, for one.
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let address = std::env::args().nth(1);
    match run(address.as_deref()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("the trace was not delivered: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(address: Option<&str>) -> Result<(), Box<dyn Error>> {
    let builder = Pipeline::builder("shop").with_tail(TailSampler::new().keep(Errors));
    let pipeline = exporting(builder, address)?.start()?;
    let id = place_order(&pipeline.tracer());
    // Waits until Jaeger has said that it took the trace.
    pipeline.shutdown(Duration::from_secs(5))?;
    match address.and_then(host) {
        Some(host) => println!("look at it: http://{host}:16686/trace/{id}"),
        None => println!(
            "Nothing was sent. To send it, give the address of a Jaeger, such as http://localhost:4317"
        ),
    }
    Ok(())
}

fn exporting(
    builder: PipelineBuilder,
    address: Option<&str>,
) -> Result<PipelineBuilder, Box<dyn Error>> {
    Ok(match address {
        Some(address) => builder.with_exporter(JaegerExporter::new(address)?),
        None => builder
            .with_exporter(ConsoleExporter::builder().with_tags(true).with_logs(true).build()),
    })
}

fn place_order(tracer: &Tracer) -> TraceId {
    let order = tracer.span_builder("POST /orders").with_kind(SpanKind::Server).start();
    order.set_tag("order.id", 4711);
    order.child("INSERT INTO orders").set_tag("db.system.name", "postgresql");
    let charge = order.child("charge_card");
    charge.log(LogLevel::Warn, "the bank is slow");
    charge.set_error(&std::io::Error::other("card declined"));
    order.context().trace_id
}

/// The host of `http://host:port/path`.
fn host(address: &str) -> Option<&str> {
    let authority = address.split("://").nth(1)?.split('/').next()?;
    Some(authority.rsplit_once(':').map_or(authority, |(host, _)| host))
}
