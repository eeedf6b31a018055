//! Spans of both kinds in one trace.

use std::collections::HashMap;

use opentelemetry::baggage::BaggageExt;
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::{
    SpanContext, Status, TraceContextExt, TraceFlags, Tracer as _, TracerProvider as _,
    get_active_span, mark_span_as_active,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::SdkTracerProvider;
use tailtrace::{InMemoryExporter, SpanId, TraceContext, TraceId, TraceSpanExt, otel};
use tracing::{info, info_span};
use tracing_subscriber::prelude::*;

use super::world::{start, trace, trace_with};
use crate::support::{keeping, tailed};

fn current() -> SpanContext {
    Context::current().span().span_context().clone()
}

#[test]
fn spans_of_both_kinds_are_in_one_tree_in_the_order_they_were_entered() {
    let outcome = trace(|tracer| {
        let _handler = info_span!("handler").entered();
        tracer.in_span("client", |_| {
            info_span!("retry").in_scope(|| {
                tracer.in_span("send", |_| drop(info_span!("encode")));
                drop(info_span!("wait"));
            });
            drop(info_span!("read"));
        });
        drop(info_span!("reply"));
    });
    let tree = "\
handler
├─ client
│  ├─ retry
│  │  ├─ send
│  │  │  └─ encode
│  │  └─ wait
│  └─ read
└─ reply";
    assert_eq!(outcome.trees(), tree);
}

#[test]
fn an_entered_span_has_its_ids_in_the_current_context() {
    let outcome = trace(|_| {
        let span = info_span!("s");
        assert!(!current().is_valid());
        span.in_scope(|| {
            let context = span.context().unwrap();
            assert_eq!(current().trace_id().to_string(), context.trace_id.to_hex());
            assert_eq!(current().span_id().to_string(), context.span_id.to_hex());
            assert!(current().is_sampled() && !current().is_remote());
            assert!(Context::current().span().is_recording());
        });
        assert!(!current().is_valid());
    });
    assert_eq!(outcome.trees(), "s");
}

#[test]
fn what_is_said_about_the_current_span_is_said_about_the_entered_one() {
    let outcome = trace(|_| {
        let span = info_span!("s").entered();
        get_active_span(|span| {
            span.set_attribute(KeyValue::new("rows", 3));
            span.add_event("cached", vec![KeyValue::new("hit", true)]);
            span.set_status(Status::error("refused"));
            span.update_name("renamed");
            span.record_error(&std::io::Error::other("gone"));
            // It ends when it closes.
            span.end();
        });
        info!("still here");
        let context = Context::current();
        drop(span);
        context.span().set_attribute(KeyValue::new("late", 1));
        assert!(!context.span().is_recording());
    });
    let tree = "\
renamed error: \"refused\" rows=3
     info: \"cached\" hit=true
     error: \"exception\" exception.message=\"gone\"
     info: \"still here\"";
    assert_eq!(outcome.trees(), tree);
}

#[test]
fn an_error_said_of_the_current_span_keeps_its_trace() {
    let builder = tailtrace::Pipeline::builder("t").with_tail(tailtrace::Errors);
    let outcome = trace_with(builder, |_, _| {
        info_span!("bad").in_scope(|| get_active_span(|span| span.set_status(Status::error(""))));
        info_span!("good").in_scope(|| ());
    });
    assert_eq!(outcome.trees(), "bad error");
}

#[test]
fn a_current_span_of_ours_is_the_parent_of_a_new_root() {
    let outcome = trace(|tracer| {
        let guard = mark_span_as_active(tracer.start("outer"));
        let inner = info_span!("inner");
        drop(info_span!(parent: None, "apart"));
        drop(guard);
        drop(inner);
    });
    assert_eq!(outcome.trees(), "apart\nouter\n└─ inner");
}

#[test]
fn a_remote_parent_counts_by_its_ids() {
    let caller = TraceContext::new(TraceId::new(), SpanId::new())
        .with_flags(tailtrace::model::TraceFlags::SAMPLED)
        .remote();
    let outcome = trace(|tracer| {
        let context = otel::to_context(&caller);
        assert!(context.span().span_context().is_remote());
        drop(tracer.start_with_context("server", &context));
        let _guard = context.attach();
        drop(info_span!("root"));
    });
    for name in ["server", "root"] {
        assert_eq!(outcome.span(name).trace_id(), caller.trace_id);
        assert_eq!(outcome.span(name).parent_span_id(), Some(caller.span_id));
    }
    assert_eq!(outcome.traces.len(), 2);
}

#[test]
fn what_only_our_types_can_hold_survives_a_context() {
    let mut caller = TraceContext::new(TraceId::new(), SpanId::new())
        .with_flags(tailtrace::model::TraceFlags::DEBUG)
        .remote();
    caller.trace_state = "7@a@b=1,ot=th:8".parse().unwrap();
    caller.baggage = caller.baggage.with("user", "4711").unwrap();
    assert_eq!(otel::from_context(&otel::to_context(&caller)), Some(caller));
}

#[test]
fn our_propagator_sends_on_from_a_tracing_span_what_opentelemetry_cannot_hold() {
    let mut caller = TraceContext::new(TraceId::new(), SpanId::new())
        .with_flags(tailtrace::model::TraceFlags::SAMPLED)
        .remote();
    caller.trace_state = "7@a@b=1,vendor=2".parse().unwrap();
    let outcome = trace(|_| {
        let span = info_span!(parent: None, "s");
        span.set_parent(&caller).unwrap();
        let _inside = span.enter();
        let mut headers = HashMap::new();
        otel::Propagator::default().inject_context(&Context::current(), &mut headers);
        let span_id = span.span_id().unwrap();
        let expected = format!("00-{}-{span_id}-01", caller.trace_id);
        assert_eq!(headers.get("traceparent"), Some(&expected));
        let members = headers.get("tracestate").unwrap();
        assert!(members.ends_with("7@a@b=1,vendor=2"), "{members}");
    });
    assert_eq!(outcome.traces.len(), 1);
}

#[test]
fn a_span_of_the_sdk_is_a_parent_by_its_ids_and_a_child_of_ours() {
    let sdk = SdkTracerProvider::builder().build().tracer("sdk");
    let mut ids = Vec::new();
    let outcome = trace(|tracer| {
        let _outer = info_span!("outer").entered();
        ids.push(current());
        sdk.in_span("foreign", |context| {
            ids.push(context.span().span_context().clone());
            drop(info_span!("inner"));
            drop(tracer.start("client"));
        });
    });
    assert_eq!(ids[0].trace_id(), ids[1].trace_id());
    for name in ["inner", "client"] {
        let span = outcome.span(name);
        assert_eq!(span.trace_id().to_hex(), ids[0].trace_id().to_string());
        let parent = span.parent_span_id().unwrap();
        assert_eq!(parent.to_hex(), ids[1].span_id().to_string());
    }
}

#[test]
fn a_native_span_takes_part_by_its_context() {
    let outcome = trace_with(keeping(), |pipeline, tracer| {
        let native = pipeline.tracer().start_span("native");
        let context = otel::to_context(native.context());
        context.span().set_attribute(KeyValue::new("told", true));
        let client = tracer.start_with_context("client", &context);
        let below = otel::from_context(&Context::new().with_span(client)).unwrap();
        // Its span has ended with the context, and is still a parent.
        drop(pipeline.tracer().start_span_with_context("below", &below));
    });
    assert_eq!(outcome.trees(), "native told=true\n└─ client\n   └─ below");
}

#[test]
fn a_parent_that_comes_after_the_span_was_entered_still_counts() {
    let caller = TraceContext::new(TraceId::new(), SpanId::new()).remote();
    let outcome = trace_with(tailed(), |_, tracer| {
        let span = info_span!("s", a = 1).entered();
        assert!(current().is_valid());
        assert_eq!(span.set_parent(&caller), Ok(()));
        assert_eq!(current().trace_id().to_string(), caller.trace_id.to_hex());
        drop(tracer.start("client"));
        assert!(span.set_parent(&caller).is_err());
    });
    assert_eq!(outcome.span("s").parent_span_id(), Some(caller.span_id));
    assert_eq!(outcome.parent_of("client"), Some("s"));
    assert_eq!(outcome.traces.len(), 1);
    assert_eq!(outcome.span("s").tags().count(), 1);
}

#[test]
fn baggage_goes_both_ways() {
    let outcome = trace_with(keeping(), |pipeline, tracer| {
        let context = Context::new().with_baggage([KeyValue::new("tenant", "acme")]);
        {
            let _guard = context.attach();
            let span = tracer.start("client");
            let below = otel::from_context(&Context::current_with_span(span)).unwrap();
            assert_eq!(below.baggage.get("tenant"), Some("acme"));
            let cleared = Context::current().with_cleared_baggage();
            let context = cleared.with_span(tracer.start("cleared"));
            assert!(otel::from_context(&context).unwrap().baggage.is_empty());
        }
        let mut caller = TraceContext::new(TraceId::new(), SpanId::new()).remote();
        caller.baggage = caller.baggage.with("user", "4711").unwrap();
        let span = info_span!(parent: None, "s");
        span.set_parent(&caller).unwrap();
        span.in_scope(|| {
            let current = Context::current();
            let user = current.baggage().get("user").map(ToString::to_string);
            assert_eq!(user.as_deref(), Some("4711"));
        });
        drop(pipeline.tracer().start_span("end"));
    });
    assert_eq!(outcome.traces.len(), 4);
}

#[test]
fn pipelines_that_do_not_share_are_left_alone() {
    let alone = start(keeping());
    let shared = start(keeping());
    let tracer = otel::TracerProvider::new(&shared.pipeline).tracer("");
    tracing::dispatcher::with_default(&alone.dispatch, || {
        info_span!("alone").in_scope(|| {
            assert!(!current().is_valid());
            tracer.in_span("apart", |_| drop(info_span!("below alone")));
        });
    });
    assert_eq!(alone.end().trees(), "alone\n└─ below alone");
    assert_eq!(shared.end().trees(), "apart");
}

#[test]
fn a_span_of_one_pipeline_is_a_parent_by_its_ids_in_another() {
    let (one, two) = (start(keeping()), start(keeping()));
    otel::share_context(&one.pipeline);
    let tracer = otel::TracerProvider::new(&two.pipeline).tracer("");
    tracing::dispatcher::with_default(&one.dispatch, || {
        info_span!("one").in_scope(|| tracer.in_span("two", |_| drop(info_span!("below"))));
    });
    let (one, two) = (one.end(), two.end());
    assert_eq!(two.span("two").parent_span_id(), Some(one.span("one").span_id()));
    assert_eq!(two.span("two").trace_id(), one.span("one").trace_id());
    assert_eq!(one.span("below").parent_span_id(), Some(two.span("two").span_id()));
}

#[test]
fn the_ids_of_a_context_are_valid_for_propagators_of_any_kind() {
    let memory = InMemoryExporter::new();
    trace_with(keeping().with_exporter(memory.clone()), |_, _| {
        let _span = info_span!("s").entered();
        let ids = current();
        assert_eq!(ids.trace_flags() & TraceFlags::SAMPLED, TraceFlags::SAMPLED);
    });
    assert_eq!(memory.traces().len(), 1);
}

#[test]
fn a_disabled_layer_shows_nothing() {
    let outcome = trace(|tracer| {
        drop(tracer.start("only"));
        tracing::subscriber::with_default(tracing_subscriber::registry(), || {
            info_span!("unheard").in_scope(|| assert!(!current().is_valid()));
        });
    });
    assert_eq!(outcome.trees(), "only");
}

#[test]
fn inside_of_a_dropped_trace_its_outermost_span_stays_current() {
    let builder = tailtrace::Pipeline::builder("t").with_sampler(tailtrace::AlwaysOff);
    let outcome = trace_with(builder, |_, tracer| {
        let outer = info_span!("outer").entered();
        let ids = current();
        let inner = info_span!("inner").entered();
        assert_eq!(current(), ids);
        tracer.in_span("client", |context| {
            assert_ne!(context.span().span_context(), &ids);
            let inmost = info_span!("inmost").entered();
            assert_eq!(current().trace_id(), ids.trace_id());
            assert!(!current().is_sampled());
            drop(inmost);
        });
        drop(outer);
        // Left out of order: the other takes its place.
        assert_eq!(current().trace_id(), ids.trace_id());
        assert_ne!(current().span_id(), ids.span_id());
        drop(inner);
        assert_eq!(current(), SpanContext::NONE);
    });
    assert_eq!((outcome.traces.len(), outcome.stats.sampled_out), (0, 4));
}

#[test]
fn spans_that_were_entered_before_the_pipeline_was_exchanged_are_left() {
    let (one, two) = (start(keeping()), start(keeping()));
    otel::share_context(&one.pipeline);
    let layer = one.pipeline.layer();
    let handle = layer.handle();
    let subscriber = tracing_subscriber::registry().with(layer);
    tracing::subscriber::with_default(subscriber, || {
        let span = info_span!("one").entered();
        assert!(current().is_valid());
        handle.set_pipeline(&two.pipeline);
        info_span!(parent: None, "two").in_scope(|| {
            assert_eq!(current().span_id().to_string(), span.span_id().unwrap().to_hex());
        });
        drop(span);
        assert!(!current().is_valid());
    });
    assert_eq!((one.stop().trees(), two.stop().trees()), ("one".into(), "two".into()));
}
