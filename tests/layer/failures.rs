//! Which spans have failed: by what events say, by `TraceSpanExt`, by a panic.

use crate::way;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::{Context, Waker};

use super::support::{Outcome, trace_with};
use tailtrace::model::Limits;
use tailtrace::record::RecordLimits;
use tailtrace::{Errors, LogLevel, Pipeline, Status, TraceSpanExt};
use tracing::{Instrument, error, info_span, warn};

/// What a program left that has failed.
fn failed(limits: RecordLimits, program: impl FnOnce()) -> Outcome {
    let builder = Pipeline::builder("layer").with_tail(Errors).with_limits(limits);
    trace_with(builder, way::plain, program)
}

fn failed_names(outcome: &Outcome) -> Vec<&str> {
    let failed = outcome.spans().filter(|span| span.failed());
    failed.map(|span| span.operation_name()).collect()
}

#[test]
fn an_error_event_fails_a_span_whose_status_is_ok() {
    let outcome = failed(RecordLimits::default(), || {
        let span = info_span!("recovered");
        span.set_status(Status::Ok);
        span.in_scope(|| error!("lost"));
        drop(span);
        info_span!("warned").in_scope(|| warn!("slow"));
    });
    assert_eq!(failed_names(&outcome), ["recovered"]);
    assert_eq!((outcome.names().len(), outcome.span("recovered").status()), (1, Status::Ok));
}

#[test]
fn an_error_event_that_the_limit_refuses_fails_its_span() {
    let limits = RecordLimits::default().with_span(Limits::default().with_logs(0));
    let outcome = failed(limits, || {
        let span = info_span!("span", otel.status_code = "OK").entered();
        error!("lost");
        drop(span);
    });
    assert_eq!(failed_names(&outcome), ["span"]);
    assert_eq!(outcome.logs("span").len(), 0);
}

#[test]
fn an_error_event_that_is_only_counted_fails_its_span() {
    let builder = Pipeline::builder("layer").with_tail(Errors);
    let layer =
        |pipeline: &Pipeline| way::builder(pipeline).with_counting_event_filter(|_| false).build();
    let outcome = trace_with(builder, layer, || {
        let span = info_span!("span", otel.status_code = "OK").entered();
        error!("lost");
        drop(span);
    });
    assert_eq!(failed_names(&outcome), ["span"]);
    assert_eq!(outcome.span("span").status(), Status::Ok);
}

#[test]
fn an_error_that_the_extension_logs_fails_the_span_also_beyond_the_limit() {
    let outcome = failed(RecordLimits::default().with_spans_per_trace(1), || {
        let root = info_span!("root").entered();
        info_span!("dropped").log(LogLevel::Warn, "slow");
        info_span!("child").log(LogLevel::Error, "lost");
        drop(root);
    });
    assert_eq!(outcome.names(), ["root", "child"]);
    assert_eq!(failed_names(&outcome), ["child"]);
    assert_eq!(outcome.span("child").status(), Status::Unset);
}

#[tracing::instrument]
fn handle() {
    info_span!("before").in_scope(|| ());
    let _inner = info_span!("inner").entered();
    panic!("passes through");
}

/// Traces its own drop.
struct Traced;

impl Drop for Traced {
    fn drop(&mut self) {
        info_span!("clean up").in_scope(|| ());
    }
}

#[test]
fn a_panic_fails_the_spans_it_passes_through_and_no_others() {
    for with_parent in [true, false] {
        let outcome = failed(RecordLimits::default(), || {
            let root = with_parent.then(|| info_span!("root").entered());
            let handled = catch_unwind(AssertUnwindSafe(|| {
                let _traced = Traced;
                handle();
            }));
            assert!(handled.is_err());
            drop(root);
        });
        assert_eq!(failed_names(&outcome), ["handle", "inner"]);
        assert_eq!(outcome.span("handle").status(), Status::Unset);
    }
}

#[test]
fn a_panic_fails_no_span_of_another_task_whose_future_unwinding_drops() {
    let outcome = failed(RecordLimits::default(), || {
        let other = async {
            let _held = info_span!("held by another task").entered();
            std::future::pending::<()>().await;
        };
        let mut other = Box::pin(other.instrument(info_span!("another task")));
        let mut context = Context::from_waker(Waker::noop());
        assert!(other.as_mut().poll(&mut context).is_pending());
        let unwound = catch_unwind(AssertUnwindSafe(move || {
            let _inside = info_span!("request").entered();
            let _other = other;
            panic!("passes through the request");
        }));
        assert!(unwound.is_err());
    });
    assert_eq!(failed_names(&outcome), ["request"]);
}

#[test]
fn a_panic_in_a_future_fails_its_span_though_unwinding_stops_before_the_future_goes() {
    let outcome = failed(RecordLimits::default(), || {
        let work = async { panic!("passes through") };
        let mut work = Box::pin(work.instrument(info_span!("task")));
        let mut context = Context::from_waker(Waker::noop());
        let polled = AssertUnwindSafe(|| work.as_mut().poll(&mut context).is_ready());
        assert!(catch_unwind(polled).is_err());
    });
    assert_eq!(failed_names(&outcome), ["task"]);
}

#[test]
fn a_panic_fails_a_root_that_has_neither_children_nor_events() {
    let outcome = failed(RecordLimits::default(), || {
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            let _root = info_span!("root").entered();
            panic!("passes through");
        }));
        assert!(panicked.is_err());
    });
    assert_eq!(failed_names(&outcome), ["root"]);
}
