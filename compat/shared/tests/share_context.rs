//! The layer's spans in the contexts of the line.

use opentelemetry::Context;
use opentelemetry::baggage::BaggageExt;
use opentelemetry::trace::{TraceContextExt, Tracer as _, TracerProvider as _};
use tailtrace::{InMemoryExporter, Pipeline, TraceSpanExt};
use tracing::info_span;
use tracing_subscriber::prelude::*;

use crate::adapter::{HeadSampler, TailSpanProcessor, from_context, share_context, to_context};
use crate::suite::release_line;

fn pipeline(memory: &InMemoryExporter) -> Pipeline {
    let pipeline = Pipeline::builder("shop").with_sampler(tailtrace::AlwaysOn);
    pipeline.with_exporter(memory.clone()).start().unwrap()
}

#[test]
fn a_log_bridge_finds_the_span_that_the_layer_has_on_the_thread() {
    let pipeline = pipeline(&InMemoryExporter::new());
    share_context(&pipeline);
    let _default = tracing_subscriber::registry().with(pipeline.layer()).set_default();
    let seen = || Context::current().span().span_context().clone();
    assert!(!seen().is_valid());
    let order = info_span!("order");
    order.set_baggage("tenant", "acme").unwrap();
    let order = order.entered();
    assert_eq!(Some(seen().trace_id().to_string()), order.trace_id().map(|id| id.to_hex()));
    let member = Context::current().baggage().get("tenant").map(ToString::to_string);
    assert_eq!(member.as_deref(), Some("acme"));
    info_span!("charge").in_scope(|| assert_ne!(seen().span_id().to_string(), ""));
    assert_eq!(Some(seen().span_id().to_string()), order.span_id().map(|id| id.to_hex()));
    drop(order);
    assert!(!seen().is_valid());
}

#[test]
fn spans_of_the_line_and_of_the_layer_are_parents_of_each_other() {
    let memory = InMemoryExporter::new();
    let pipeline = pipeline(&memory);
    share_context(&pipeline);
    let _default = tracing_subscriber::registry().with(pipeline.layer()).set_default();
    let tail = TailSpanProcessor::new(&pipeline);
    let provider = release_line::provider_of("shop", HeadSampler::new(&pipeline), tail);
    info_span!("order").in_scope(|| {
        provider.tracer("library").in_span("POST /charges", |context| {
            context.span().set_attribute(opentelemetry::KeyValue::new("attempt", 1));
            drop(info_span!("sign"));
        });
        Context::current().span().update_name("order 7");
    });
    release_line::flush(&provider).unwrap();
    let traces = memory.traces();
    let ids: Vec<_> = traces.iter().map(|trace| trace.trace_id()).collect();
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    let spans: Vec<_> = traces.iter().flat_map(|trace| trace.spans()).collect();
    let find = |name| *spans.iter().find(|span| span.operation_name() == name).unwrap();
    assert_eq!(find("POST /charges").parent_span_id(), Some(find("order 7").span_id()));
    assert_eq!(find("sign").parent_span_id(), Some(find("POST /charges").span_id()));
}

#[test]
fn contexts_are_converted_there_and_back() {
    let pipeline = pipeline(&InMemoryExporter::new());
    let order = pipeline.tracer().start_span("order");
    let context = to_context(order.context());
    assert_eq!(from_context(&context).unwrap().span_id, order.context().span_id);
}
