//! Errors that `Errors` must not overlook, each said in an ordinary way.

use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::trace::{Span as _, Status as OtelStatus, Tracer as _, TracerProvider as _};
use tailtrace::tail::TagInRange;
use tailtrace::{
    Errors, InMemoryExporter, LogLevel, Pipeline, Status, TailPolicy, TailSampler, TraceSpanExt,
};
use tracing::{error, info_span};
use tracing_subscriber::prelude::*;

/// Which policy keeps the one trace of `program`, if one does.
fn kept_by_tail(
    tail: impl TailPolicy + 'static,
    program: impl FnOnce(&Pipeline),
) -> Option<String> {
    let memory = InMemoryExporter::new();
    let pipeline =
        Pipeline::builder("shop").with_tail(tail).with_exporter(memory.clone()).start().unwrap();
    let subscriber = tracing_subscriber::registry().with(pipeline.layer());
    tracing::subscriber::with_default(subscriber, || program(&pipeline));
    pipeline.shutdown(Duration::from_secs(60)).unwrap();
    assert_eq!(pipeline.stats().started, 1);
    memory.traces().first().map(|trace| trace.kept_by().to_owned())
}

#[track_caller]
fn is_kept(program: impl FnOnce(&Pipeline)) {
    let kept = kept_by_tail(TailSampler::new().keep(Errors), program);
    assert_eq!(kept.as_deref(), Some("Errors"));
}

#[test]
fn a_status_ok_set_before_an_error_hides_nothing() {
    is_kept(|_| {
        let span = info_span!("request", otel.status_code = "OK").entered();
        error!("failed");
        drop(span);
    });
    is_kept(|_| {
        let span = info_span!("request", otel.status_code = tracing::field::Empty).entered();
        span.record("otel.status_code", "OK");
        error!("failed");
    });
    is_kept(|_| {
        let span = info_span!("request").entered();
        span.set_status(Status::Ok);
        error!("failed");
    });
    is_kept(|_| {
        let span = info_span!("request").entered();
        span.set_status(Status::Ok);
        span.set_error(&std::io::Error::other("failed"));
    });
    is_kept(|pipeline| {
        let span = pipeline.tracer().start_span("request");
        span.set_status(Status::Ok);
        span.log(LogLevel::Error, "failed");
    });
    is_kept(|pipeline| {
        let tracer = tailtrace::otel::TracerProvider::new(pipeline).tracer("shop");
        let mut span = tracer.start("request");
        span.set_status(OtelStatus::Ok);
        span.add_event("failed", vec![KeyValue::new("level", "ERROR")]);
    });
}

#[test]
fn an_error_that_is_only_logged_is_seen_whichever_way_it_is_logged() {
    is_kept(|pipeline| {
        pipeline.tracer().start_span("request").log(LogLevel::Error, "failed");
    });
    is_kept(|_| {
        let fields: [(&str, i64); 0] = [];
        info_span!("request").log_with_fields(LogLevel::Error, "failed", fields);
    });
    is_kept(|_| info_span!("request").in_scope(|| error!("failed")));
    is_kept(|_| {
        let span = info_span!("request");
        error!(parent: &span, "failed");
    });
}

#[test]
fn a_panic_is_seen_without_the_hook() {
    is_kept(|_| {
        let _ = std::panic::catch_unwind(|| {
            let _span = info_span!("request").entered();
            panic!("out of stock");
        });
    });
    is_kept(|pipeline| {
        let tracer = pipeline.tracer();
        let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let _span = tracer.start_span("request");
            panic!("out of stock");
        }));
    });
}

#[test]
fn a_status_code_that_instrumentation_writes_as_text_lies_in_a_range() {
    let tail = || TagInRange::new("http.status_code", 500..600);
    let kept = kept_by_tail(tail(), |_| drop(info_span!("request", http.status_code = "500")));
    assert_eq!(kept.as_deref(), Some("TagInRange"));
    let kept = kept_by_tail(tail(), |_| drop(info_span!("request", http.status_code = "200")));
    assert_eq!(kept, None);
}
