//! Spans that are entered, left and closed in whatever order and on whatever thread.

use crate::way;
use std::mem;
use std::sync::mpsc::sync_channel;
use std::thread;

use super::support::{tailed, trace, trace_with};
use tailtrace::Pipeline;
use tracing::dispatcher::{get_default, with_default};
use tracing::{Dispatch, Span, info, info_span};

/// Runs `work` on another thread under this thread's subscriber.
fn elsewhere<R: Send + 'static>(work: impl FnOnce() -> R + Send + 'static) -> R {
    let dispatch = get_default(Dispatch::clone);
    thread::spawn(move || with_default(&dispatch, work)).join().unwrap()
}

#[test]
fn a_span_closed_on_another_thread_is_whole() {
    let outcome = trace(|| {
        let span = info_span!("span", a = 1);
        drop(span.in_scope(|| info_span!("child")));
        elsewhere(move || {
            span.in_scope(|| info!("from there"));
            drop(span);
        });
    });
    assert_eq!(outcome.trees(), "span a=1\n│    info: \"from there\"\n└─ child");
}

#[test]
fn a_span_entered_on_many_threads_at_once_is_the_parent_on_each() {
    let outcome = trace(|| {
        let span = info_span!("span");
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let (span, dispatch) = (span.clone(), get_default(Dispatch::clone));
                thread::spawn(move || {
                    with_default(&dispatch, || {
                        let _inside = span.enter();
                        for _ in 0..100 {
                            drop(info_span!("child").entered());
                        }
                    });
                })
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    });
    let root = outcome.span("span").span_id();
    let children = outcome.spans().filter(|span| span.parent_span_id() == Some(root));
    assert_eq!((children.count(), outcome.traces.len()), (400, 1));
}

#[test]
fn a_span_entered_many_times_is_left_as_many_times() {
    let outcome = trace(|| {
        let span = info_span!("span");
        let guards: Vec<_> = (0..1_000).map(|_| span.enter()).collect();
        for guard in guards {
            drop(guard);
        }
        drop(info_span!("after"));
        (0..1_000).for_each(|_| drop(span.enter()));
        drop(info_span!("after that"));
    });
    assert_eq!(outcome.trees(), "after\nafter that\nspan");
}

#[test]
fn recursion_makes_a_tree_as_deep() {
    #[tracing::instrument]
    fn factorial(n: u64) -> u64 {
        if n == 0 { 1 } else { n * factorial(n - 1) }
    }
    let outcome = trace(|| assert_eq!(factorial(3), 6));
    assert_eq!(
        outcome.trees(),
        "factorial n=3\n└─ factorial n=2\n   └─ factorial n=1\n      └─ factorial n=0"
    );
}

#[test]
fn guards_dropped_out_of_order_leave_the_right_span() {
    let outcome = trace(|| {
        let (first, second) = (info_span!("first"), info_span!("second"));
        let (inside_first, inside_second) = (first.enter(), second.enter());
        drop(inside_first);
        drop(info_span!("in second"));
        drop(inside_second);
        drop(info_span!("in none"));
    });
    assert_eq!(outcome.parent_of("in second"), Some("second"));
    assert_eq!(outcome.parent_of("in none"), None);
}

#[test]
fn a_leaked_guard_of_a_closed_span_hides_nothing() {
    let outcome = trace(|| {
        let outer = info_span!("outer");
        let inside = outer.enter();
        let leaked = info_span!("leaked");
        mem::forget(leaked.enter());
        drop(leaked);
        drop(info_span!("inner"));
        info!("said");
        drop(inside);
        drop(outer);
        drop(info_span!("after"));
        info!("to no span");
    });
    assert_eq!(outcome.parent_of("leaked"), Some("outer"));
    assert_eq!(outcome.parent_of("inner"), Some("outer"));
    assert_eq!(outcome.parent_of("after"), None);
    assert_eq!(outcome.logs("outer"), ["said"]);
}

#[test]
fn a_guard_dropped_on_another_thread_hides_nothing_there_or_here() {
    // Guards cannot be sent; what a subscriber is told can.
    let outcome = trace(|| {
        let span = info_span!("span");
        let (id, dispatch) = span.with_subscriber(|(id, all)| (id.clone(), all.clone())).unwrap();
        dispatch.enter(&id);
        elsewhere(move || {
            let other = info_span!("other").entered();
            dispatch.exit(&id);
            drop(info_span!("in other"));
            drop(other);
        });
        drop(info_span!("still inside"));
        drop(span);
        drop(info_span!("after"));
    });
    assert_eq!(outcome.parent_of("in other"), Some("other"));
    assert_eq!(outcome.parent_of("still inside"), Some("span"));
    assert_eq!(outcome.parent_of("after"), None);
}

#[test]
fn a_parent_that_closes_with_its_last_child_elsewhere_is_whole() {
    let outcome = trace(|| {
        let parent = info_span!("parent");
        let child = info_span!(parent: &parent, "child");
        drop(parent);
        elsewhere(move || {
            drop(info_span!(parent: &child, "grandchild"));
            drop(child);
        });
    });
    assert_eq!(outcome.trees(), "parent\n└─ child\n   └─ grandchild");
}

#[test]
fn threads_that_hand_spans_to_each_other_lose_none() {
    let outcome = trace(|| {
        let (give, take) = sync_channel::<Span>(1);
        let dispatch = get_default(Dispatch::clone);
        let closes = thread::spawn(move || {
            with_default(&dispatch, || {
                for span in take {
                    let _inside = span.enter();
                    drop(info_span!("child"));
                }
            });
        });
        (0..1_000).for_each(|_| give.send(info_span!("root")).unwrap());
        drop(give);
        closes.join().unwrap();
    });
    assert_eq!(outcome.traces.len(), 1_000);
    assert!(outcome.traces.iter().all(|trace| trace.span_count() == 2));
}

#[test]
fn no_span_is_no_trouble() {
    let outcome = trace(|| {
        let none = Span::none();
        let _inside = none.enter();
        none.record("a", 1);
        info!(parent: &none, "to no span");
        info!("to no span");
        drop(info_span!(parent: &none, "root"));
        drop(none.clone());
    });
    assert_eq!(outcome.trees(), "root");
}

#[test]
fn time_is_busy_while_a_span_is_entered_on_any_thread() {
    let timed = |pipeline: &Pipeline| way::builder(pipeline).with_tracked_inactivity(true).build();
    let outcome = trace_with(tailed(), timed, || {
        let span = info_span!("span");
        let inside = span.enter();
        let there = span.clone();
        elsewhere(move || drop(there.enter()));
        drop(inside);
        drop(info_span!("never entered"));
    });
    let nanos = |name, key| match outcome.span(name).tag(key) {
        Some(tailtrace::model::TagRef::I64(nanos)) => nanos,
        other => panic!("{key} is {other:?}"),
    };
    assert!(nanos("span", "busy_ns") > 0);
    assert!(nanos("span", "idle_ns") >= 0);
    assert_eq!((nanos("never entered", "busy_ns"), nanos("never entered", "idle_ns")), (0, 0));
}
