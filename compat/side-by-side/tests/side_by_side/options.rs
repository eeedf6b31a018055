//! What spans and events say of themselves, with each option on and off.

use tailtrace_side_by_side::{Peer, Sides, Value, options, under_ours, under_theirs};
use tracing::{Level, Subscriber, error, info, info_span, span};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::prelude::*;
use tracing_subscriber::{Layer, Registry};

fn program(_: &dyn Peer) {
    let span = span!(target: "shop", Level::WARN, "outer", a = 1, b = "two");
    let inside = span.enter();
    drop(info_span!("inner", c = true));
    info!(rows = 3, "done");
    drop(inside);
}

const LOCATION: [&str; 3] = ["code.file.path", "code.module.name", "code.line.number"];
const THREADS: [&str; 2] = ["thread.id", "thread.name"];
const TIMES: [&str; 2] = ["busy_ns", "idle_ns"];

#[test]
fn the_preset_says_the_same_in_the_same_order() {
    let same = Sides::of(program).same();
    let outer = same.iter().find(|span| span.name == "outer").unwrap();
    assert_eq!(outer.keys(), [&LOCATION[..], &THREADS, &["target", "a", "b"], &TIMES].concat());
    assert_eq!(outer.log().keys(), [&["level", "target", "rows"][..], &LOCATION].concat());
    assert_eq!(outer.tag("target"), Some(&Value::text("shop")));
}

#[test]
fn location_is_said_of_spans_and_events() {
    let (theirs, ours) = options!(.with_location(false));
    let same = Sides::with(theirs, ours, program).same();
    assert_eq!(same[1].keys(), [&THREADS[..], &["target", "a", "b"], &TIMES].concat());
    assert_eq!(same[1].log().keys(), ["level", "target", "rows"]);
    let (theirs, ours) = options!(.with_location(true));
    assert!(Sides::with(theirs, ours, program).same()[1].tag("code.line.number").is_some());
}

#[test]
fn threads_are_said_of_spans() {
    let (theirs, ours) = options!(.with_threads(false));
    let same = Sides::with(theirs, ours, program).same();
    assert_eq!(same[1].keys(), [&LOCATION[..], &["target", "a", "b"], &TIMES].concat());
    let (theirs, ours) = options!(.with_threads(true));
    assert!(Sides::with(theirs, ours, program).same()[1].tag("thread.id").is_some());
}

#[test]
fn a_thread_without_a_name_has_only_a_number() {
    let same = std::thread::spawn(|| Sides::of(program).same()).join().unwrap();
    assert_eq!((same[0].tag("thread.id").is_some(), same[0].tag("thread.name")), (true, None));
}

#[test]
fn the_level_is_said_of_spans_in_upper_case() {
    let (theirs, ours) = options!(.with_level(true));
    let same = Sides::with(theirs, ours, program).same();
    assert_eq!(
        same[1].keys(),
        [&LOCATION[..], &THREADS, &["level", "target", "a", "b"], &TIMES].concat()
    );
    assert_eq!(same[1].tag("level"), Some(&Value::text("WARN")));
    let (theirs, ours) = options!(.with_level(false));
    let same = Sides::with(theirs, ours, program).same();
    assert_eq!(same[1].tag("level"), None);
    assert_eq!(same[1].log().field("level"), Some(&Value::text("INFO")));
}

#[test]
fn the_target_is_said_of_spans_and_always_of_events() {
    let (theirs, ours) = options!(.with_target(false));
    let same = Sides::with(theirs, ours, program).same();
    assert_eq!(same[1].tag("target"), None);
    assert_eq!(same[1].log().field("target"), Some(&Value::text(module_path!())));
    let (theirs, ours) = options!(.with_target(true));
    assert!(Sides::with(theirs, ours, program).same()[1].tag("target").is_some());
}

#[test]
fn inactivity_is_said_at_the_end() {
    let (theirs, ours) = options!(.with_tracked_inactivity(false));
    let same = Sides::with(theirs, ours, program).same();
    assert_eq!(same[1].keys(), [&LOCATION[..], &THREADS, &["target", "a", "b"]].concat());
    let (theirs, ours) = options!(.with_tracked_inactivity(true));
    let same = Sides::with(theirs, ours, |_| {
        let span = info_span!("s", late = tracing::field::Empty);
        span.in_scope(|| ());
        span.record("late", 1);
    });
    let same = same.same();
    assert_eq!(same[0].keys()[6..], ["late", "busy_ns", "idle_ns"]);
}

#[test]
fn a_counting_filter_counts_all_events_and_keeps_some() {
    let program = |_: &dyn Peer| {
        drop(info_span!("without"));
        let span = info_span!("with", a = 1);
        span.in_scope(|| {
            info!("kept");
            tracing::debug!("counted");
            tracing::debug!("counted");
        });
    };
    let same = Sides::with(
        |layer| layer.with_counting_event_filter(filter_fn(|event| *event.level() <= Level::INFO)),
        |layer| layer.with_counting_event_filter(|event| *event.level() <= Level::INFO),
        program,
    );
    let same = same.same();
    assert_eq!(same[0].keys()[6..], ["a", "otel.tracing_event_count", "busy_ns", "idle_ns"]);
    assert_eq!(same[0].tag("otel.tracing_event_count"), Some(&Value::I64(3)));
    assert_eq!(same[0].log().name, "kept");
    assert_eq!(same[1].tag("otel.tracing_event_count"), Some(&Value::I64(0)));
}

#[test]
fn difference_an_error_that_is_only_counted_still_fails_the_span_here() {
    let sides = Sides::with(
        |layer| layer.with_counting_event_filter(filter_fn(|_| false)),
        |layer| layer.with_counting_event_filter(|_| false),
        |_| info_span!("s").in_scope(|| error!("out of paper")),
    );
    let (theirs, ours) = sides.span("s");
    assert_eq!((theirs.logs.len(), theirs.status.as_str()), (0, "unset"));
    assert_eq!((ours.logs.len(), ours.status.as_str()), (0, "error: "));
    assert_eq!(theirs.tag("otel.tracing_event_count"), Some(&Value::I64(1)));
    assert_eq!(ours.tag("otel.tracing_event_count"), Some(&Value::I64(1)));
}

#[test]
fn options_after_the_preset_still_count() {
    let (theirs, ours) = options!(
        .with_location(false)
        .with_threads(false)
        .with_target(false)
        .with_tracked_inactivity(false)
    );
    let same = Sides::with(theirs, ours, program).same();
    assert_eq!((same[0].keys(), same[1].keys()), (vec!["c"], vec!["a", "b"]));
}

#[test]
fn difference_the_default_here_says_nothing_but_the_fields() {
    let sides = Sides::with_default_of_ours(|layer| layer, program);
    let (theirs, ours) = sides.span("outer");
    assert_eq!(theirs.keys(), [&LOCATION[..], &THREADS, &["target", "a", "b"], &TIMES].concat());
    assert_eq!(ours.keys(), ["a", "b"]);
    assert_eq!(theirs.log().keys(), [&["level", "target", "rows"][..], &LOCATION].concat());
    assert_eq!(ours.log().keys(), ["rows"]);
    assert_eq!(
        (&theirs.name, &theirs.kind, &theirs.trace, &theirs.status),
        (&ours.name, &ours.kind, &ours.trace, &ours.status)
    );
}

#[test]
fn the_layers_work_boxed_and_optional() {
    fn wrapped(
        layer: impl Layer<Registry> + Send + Sync + 'static,
    ) -> impl Subscriber + Send + Sync + 'static {
        tracing_subscriber::registry().with(Some(layer.boxed()))
    }
    let program = |peer: &dyn Peer| {
        let span = info_span!("s");
        peer.set_parent(&span).unwrap();
        peer.set_tag(&span, "key", Value::Bool(true));
    };
    let theirs = under_theirs(wrapped, program);
    let ours = under_ours(|layer| wrapped(layer.compatible().build()), program);
    assert_eq!(theirs, ours);
    assert_eq!(ours[0].tag("key"), Some(&Value::Bool(true)));
}
