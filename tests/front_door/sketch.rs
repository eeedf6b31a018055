//! The three tests of the first sketch of this crate, with the differences of the table in the book's decisions.

use std::time::Duration;

use tailtrace::{
    FixedRateSampler, InMemoryExporter, LogLevel, SpanId, TraceContext, TraceId, Tracer,
};

const PLENTY: Duration = Duration::from_secs(60);

#[test]
fn test_basic_tracing() {
    let sampler = FixedRateSampler::new(1.0).unwrap(); // 100% sampling
    let exporter = InMemoryExporter::new();
    let tracer = Tracer::new("test-service".to_string(), sampler, exporter.clone());

    let span = tracer.span_builder("test_operation").with_tag("test.tag", "test_value").start();
    span.log(LogLevel::Info, "Test log message");
    span.finish();
    tracer.flush(PLENTY).unwrap();

    let traces = exporter.traces();
    assert_eq!(traces.len(), 1);
    let trace = &traces[0];
    assert_eq!(trace.span_count(), 1);
    let span = trace.spans().next().unwrap();
    assert_eq!(span.operation_name(), "test_operation");
    assert_eq!(span.tag("test.tag").unwrap().as_str(), Some("test_value"));
    assert_eq!(span.logs().count(), 1);
}

#[test]
fn test_sampling() {
    let sampler = FixedRateSampler::new(0.0).unwrap(); // 0% sampling
    let exporter = InMemoryExporter::new();
    let tracer = Tracer::new("test-service".to_string(), sampler, exporter.clone());

    let span = tracer.start_span("test_operation");
    drop(span);
    tracer.flush(PLENTY).unwrap();

    assert_eq!(exporter.traces().len(), 0); // Should be sampled out
}

#[test]
fn test_context_propagation() {
    let trace_id = TraceId::new();
    let parent_span_id = SpanId::new();
    let parent_context = TraceContext::new(trace_id, parent_span_id);

    let sampler = FixedRateSampler::new(1.0).unwrap();
    let exporter = InMemoryExporter::new();
    let tracer = Tracer::new("test-service".to_string(), sampler, exporter.clone());

    let span = tracer.start_span_with_context("child_operation", &parent_context);
    drop(span);
    tracer.flush(PLENTY).unwrap();

    let traces = exporter.traces();
    assert_eq!(traces.len(), 1);
    let trace = &traces[0];
    assert_eq!(trace.trace_id(), trace_id);
    let span = trace.spans().next().unwrap();
    assert_eq!(span.parent_span_id(), Some(parent_span_id));
}
