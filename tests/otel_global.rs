//! The program's default tracer provider, which can be set once for a process.

use std::time::Duration;

use opentelemetry::trace::{Span as _, TraceContextExt, Tracer as _};
use opentelemetry::{Context, KeyValue, global};
use tailtrace::testing::tree;
use tailtrace::{AlwaysOn, InMemoryExporter, Pipeline, otel};
use tracing::info_span;
use tracing_subscriber::prelude::*;

#[test]
fn libraries_that_use_the_default_tracer_reach_the_pipeline() {
    let memory = InMemoryExporter::new();
    let pipeline = Pipeline::builder("global")
        .with_sampler(AlwaysOn)
        .with_exporter(memory.clone())
        .start()
        .unwrap();
    // A tracer that a library asked for before is not of this provider.
    let before = global::tracer("early");
    assert!(!before.start("lost").span_context().is_valid());
    global::set_tracer_provider(otel::TracerProvider::new(&pipeline));
    tracing_subscriber::registry().with(pipeline.layer()).init();

    let tracer = global::tracer("");
    info_span!("handler").in_scope(|| {
        let mut span = tracer.start("boxed");
        span.set_attribute(KeyValue::new("k", 1));
        let context = Context::current_with_span(span);
        context.span().add_event("sent", Vec::new());
        drop(tracer.start_with_context("child", &context));
        context.span().end();
        assert!(!context.span().is_recording());
    });
    pipeline.shutdown(Duration::from_secs(30)).unwrap();
    let traces: Vec<String> = memory.traces().iter().map(tree).collect();
    let expected = "\
handler
└─ boxed k=1
   │    info: \"sent\"
   └─ child";
    assert_eq!(traces, [expected]);
    assert!(pipeline.stats().balances());
}
