//! What the account says of the moment at which it is read.

use std::time::Duration;

use tailtrace::Pipeline;
use tailtrace::record::RecordLimits;
use tailtrace::time::ManualClock;

use super::support::{self, settled};

/// A pipeline that keeps no trace without an error, and its clock.
fn dropping(limits: RecordLimits) -> (Pipeline, ManualClock) {
    let (builder, clock, _memory) = support::pipeline();
    let builder = builder.with_limits(limits).with_tail(support::keep_errors);
    (builder.start().unwrap(), clock)
}

#[test]
fn live_traces_and_open_spans_are_counted_as_long_as_they_are() {
    let (pipeline, _clock) = dropping(RecordLimits::default());
    let tracer = pipeline.tracer();
    let root = tracer.start_span("root");
    let child = root.child("child");
    drop(root.child("ended"));
    let other = tracer.start_span("other");
    let stats = settled(&pipeline);
    assert_eq!((stats.live_traces, stats.open_spans, stats.live), (2, 3, 4), "{stats}");
    drop((child, root, other));
    let stats = settled(&pipeline);
    assert_eq!((stats.live_traces, stats.open_spans, stats.held), (0, 0, 4), "{stats}");
}

#[test]
fn the_oldest_live_trace_is_as_old_as_its_root() {
    let (pipeline, clock) = dropping(RecordLimits::default());
    let tracer = pipeline.tracer();
    assert_eq!(settled(&pipeline).oldest_live, Duration::ZERO);
    let old = tracer.start_span("old");
    clock.advance(Duration::from_secs(40));
    let young = tracer.start_span("young");
    clock.advance(Duration::from_millis(1_500));
    assert_eq!(settled(&pipeline).oldest_live, Duration::from_millis(41_500));
    drop(old);
    assert_eq!(settled(&pipeline).oldest_live, Duration::from_millis(1_500));
    drop(young);
    assert_eq!(settled(&pipeline).oldest_live, Duration::ZERO);
}

/// Drops a trace in each second; how far the ring reaches back then, and its bytes.
fn after_seconds(seconds: u64, limits: RecordLimits) -> (Duration, u64) {
    let (pipeline, clock) = dropping(limits);
    for number in 0..seconds {
        let root = pipeline.tracer().start_span("root");
        root.set_tag("text", "x".repeat(1_000));
        root.set_tag("number", number as i64);
        drop(root);
        clock.advance(Duration::from_secs(1));
    }
    let stats = settled(&pipeline);
    assert!(stats.to_string().contains("seconds the ring goes back"), "{stats}");
    (stats.ring_reach, stats.ring_bytes)
}

#[test]
fn the_ring_reaches_as_far_back_as_was_asked_where_its_memory_allows_it() {
    let limits = RecordLimits::default().with_ring_reach(Duration::from_secs(60), 4 * 1024 * 1024);
    let (reach, bytes) = after_seconds(90, limits);
    // A trace of exactly that age may have gone.
    assert!((59..=60).contains(&reach.as_secs()), "{reach:?}");
    // Memory is taken on demand: a minute of these is some 60 KiB.
    assert!((60_000..300_000).contains(&bytes), "{bytes} bytes");
}

#[test]
fn the_account_says_less_where_the_cap_cuts_the_ring_short() {
    let most = 32 * 1024;
    let limits = RecordLimits::default().with_ring_reach(Duration::from_secs(60), most);
    let (reach, bytes) = after_seconds(90, limits);
    assert!((5..40).contains(&reach.as_secs()), "{reach:?}");
    assert!(bytes <= most as u64, "{bytes} bytes");
}

#[test]
fn a_ring_that_holds_nothing_reaches_nowhere() {
    let (pipeline, clock) = dropping(RecordLimits::default().with_ring_bytes(0));
    drop(pipeline.tracer().start_span("root"));
    clock.advance(Duration::from_secs(5));
    let stats = settled(&pipeline);
    assert_eq!((stats.ring_reach, stats.ring_bytes), (Duration::ZERO, 0));
}
