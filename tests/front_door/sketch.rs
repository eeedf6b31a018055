//! The program and the three tests of the first sketch of this crate, with the differences of the table in the book's
//! decisions and no others.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use tailtrace::export::{Batch, ExportError};
use tailtrace::{
    Exporter, FixedRateSampler, LogLevel, SpanId, Trace, TraceContext, TraceId, Tracer,
};

const PLENTY: Duration = Duration::from_secs(60);

struct TestExporter {
    exported_traces: Arc<Mutex<Vec<Trace>>>,
}

impl TestExporter {
    fn new() -> Self {
        Self { exported_traces: Arc::new(Mutex::new(Vec::new())) }
    }

    fn get_traces(&self) -> Vec<Trace> {
        self.exported_traces.lock().unwrap().clone()
    }
}

#[async_trait]
impl Exporter for TestExporter {
    async fn export(&self, batch: Batch) -> Result<(), ExportError> {
        self.exported_traces.lock().unwrap().extend(batch);
        Ok(())
    }
}

#[test]
fn the_usage_example_runs() -> Result<(), Box<dyn std::error::Error>> {
    // Create tracer
    let sampler = FixedRateSampler::new(1.0)?;
    let exporter = Arc::new(TestExporter::new());
    let tracer = Tracer::new("example-service".to_string(), sampler, Box::new(exporter.clone()));

    // Simulate incoming HTTP request
    let mut headers = HashMap::new();
    headers.insert(
        "traceparent".to_string(),
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".to_string(),
    );
    let parent_context = tracer.extract_context(&headers);

    // Create root span
    let root_span = if let Some(context) = parent_context {
        tracer.span_builder("handle_request").with_parent_context(&context)
    } else {
        tracer.span_builder("handle_request")
    }
    .with_tag("http.method", "GET")
    .with_tag("http.url", "/api/orders")
    .start();

    // Simulate some work
    {
        let db_span = tracer
            .span_builder("database_query")
            .with_parent_context(root_span.context())
            .with_tag("db.statement", "SELECT * FROM orders")
            .with_tag("db.type", "postgresql")
            .start();
        db_span.log(LogLevel::Info, "Query executed successfully");
        db_span.finish();
    }

    // Simulate external API call
    {
        let api_span = tracer
            .span_builder("external_api")
            .with_parent_context(root_span.context())
            .with_tag("http.method", "POST")
            .with_tag("http.url", "https://api.payment.com/charge")
            .start();
        let error = std::io::Error::new(std::io::ErrorKind::TimedOut, "Request timeout");
        api_span.set_error(&error);
        api_span.finish();
    }

    root_span.log(LogLevel::Info, "Request completed");
    root_span.finish();
    tracer.flush(PLENTY)?;

    let traces = exporter.get_traces();
    assert_eq!(traces[0].trace_id().to_hex(), "4bf92f3577b34da6a3ce929d0e0e4736");
    assert_eq!(traces[0].span_count(), 3);
    assert!(traces[0].has_errors());
    Ok(())
}

#[test]
fn test_basic_tracing() {
    let sampler = FixedRateSampler::new(1.0).unwrap(); // 100% sampling
    let exporter = Arc::new(TestExporter::new());
    let tracer = Tracer::new("test-service".to_string(), sampler, exporter.clone());

    let span = tracer.span_builder("test_operation").with_tag("test.tag", "test_value").start();
    span.log(LogLevel::Info, "Test log message");
    span.finish();
    tracer.flush(PLENTY).unwrap();

    let traces = exporter.get_traces();
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
    let exporter = Arc::new(TestExporter::new());
    let tracer = Tracer::new("test-service".to_string(), sampler, exporter.clone());

    let span = tracer.start_span("test_operation");
    drop(span);
    tracer.flush(PLENTY).unwrap();

    assert_eq!(exporter.get_traces().len(), 0); // Should be sampled out
}

#[test]
fn test_context_propagation() {
    let trace_id = TraceId::new();
    let parent_span_id = SpanId::new();
    let parent_context = TraceContext::new(trace_id, parent_span_id);

    let sampler = FixedRateSampler::new(1.0).unwrap();
    let exporter = Arc::new(TestExporter::new());
    let tracer = Tracer::new("test-service".to_string(), sampler, exporter.clone());

    let span = tracer.start_span_with_context("child_operation", &parent_context);
    drop(span);
    tracer.flush(PLENTY).unwrap();

    let traces = exporter.get_traces();
    assert_eq!(traces.len(), 1);
    let trace = &traces[0];
    assert_eq!(trace.trace_id(), trace_id);
    let span = trace.spans().next().unwrap();
    assert_eq!(span.parent_span_id(), Some(parent_span_id));
}
