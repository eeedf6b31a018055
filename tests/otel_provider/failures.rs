//! Which spans of the provider have failed.

use std::panic::{AssertUnwindSafe, catch_unwind};

use opentelemetry::KeyValue;
use opentelemetry::trace::{Span as _, Status, Tracer as _};
use tailtrace::record::RecordLimits;
use tailtrace::{Errors, Pipeline};

use super::support::Outcome;
use super::world::trace_with;

/// What a program left that has failed, in traces of one span and a spare one for errors.
fn failed(program: impl FnOnce(&tailtrace::otel::Tracer)) -> Outcome {
    let limits = RecordLimits::default().with_spans_per_trace(1);
    let builder = Pipeline::builder("otel").with_tail(Errors).with_limits(limits);
    trace_with(builder, |_, tracer| program(tracer))
}

#[test]
fn an_event_whose_level_is_error_fails_its_span_whatever_the_status() {
    let outcome = failed(|tracer| {
        let mut span = tracer.start("recovered");
        span.set_status(Status::Ok);
        span.add_event("lost", vec![KeyValue::new("level", "ERROR")]);
        drop(span);
        tracer.start("warned").add_event("slow", vec![KeyValue::new("level", "WARN")]);
        tracer.start("recorded").record_error(&std::io::Error::other("declined"));
    });
    assert_eq!(outcome.names(), ["recovered", "recorded"]);
    assert!(outcome.spans().all(|span| span.failed() && !span.has_error_status()));
}

#[test]
fn an_event_whose_level_is_error_puts_a_span_beyond_the_limit_on_record() {
    let outcome = failed(|tracer| {
        let root = tracing::info_span!("root").entered();
        let mut child = tracer.start("child");
        child.add_event("lost", vec![KeyValue::new("level", "ERROR")]);
        drop(child);
        drop(root);
    });
    assert_eq!(outcome.names(), ["root", "child"]);
}

#[test]
fn a_panic_fails_the_span_it_passes_through() {
    let outcome = failed(|tracer| {
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            let _span = tracer.start("panicked");
            panic!("passes through");
        }));
        assert!(panicked.is_err());
        drop(tracer.start("fine"));
    });
    assert_eq!(outcome.names(), ["panicked"]);
}
