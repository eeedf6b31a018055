//! What the specification asks of spans (trace API: "Span", "Span creation").

use std::fmt;
use std::time::{Duration, SystemTime};

use opentelemetry::trace::{
    Event, Link, Span as _, SpanContext, SpanId, SpanKind, Status, TraceContextExt, TraceFlags,
    TraceId, TraceState, Tracer as _, TracerProvider as _,
};
use opentelemetry::{Array, Context, InstrumentationScope, KeyValue, Value};
use tailtrace::LogLevel;
use tailtrace::model::TagRef;
use tailtrace::otel::TracerProvider;

use super::world::{trace, trace_with};
use crate::support::keeping;

fn elsewhere() -> SpanContext {
    let (trace, span) = (TraceId::from_bytes([7; 16]), SpanId::from_bytes([9; 8]));
    SpanContext::new(trace, span, TraceFlags::SAMPLED, true, TraceState::default())
}

#[test]
fn everything_that_a_builder_says_is_recorded() {
    let start = SystemTime::now() - Duration::from_secs(5);
    let outcome = trace(|tracer| {
        let mut span = tracer
            .span_builder("GET /cart")
            .with_kind(SpanKind::Client)
            .with_start_time(start)
            .with_attributes([KeyValue::new("a", 1), KeyValue::new("a", 2)])
            .with_events(vec![Event::new("sent", start, vec![KeyValue::new("bytes", 3)], 0)])
            .with_links(vec![Link::new(elsewhere(), vec![KeyValue::new("why", "batch")], 0)])
            .start(tracer);
        span.end_with_timestamp(start + Duration::from_secs(2));
    });
    let span = outcome.span("GET /cart");
    assert_eq!(outcome.trees(), "GET /cart (client) a=2\n     info: \"sent\" bytes=3");
    assert_eq!(span.duration(), Duration::from_secs(2));
    let off = span.start_time().duration_since(start).unwrap_or_default();
    assert!(off < Duration::from_micros(1), "{off:?}");
    let link = span.links().next().unwrap();
    assert_eq!(link.context().span_id.to_hex(), elsewhere().span_id().to_string());
    assert_eq!(link.tags().next(), Some(("why", TagRef::Str("batch"))));
}

#[test]
fn a_childs_builder_says_as_much_as_a_roots() {
    let outcome = trace(|tracer| {
        let parent = Context::new().with_span(tracer.start("parent"));
        drop(
            tracer
                .span_builder("child")
                .with_kind(SpanKind::Producer)
                .with_attributes([KeyValue::new("a", 1)])
                .with_events(vec![Event::with_name("sent")])
                .with_links(vec![Link::with_context(elsewhere())])
                .start_with_context(tracer, &parent),
        );
    });
    assert_eq!(outcome.trees(), "parent\n└─ child (producer) a=1\n        info: \"sent\"");
    assert_eq!(outcome.span("child").links().count(), 1);
}

#[test]
fn values_of_every_type_are_kept() {
    let outcome = trace(|tracer| {
        let mut span = tracer.start("s");
        span.set_attribute(KeyValue::new("bool", true));
        span.set_attributes([KeyValue::new("f64", 0.5), KeyValue::new("text", "t")]);
        span.set_attribute(KeyValue::new("array", Value::Array(Array::I64(vec![1, 2]))));
    });
    assert_eq!(outcome.trees(), "s bool=true f64=0.5 text=\"t\" array=[1, 2]");
}

#[test]
fn setting_a_key_again_replaces_its_value() {
    let outcome = trace(|tracer| {
        let mut span = tracer.start("s");
        span.set_attribute(KeyValue::new("k", 1));
        span.set_attribute(KeyValue::new("k", "two"));
    });
    assert_eq!(outcome.trees(), "s k=\"two\"");
}

#[test]
fn ok_is_final_unset_is_ignored_and_the_last_error_stands() {
    let outcome = trace(|tracer| {
        let says = |name: &'static str, all: &[Status]| {
            let mut span = tracer.start(name);
            all.iter().for_each(|status| span.set_status(status.clone()));
        };
        says("ok", &[Status::error("e"), Status::Ok, Status::error("f")]);
        says("unset", &[Status::error("e"), Status::Unset]);
        says("last", &[Status::error("z"), Status::error("a")]);
    });
    assert!(!outcome.span("ok").is_error());
    assert_eq!(outcome.span("unset").status_description(), "e");
    assert_eq!(outcome.span("last").status_description(), "a");
}

#[test]
fn the_end_is_final_and_an_ended_span_is_a_valid_parent() {
    let outcome = trace(|tracer| {
        let mut span = tracer.start("s");
        assert!(span.is_recording());
        span.end();
        assert!(!span.is_recording());
        span.set_attribute(KeyValue::new("late", 1));
        span.set_status(Status::error("late"));
        span.update_name("late");
        span.add_event("late", Vec::new());
        span.add_link(elsewhere(), Vec::new());
        span.end();
        let context = Context::new().with_span(span);
        drop(tracer.start_with_context("child", &context));
    });
    assert_eq!(outcome.parent_of("child"), Some("s"));
    let span = outcome.span("s");
    assert!(!span.is_error());
    assert_eq!((span.tags().count(), span.logs().count(), span.links().count()), (0, 0, 0));
}

#[test]
fn a_span_takes_another_name_and_links_while_it_runs() {
    let outcome = trace(|tracer| {
        let mut span = tracer.start("before");
        span.update_name("after");
        span.add_link(elsewhere(), vec![KeyValue::new("n", 1)]);
    });
    assert_eq!(outcome.span("after").links().count(), 1);
}

#[test]
fn links_that_lead_nowhere_count_as_dropped() {
    let outcome = trace(|tracer| {
        let nowhere = Link::with_context(SpanContext::NONE);
        // `with_links` would leave it out itself.
        let mut builder = tracer.span_builder("root");
        builder.links = Some(vec![nowhere.clone()]);
        let mut root = builder.start(tracer);
        root.add_link(SpanContext::NONE, Vec::new());
        let parent = Context::new().with_span(root);
        let mut builder = tracer.span_builder("child");
        builder.links = Some(vec![nowhere]);
        drop(builder.start_with_context(tracer, &parent));
    });
    for (name, dropped) in [("root", 2), ("child", 1)] {
        let span = outcome.span(name);
        assert_eq!((span.links().count(), span.dropped_links()), (0, dropped), "{name}");
    }
}

#[derive(Debug)]
struct Declined(std::io::Error);

impl fmt::Display for Declined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("card declined")
    }
}

impl std::error::Error for Declined {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

#[test]
fn an_error_is_told_with_its_causes_and_leaves_the_status_alone() {
    let outcome = trace(|tracer| {
        let mut span = tracer.start("s");
        span.record_error(&Declined(std::io::Error::other("timeout")));
    });
    let span = outcome.span("s");
    assert!(span.failed() && !span.has_error_status());
    let log = span.logs().next().unwrap();
    assert_eq!((log.level(), log.message()), (LogLevel::Error, "exception"));
    let fields: Vec<_> = log.fields().map(|(key, value)| (key, value.to_string())).collect();
    let causes = "[\"timeout\"]".to_owned();
    let message = "card declined".to_owned();
    assert_eq!(fields, [("exception.message", message), ("exception.causes", causes)]);
}

#[test]
fn events_have_their_time_and_a_level_where_they_tell_it() {
    let outcome = trace(|tracer| {
        let time = SystemTime::now() + Duration::from_secs(60);
        let mut span = tracer.start("s");
        span.add_event("now", Vec::new());
        span.add_event_with_timestamp("then", time, vec![KeyValue::new("level", "WARN")]);
    });
    let span = outcome.span("s");
    let logs: Vec<_> = span.logs().collect();
    assert_eq!(logs[0].message(), "now");
    let end = span.end_time().unwrap();
    assert!(logs[0].time() >= span.start_time() && logs[0].time() <= end);
    assert_eq!((logs[1].message(), logs[1].level()), ("then", LogLevel::Warn));
    assert!(logs[1].time() > end + Duration::from_secs(50));
}

#[test]
fn the_library_stands_in_the_tags() {
    let outcome = trace_with(keeping(), |pipeline, _| {
        let scope = InstrumentationScope::builder("http-client").with_version("1.2.3").build();
        drop(TracerProvider::new(pipeline).tracer_with_scope(scope).start("GET"));
    });
    let tree = "GET otel.scope.name=\"http-client\" otel.scope.version=\"1.2.3\"";
    assert_eq!(outcome.trees(), tree);
}

#[test]
fn the_sampler_sees_what_the_builder_says_and_is_asked_once_for_a_local_trace() {
    use std::sync::atomic::{AtomicU32, Ordering};
    use tailtrace::{Pipeline, SamplingRequest, SamplingResult};
    static ASKED: AtomicU32 = AtomicU32::new(0);
    let sampler = |request: &SamplingRequest<'_>| {
        ASKED.fetch_add(1, Ordering::Relaxed);
        assert_eq!(request.kind, tailtrace::SpanKind::Server);
        assert_eq!(request.links.len(), 1);
        let debug = request
            .tags
            .iter()
            .any(|(key, value)| key == "debug" && *value == tailtrace::TagValue::Bool(true));
        if debug { SamplingResult::sample() } else { SamplingResult::drop() }
    };
    let outcome = trace_with(Pipeline::builder("t").with_sampler(sampler), |_, tracer| {
        for debug in [true, false] {
            let root = tracer
                .span_builder("root")
                .with_kind(SpanKind::Server)
                .with_attributes([KeyValue::new("debug", debug)])
                .with_links(vec![Link::with_context(elsewhere())])
                .start(tracer);
            let context = Context::new().with_span(root);
            drop(tracer.start_with_context("child", &context));
        }
    });
    assert_eq!(ASKED.load(Ordering::Relaxed), 2);
    assert_eq!(outcome.trees(), "root (server) debug=true\n└─ child");
    assert_eq!(outcome.stats.sampled_out, 2);
}

#[test]
fn spans_that_never_tell_their_ids_are_recorded_all_the_same() {
    let outcome = trace(|tracer| (0..10).for_each(|_| drop(tracer.start("leaf"))));
    assert_eq!(outcome.traces.len(), 10);
}

#[test]
fn the_scope_takes_none_of_the_places_of_a_spans_own_attributes() {
    let attributes = |number: i64| KeyValue::new(format!("key {number}"), number);
    let outcome = trace_with(keeping(), |pipeline, _| {
        let tracer = TracerProvider::new(pipeline).tracer("lib");
        drop(tracer.span_builder("root").with_attributes((0..128).map(attributes)).start(&tracer));
    });
    let span = outcome.span("root");
    let own = span.tags().filter(|(key, _)| key.starts_with("key")).count();
    assert_eq!((own, span.dropped_tags()), (128, 0));
    assert!(span.tag("otel.scope.name").is_some());
}
