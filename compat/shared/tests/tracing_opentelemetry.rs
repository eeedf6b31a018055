//! `tracing-opentelemetry` of the line in front of our head and our tail.

use opentelemetry::trace::{Tracer as _, TracerProvider as _};
use tailtrace::{Errors, InMemoryExporter, LogLevel, Pipeline, TailSampler};
use tracing_subscriber::prelude::*;

use crate::adapter::{HeadSampler, TailSpanProcessor, install};
use crate::suite::release_line;

#[tracing::instrument]
fn ask_the_bank() {}

#[tracing::instrument]
fn charge(amount: u32) -> Result<(), String> {
    tracing::warn!(attempt = 2, "asking the bank");
    ask_the_bank();
    if amount > 10 { Err("declined".to_owned()) } else { Ok(()) }
}

fn order(amount: u32) {
    let span = tracing::info_span!(
        "order",
        otel.kind = "server",
        otel.status_code = tracing::field::Empty
    );
    let _entered = span.enter();
    if charge(amount).is_err() {
        span.record("otel.status_code", "ERROR");
    }
}

#[test]
fn what_tracing_opentelemetry_makes_is_decided_by_our_tail() {
    let memory = InMemoryExporter::new();
    let pipeline = Pipeline::builder("pipeline")
        .with_tail(TailSampler::new().keep(Errors))
        .with_exporter(memory.clone())
        .start()
        .unwrap();
    let tail = TailSpanProcessor::new(&pipeline);
    let provider = release_line::provider_of("shop", HeadSampler::new(&pipeline), tail);
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("app"));
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
        order(5);
        order(4711);
    });
    release_line::flush(&provider).unwrap();
    let traces = memory.traces();
    assert_eq!(traces.len(), 1, "the order that went well is dropped");
    let trace = &traces[0];
    assert_eq!(trace.resource().service_name(), "shop");
    let root = trace.root().unwrap();
    assert_eq!((root.operation_name(), root.kind()), ("order", tailtrace::SpanKind::Server));
    assert!(trace.has_errors());
    let charge = trace.spans().find(|span| span.operation_name() == "charge").unwrap();
    assert_eq!(charge.parent_span_id(), Some(root.span_id()));
    assert_eq!(charge.tag("amount").map(|amount| amount.to_string()).as_deref(), Some("4711"));
    let log = charge.logs().next().unwrap();
    assert_eq!((log.message(), log.level()), ("asking the bank", LogLevel::Warn));
    let stats = pipeline.stats();
    assert!(stats.balances(), "{stats}");
    assert_eq!((stats.started, stats.exported, stats.held), (6, 3, 3));
}

#[test]
fn one_call_keeps_the_layer_and_leaves_the_pipeline_to_the_program() {
    let memory = InMemoryExporter::new();
    let pipeline = Pipeline::builder("shop")
        .with_tail(TailSampler::new().keep(Errors))
        .with_exporter(memory.clone())
        .start()
        .unwrap();
    let layer = tracing_opentelemetry::layer().with_tracer(install(&pipeline));
    let _default = tracing_subscriber::registry().with(layer).set_default();
    order(5);
    order(4711);
    // The name of a library's own tracer goes to the same pipeline.
    opentelemetry::global::tracer("library").in_span("poll", |_| {});
    // What the program would lose if the provider kept the pipeline running.
    drop(pipeline);
    let traces = memory.traces();
    assert_eq!(traces.len(), 1);
    assert_eq!(traces[0].resource().service_name(), "shop");
    assert_eq!(traces[0].span_count(), 3);
}
