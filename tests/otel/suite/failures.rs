//! Which spans of the SDK have failed.

use opentelemetry::KeyValue;
use opentelemetry::trace::{Span as _, Status, Tracer as _, TracerProvider as _};
use tailtrace::{Errors, InMemoryExporter, Pipeline, TailPolicy};

use super::release_line;
use super::support::shop;

/// The names of the spans that a tail keeps, of which three logged an error.
fn kept_by(tail: impl TailPolicy + 'static) -> Vec<(String, bool, bool)> {
    let memory = InMemoryExporter::new();
    let builder = Pipeline::builder("pipeline").with_tail(tail);
    let pipeline = builder.with_exporter(memory.clone()).start().unwrap();
    let provider = shop(&pipeline);
    let tracer = provider.tracer("lib");
    for (name, level) in [("ok", "ERROR"), ("unset", "error"), ("warned", "WARN")] {
        let mut span = tracer.start(name);
        span.add_event("said", vec![KeyValue::new("level", level)]);
        if name == "ok" {
            span.set_status(Status::Ok);
        }
        span.end();
    }
    let mut failed = tracer.start("failed");
    failed.set_status(Status::error("declined"));
    failed.end();
    release_line::flush(&provider).unwrap();
    let traces = memory.traces();
    let spans = traces.iter().flat_map(tailtrace::Trace::spans);
    let mut kept: Vec<_> = spans
        .map(|span| (span.operation_name().to_owned(), span.failed(), span.has_error_status()))
        .collect();
    kept.sort();
    kept
}

#[test]
fn an_event_whose_level_is_error_fails_a_span_of_the_sdk() {
    let failed = |name: &str, has_error_status| (name.to_owned(), true, has_error_status);
    let expected = [failed("failed", true), failed("ok", false), failed("unset", false)];
    assert_eq!(kept_by(Errors), expected);
}

#[test]
fn by_status_the_events_of_the_sdk_do_not_count() {
    assert_eq!(kept_by(Errors::by_status()), [("failed".to_owned(), true, true)]);
}
