//! Spans that are not recorded.

use opentelemetry::Context;
use opentelemetry::trace::{Span as _, TraceContextExt, Tracer as _, TracerProvider as _};
use tailtrace::ledger::Reason;
use tailtrace::model::TraceFlags;
use tailtrace::record::RecordLimits;
use tailtrace::{AlwaysOff, Pipeline, SpanId, TraceContext, TraceId, otel};
use tracing::info_span;

use super::world::{start, trace, trace_with};
use crate::support::{PATIENCE, keeping};

fn caller() -> TraceContext {
    TraceContext::new(TraceId::new(), SpanId::new()).with_flags(TraceFlags::SAMPLED).remote()
}

#[test]
fn a_span_that_the_head_drops_keeps_its_trace_and_says_that_it_is_not_sampled() {
    let caller = caller();
    let builder = Pipeline::builder("t").with_sampler(AlwaysOff);
    let outcome = trace_with(builder, |_, tracer| {
        let span = tracer.start_with_context("server", &otel::to_context(&caller));
        let ids = span.span_context().clone();
        assert_eq!(ids.trace_id().to_string(), caller.trace_id.to_hex());
        assert_ne!(ids.span_id().to_string(), caller.span_id.to_hex());
        assert!(!ids.is_sampled() && !span.is_recording());
        // The sampler is asked once: spans below it are dropped with it, whichever API starts them.
        let _guard = Context::current_with_span(span).attach();
        drop(tracer.start("client"));
        info_span!("below").in_scope(|| {
            let below = Context::current().span().span_context().clone();
            assert_eq!((below.trace_id(), below.is_sampled()), (ids.trace_id(), false));
            assert!(!Context::current().span().is_recording());
        });
    });
    assert_eq!((outcome.traces.len(), outcome.stats.sampled_out), (0, 3));
}

#[test]
fn spans_below_a_dropped_one_are_dropped_whatever_the_sampler_would_say_now() {
    let builder = Pipeline::builder("t").with_sampler(AlwaysOff);
    let outcome = trace_with(builder, |pipeline, tracer| {
        let _outer = info_span!("outer").entered();
        pipeline.set_sampler(tailtrace::AlwaysOn);
        drop(tracer.start("client"));
    });
    assert_eq!((outcome.traces.len(), outcome.stats.sampled_out), (0, 2));
}

#[test]
fn where_telemetry_is_suppressed_nothing_is_recorded_and_the_trace_goes_on_unsampled() {
    let outcome = trace(|tracer| {
        let _outer = info_span!("outer").entered();
        let outer = Context::current().span().span_context().clone();
        let guard = Context::enter_telemetry_suppressed_scope();
        let span = tracer.start("export");
        assert_eq!(span.span_context().trace_id(), outer.trace_id());
        assert!(!span.span_context().is_sampled());
        drop(info_span!("traced"));
        info_span!(parent: None, "explicit").in_scope(|| {
            assert!(Context::is_current_telemetry_suppressed());
            drop(tracer.start("still"));
        });
        drop(guard);
        drop(info_span!("after"));
    });
    assert_eq!(outcome.trees(), "outer\n└─ after");
    assert_eq!(outcome.stats.dropped_by(Reason::OwnWork), 4);
}

#[test]
fn after_the_shutdown_spans_still_propagate_their_trace() {
    let run = start(keeping());
    let tracer = otel::TracerProvider::new(&run.pipeline).tracer("");
    run.pipeline.shutdown(PATIENCE).unwrap();
    let caller = caller();
    let span = tracer.start_with_context("late", &otel::to_context(&caller));
    assert_eq!(span.span_context().trace_id().to_string(), caller.trace_id.to_hex());
    assert!(!span.is_recording());
    drop(span);
    assert_eq!(run.stop().stats.dropped_by(Reason::ShutDown), 1);
}

#[test]
fn limits_hold_for_spans_of_the_api_and_errors_get_the_reserve() {
    let limits = RecordLimits::default().with_spans_per_trace(2);
    let builder = keeping().with_limits(limits);
    let outcome = trace_with(builder, |_, tracer| {
        tracer.in_span("root", |_| {
            drop(tracer.start("one"));
            drop(tracer.start("two"));
            tracer.in_span("bad", |cx| {
                cx.span().set_status(opentelemetry::trace::Status::error("e"));
            });
        });
    });
    assert_eq!(outcome.trees(), "root\n├─ one\n└─ bad error: \"e\"");
    assert_eq!(outcome.stats.dropped_by(Reason::SpansPerTrace), 1);
}
