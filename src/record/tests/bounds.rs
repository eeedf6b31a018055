//! What stays within its bounds, and what that must not cost.

use std::time::{Duration, UNIX_EPOCH};

use super::*;
use crate::model::{Baggage, Link, TagRef};
use crate::record::StartTime;

#[test]
fn late_spans_keep_to_the_bytes_of_a_trace() {
    let limits = RecordLimits::default().with_bytes_per_trace(16 * 1024).with_pool_buffers(1);
    let bench = Bench::keeping_errors(limits);
    let root = bench.start("root");
    fail(&root);
    let context = root.context();
    drop(root);
    let late = bench.recorder.start(SpanStart::under("late".into(), &context));
    for key in ["a", "b", "c", "d"] {
        late.set_tag(key.into(), TagRef::Str(&"x".repeat(8_000)));
    }
    drop(late);
    let exported = lock(&bench.exported);
    let bytes = exported[1].bytes();
    assert!(bytes <= 17 * 1024, "{bytes}");
}

#[test]
fn the_baggage_of_a_late_span_is_given_back_as_it_was_counted() {
    let bench = Bench::keeping_errors(RecordLimits::default());
    let root = bench.start("root");
    fail(&root);
    let mut context = root.context();
    drop(root);
    context.baggage = Baggage::default().with("tenant", &"x".repeat(1_000)).unwrap();
    let late = bench.recorder.start(SpanStart::under("late".into(), &context));
    assert!(bench.recorder.traces.bytes() > 1_000);
    drop(late);
    drop(context);
    assert_eq!(bench.recorder.traces.bytes(), 0);
}

#[test]
fn a_buffer_of_late_spans_has_its_limit_in_the_next_trace() {
    let limits = RecordLimits::default().with_bytes_per_trace(16 * 1024).with_live_traces(10);
    let bench = Bench::keeping_errors(limits);
    let root = bench.start("root");
    fail(&root);
    let context = root.context();
    drop(root);
    drop(bench.recorder.start(SpanStart::under("late".into(), &context)));
    let next = bench.start("next");
    fail(&next);
    for key in ["a", "b", "c", "d"] {
        next.set_tag(key.into(), TagRef::Str(&"x".repeat(8_000)));
    }
    drop(next);
    let exported = lock(&bench.exported);
    let bytes = exported.last().unwrap().bytes();
    assert!(bytes <= 17 * 1024, "{bytes}");
}

#[test]
fn a_buffer_of_a_trace_that_lingered_has_its_limit_in_the_next_trace() {
    let limits = RecordLimits::default().with_bytes_per_trace(16 * 1024).with_live_traces(10);
    let bench = Bench::keeping_errors(limits);
    let root = bench.start("root");
    let open = root.child("open".into());
    drop(root);
    bench.clock.advance(Duration::from_secs(10));
    bench.poll();
    let next: Vec<_> = (0..3).map(|_| bench.start("next")).collect();
    for span in &next {
        fail(span);
        for key in ["a", "b", "c", "d"] {
            span.set_tag(key.into(), TagRef::Str(&"x".repeat(8_000)));
        }
    }
    drop(next);
    drop(open);
    for trace in lock(&bench.exported).iter() {
        assert!(trace.bytes() <= 17 * 1024, "{}", trace.bytes());
    }
}

#[test]
fn a_trace_at_its_limit_loses_no_span_when_it_is_decided_early() {
    for bytes in (2_000..20_000).step_by(97) {
        let limits = RecordLimits::default().with_bytes_per_trace(bytes);
        let bench = Bench::keeping_errors(limits);
        let root = bench.start("root");
        fail(&root);
        let open: Vec<_> = (0..20).map(|_| root.child("open".into())).collect();
        for n in 0..200 {
            let child = root.child(format!("child {n} {}", "y".repeat(n)).into());
            child.set_tag("k".into(), TagRef::Str(&"x".repeat(n)));
        }
        drop(root);
        bench.clock.advance(Duration::from_secs(10));
        bench.poll();
        drop(open);
        let stats = bench.recorder.stats();
        assert!(stats.balances() && stats.live == 0, "at {bytes}: {stats}");
    }
}

#[test]
fn a_buffer_that_is_reused_counts_only_the_memory_it_has() {
    let bench =
        Bench::keeping_errors(RecordLimits::default().with_ring_bytes(0).with_live_traces(10));
    let once = || {
        let root = bench.start("root");
        for key in ["a", "b"] {
            root.set_tag(key.into(), TagRef::I64Array(&[1; 100]));
        }
        root
    };
    drop(once());
    let root = once();
    let first = bench.recorder.traces.bytes();
    drop(root);
    for _ in 0..100 {
        drop(once());
    }
    let _root = once();
    let later = bench.recorder.traces.bytes();
    assert_eq!(first, later);
}

#[test]
fn a_linked_trace_is_not_kept_alive_by_the_link() {
    let bench = Bench::keeping_errors(RecordLimits::default());
    let linked = bench.start("linked");
    let root = bench.start("root");
    fail(&root);
    let link = Link::from(linked.context());
    root.write(|span| {
        span.add_link(link);
    });
    drop(linked);
    drop(root);
    let exported = lock(&bench.exported);
    let span = exported[0].spans().next().unwrap();
    let link = span.links().next().unwrap();
    assert!(link.context().local().is_none());
}

#[test]
fn link_tags_beyond_the_limit_are_counted() {
    use crate::model::{Limits, Link};
    let span = Limits { fields_per_log: 1, tags_per_link: 1, ..Limits::default() };
    let bench = Bench::keeping_errors(RecordLimits::default().with_span(span));
    let root = bench.start("root");
    fail(&root);
    let link = Link::new(root.context()).with_tag("a", 1).with_tag("b", 2);
    root.write(|span| {
        span.add_link(link);
    });
    drop(root);
    let exported = lock(&bench.exported);
    let span = exported[0].spans().next().unwrap();
    assert!(span.dropped_tags() + span.dropped_logs() > 0, "nothing says what is missing");
}

#[test]
fn the_last_value_wins_however_often_a_tag_is_set() {
    let bench = Bench::keeping_errors(RecordLimits::default().with_bytes_per_trace(16 * 1024));
    let root = bench.start("root");
    fail(&root);
    for n in 0..10_000 {
        root.set_tag("progress".into(), TagRef::Str(&format!("{n:05} of 10000")));
    }
    drop(root);
    let exported = lock(&bench.exported);
    let span = exported[0].spans().next().unwrap();
    assert_eq!(span.tag("progress").unwrap().to_string(), "09999 of 10000");
}

#[test]
fn the_limit_of_live_traces_holds_while_the_least_valuable_is_being_decided() {
    use std::sync::Weak;
    let slot: Arc<Mutex<Weak<Recorder>>> = Arc::default();
    let most = Arc::new(Mutex::new(0));
    let inner = Arc::clone(&slot);
    let seen = Arc::clone(&most);
    let limits = RecordLimits::default().with_live_traces(1);
    let bench = Bench::new(limits, move |_| {
        let recorder = lock(&inner).upgrade();
        if let Some(recorder) = recorder {
            *lock(&inner) = Weak::new();
            let other = std::thread::spawn(move || {
                let spans: Vec<_> =
                    (0..50).map(|_| recorder.start(SpanStart::new("head".into()))).collect();
                spans.iter().filter(|span| span.is_recording()).count()
            });
            *lock(&seen) = other.join().unwrap();
        }
        Verdict::pass()
    });
    *lock(&slot) = Arc::downgrade(&bench.recorder);
    drop(bench.start("root"));
    assert!(*lock(&most) <= 1, "{} live", *lock(&most));
}

#[test]
fn a_span_that_starts_in_the_far_future_ends_once() {
    let bench = Bench::keeping_errors(RecordLimits::default());
    let far = UNIX_EPOCH + Duration::from_secs(60 * 60 * 24 * 366 * 1_000);
    let root = bench
        .recorder
        .start(SpanStart { start: Some(StartTime::Wall(far)), ..SpanStart::new("root".into()) });
    let child = root.child("child".into());
    fail(&child);
    root.finish(None);
    root.finish(None);
    drop(root);
    assert_eq!(bench.exported().len(), 0);
    drop(child);
    assert_eq!(bench.exported(), [["child", "root"]]);
    assert!(lock(&bench.exported)[0].spans().all(|span| span.is_finished()));
}
