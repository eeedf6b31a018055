//! Who is whose parent, and when a span ends.

use opentelemetry::trace::TraceContextExt as _;
use tailtrace_side_by_side::{HIDDEN, Peer, Sides, options, under_ours, under_theirs};
use tracing::{info, info_span};
use tracing_subscriber::prelude::*;

#[test]
fn parents_are_contextual_explicit_or_none() {
    let same = Sides::of(|_| {
        let a = info_span!("a").entered();
        let b = info_span!("b");
        b.in_scope(|| drop(info_span!("in b")));
        drop(info_span!("in a"));
        drop(info_span!(parent: &b, "explicit"));
        drop(info_span!(parent: None, "none"));
        let other = info_span!(parent: None, "other").entered();
        drop(info_span!(parent: &a, "across"));
        drop(other);
        drop(info_span!("in a again"));
    });
    let same = same.same();
    let of = |name: &str| same.iter().find(|span| span.name == name).unwrap().parent.as_deref();
    assert_eq!(of("in b"), Some("b"));
    assert_eq!(of("explicit"), Some("b"));
    assert_eq!(of("across"), Some("a"));
    assert_eq!(of("in a again"), Some("a"));
    assert_eq!((of("none"), of("other")), (None, None));
}

#[test]
fn a_span_of_another_thread_is_a_parent_only_if_it_is_said_or_entered() {
    // Threads of two runs have different numbers.
    let (theirs, ours) = options!(.with_threads(false));
    let same = Sides::with(theirs, ours, |_| {
        let dispatch = tracing::dispatcher::get_default(Clone::clone);
        let outer = info_span!("outer").entered();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let _default = tracing::dispatcher::set_default(&dispatch);
                drop(info_span!("alone"));
                drop(info_span!(parent: outer.id(), "said"));
                outer.in_scope(|| drop(info_span!("entered")));
            });
        });
    });
    let same = same.same();
    let of = |name: &str| same.iter().find(|span| span.name == name).unwrap().parent.as_deref();
    assert_eq!((of("alone"), of("said"), of("entered")), (None, Some("outer"), Some("outer")));
}

#[test]
fn a_span_entered_twice_and_left_in_another_order_is_a_parent_until_it_is_left() {
    let same = Sides::of(|_| {
        let (a, b) = (info_span!("a"), info_span!("b"));
        let (in_a, in_b) = (a.enter(), b.enter());
        drop(in_a);
        drop(info_span!("1"));
        drop(in_b);
        drop(info_span!("2"));
    });
    let same = same.same();
    assert_eq!((same[0].parent.as_deref(), same[1].parent.as_deref()), (Some("b"), None));
}

#[test]
fn a_contextual_child_of_a_hidden_span_goes_to_the_nearest_that_is_not() {
    let same = Sides::filtered(|_| {
        let _outer = info_span!("outer").entered();
        let _hidden = info_span!(target: HIDDEN, "hidden").entered();
        drop(info_span!("child"));
        info!("of outer");
        info!(target: HIDDEN, "of nobody");
    });
    let same = same.same();
    assert_eq!((&*same[0].name, same[0].parent.as_deref()), ("child", Some("outer")));
    assert_eq!(same[1].log().name, "of outer");
}

#[test]
fn difference_an_explicit_child_of_a_hidden_span_stays_in_the_trace_here() {
    let sides = Sides::filtered(|_| {
        let outer = info_span!("outer");
        let hidden = info_span!(target: HIDDEN, parent: &outer, "hidden");
        drop(info_span!(parent: &hidden, "child"));
        info!(parent: &hidden, "event");
    });
    let (theirs, ours) = sides.span("child");
    assert_eq!((theirs.parent.as_deref(), theirs.trace.as_str()), (None, "child"));
    assert_eq!((ours.parent.as_deref(), ours.trace.as_str()), (Some("outer"), "child outer"));
    let (theirs, ours) = sides.span("outer");
    assert_eq!(theirs.logs.len(), 0);
    assert_eq!(ours.log().name, "event");
}

#[test]
fn follows_from_is_a_link() {
    let same = Sides::of(|_| {
        let (one, two) = (info_span!("one"), info_span!("two"));
        let span = info_span!("s");
        span.follows_from(&one);
        let closed = info_span!("closed");
        let id = closed.id();
        drop(closed);
        span.follows_from(id);
        let _inside = span.enter();
        span.follows_from(&two);
    });
    let same = same.same();
    let links: Vec<_> = same[2].links.iter().map(|(name, tags)| (&**name, tags.len())).collect();
    assert_eq!(links, [("one", 0), ("two", 0)]);
}

#[test]
fn follows_from_a_hidden_span_says_nothing() {
    let same = Sides::filtered(|_| {
        let hidden = info_span!(target: HIDDEN, "hidden");
        info_span!("s").follows_from(&hidden);
    });
    assert_eq!(same.same()[0].links, []);
}

#[test]
fn difference_a_span_ends_when_it_closes_here() {
    let program = |_: &dyn Peer| {
        let parent = info_span!("parent");
        parent.in_scope(|| ());
        info_span!(parent: &parent, "child").in_scope(|| ());
    };
    let theirs = {
        use opentelemetry::trace::TracerProvider as _;
        let memory = opentelemetry_sdk::trace::InMemorySpanExporter::default();
        let provider = opentelemetry_sdk::trace::SdkTracerProvider::builder()
            .with_simple_exporter(memory.clone())
            .build();
        let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("ends"));
        let subscriber = tracing_subscriber::registry().with(layer);
        tracing::subscriber::with_default(subscriber, || program(&tailtrace_side_by_side::Theirs));
        let spans = memory.get_finished_spans().unwrap();
        let of = |name: &str| spans.iter().find(|span| span.name == name).unwrap().clone();
        (of("parent"), of("child"))
    };
    // There it ends when it was left for the last time.
    assert!(theirs.0.end_time <= theirs.1.start_time, "{theirs:#?}");

    let memory = tailtrace::InMemoryExporter::new();
    let pipeline = tailtrace::Pipeline::builder("ends")
        .with_sampler(tailtrace::AlwaysOn)
        .with_exporter(memory.clone())
        .start()
        .unwrap();
    let subscriber = tracing_subscriber::registry().with(pipeline.layer());
    tracing::subscriber::with_default(subscriber, || program(&tailtrace_side_by_side::Ours));
    pipeline.shutdown(std::time::Duration::from_secs(20)).unwrap();
    let traces = memory.traces();
    let end = |name: &str| {
        let span = traces[0].spans().find(|span| span.operation_name() == name);
        span.unwrap().end_time().unwrap()
    };
    assert!(end("parent") >= end("child"), "{traces:#?}");
}

#[test]
fn difference_opentelemetry_code_does_not_see_the_span_here() {
    fn is_inside(_: &dyn Peer) -> bool {
        let _span = info_span!("s").entered();
        opentelemetry::Context::current().span().span_context().is_valid()
    }
    let seen = std::cell::Cell::new(false);
    under_theirs(
        |layer| tracing_subscriber::registry().with(layer),
        |peer| seen.set(is_inside(peer)),
    );
    assert!(seen.get());
    under_ours(
        |layer| tracing_subscriber::registry().with(layer.compatible().build()),
        |peer| seen.set(is_inside(peer)),
    );
    assert!(!seen.get());
}
