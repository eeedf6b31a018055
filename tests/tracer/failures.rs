//! Which spans have failed: by their status, by an error that was logged, by a panic.

use std::panic::{AssertUnwindSafe, catch_unwind};

use tailtrace::model::Limits;
use tailtrace::record::RecordLimits;
use tailtrace::tail::ErrorsByStatus;
use tailtrace::{Errors, InMemoryExporter, LogLevel, Pipeline, SpanGuard, Status, Trace, Tracer};

use super::support::PLENTY;

/// What a program left that a tail kept.
fn kept_by(
    tail: impl tailtrace::TailPolicy + 'static,
    limits: RecordLimits,
    program: impl FnOnce(&Tracer),
) -> Vec<Trace> {
    let memory = InMemoryExporter::new();
    let builder = Pipeline::builder("test").with_tail(tail).with_limits(limits);
    let pipeline = builder.with_exporter(memory.clone()).start().unwrap();
    program(&pipeline.tracer());
    pipeline.flush(PLENTY).unwrap();
    memory.traces()
}

/// What a program left that has failed.
fn failed(program: impl FnOnce(&Tracer)) -> Vec<Trace> {
    kept_by(Errors, RecordLimits::default(), program)
}

/// Runs what panics.
fn panicking(program: impl FnOnce()) {
    assert!(catch_unwind(AssertUnwindSafe(program)).is_err());
}

#[test]
fn a_span_that_logged_an_error_has_failed_and_leaves_with_the_status_it_was_given() {
    let traces = failed(|tracer| {
        tracer.start_span("recovered").log(LogLevel::Error, "lost").set_status(Status::Ok);
        tracer.start_span("warned").log(LogLevel::Warn, "slow");
    });
    assert_eq!(traces.len(), 1);
    let root = traces[0].root().unwrap();
    assert_eq!((root.operation_name(), root.status()), ("recovered", Status::Ok));
    assert!(root.failed() && root.is_error() && !root.has_error_status());
    let alone = root.to_span();
    assert!(alone.failed() && alone.is_error() && traces[0].has_errors());
}

#[test]
fn a_status_that_ok_took_back_is_no_failure() {
    let traces = failed(|tracer| {
        let span = tracer.start_span("span");
        span.set_status(Status::error("first")).set_status(Status::Ok);
    });
    assert_eq!(traces.len(), 0);
}

#[test]
fn an_error_that_the_limit_of_log_entries_refuses_is_a_failure() {
    let limits = RecordLimits::default().with_span(Limits::default().with_logs(0));
    let traces = kept_by(Errors, limits, |tracer| {
        tracer.start_span("span").log(LogLevel::Error, "lost");
    });
    let root = traces[0].root().unwrap();
    assert_eq!((root.logs().count(), root.dropped_logs(), root.failed()), (0, 1, true));
}

#[test]
fn an_error_puts_a_span_beyond_the_limit_on_record() {
    let limits = RecordLimits::default().with_spans_per_trace(1);
    let traces = kept_by(Errors, limits, |tracer| {
        let root = tracer.start_span("root");
        drop(root.child("dropped"));
        root.child("failed").log(LogLevel::Error, "lost");
    });
    assert_eq!(super::names(&traces[0]), ["root", "failed"]);
    assert!(traces[0].spans().last().unwrap().failed());
}

#[test]
fn a_panic_fails_the_spans_it_passes_through_and_no_others() {
    let traces = failed(|tracer| {
        let root = tracer.start_span("root");
        panicking(|| {
            let handler = root.child("handler");
            drop(root.child("before"));
            let _inner = handler.child("inner");
            panic!("passes through");
        });
        drop(root.child("after"));
    });
    let failed: Vec<_> =
        traces[0].spans().filter(|span| span.failed()).map(|span| span.operation_name()).collect();
    assert_eq!(failed, ["handler", "inner"]);
    assert!(traces[0].spans().all(|span| span.status() == Status::Unset));
}

#[test]
fn a_panic_fails_a_span_beyond_the_limit() {
    let limits = RecordLimits::default().with_spans_per_trace(1);
    let traces = kept_by(Errors, limits, |tracer| {
        let root = tracer.start_span("root");
        panicking(|| {
            let _child = root.child("child");
            panic!("passes through");
        });
    });
    assert_eq!(super::names(&traces[0]), ["root", "child"]);
}

/// Traces its own drop.
struct Traced<'t>(&'t Tracer);

impl Drop for Traced<'_> {
    fn drop(&mut self) {
        let clean_up: SpanGuard = self.0.start_span("clean up");
        drop(clean_up.child("step"));
    }
}

#[test]
fn what_starts_while_a_thread_panics_has_not_failed() {
    let traces = failed(|tracer| {
        panicking(|| {
            let _traced = Traced(tracer);
            panic!("cleans up");
        });
    });
    assert_eq!(traces.len(), 0);
}

#[test]
fn by_status_neither_logs_nor_panics_are_failures() {
    let by_status: ErrorsByStatus = Errors::by_status();
    let traces = kept_by(by_status, RecordLimits::default(), |tracer| {
        tracer.start_span("logged").log(LogLevel::Error, "lost");
        panicking(|| {
            let _span = tracer.start_span("panicked");
            panic!("passes through");
        });
        tracer.start_span("failed").set_status(Status::error("declined"));
    });
    assert_eq!(traces.len(), 1);
    assert_eq!(super::names(&traces[0]), ["failed"]);
    assert_eq!(traces[0].kept_by(), "ErrorsByStatus");
}
