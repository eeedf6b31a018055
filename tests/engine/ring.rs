//! The ring of dropped traces: what goes in comes out as it was, and no more is held than may be.

use std::time::Duration;

use proptest::prelude::*;
use tailtrace::record::{KeepOutcome, RecordLimits};
use tailtrace::{LogLevel, SpanGuard, SpanRef, Trace, TraceId, TraceView, Verdict};

use super::support::{self, PLENTY, exported, settled};
use super::{config, start};

fn keeps_all(_: &TraceView<'_>) -> Verdict {
    Verdict::keep()
}

/// A trace of some spans with tags, entries, bytes and text of its number; its id.
fn make(root: SpanGuard, number: usize) -> TraceId {
    let id = root.context().trace_id;
    root.set_tag("number", number as i64);
    for child in 0..number % 7 {
        let child = root.child(format!("child {child} of {number}"));
        child.set_tag(format!("key {number}"), "x".repeat(number % 50));
        child.set_tag("bytes", vec![number as u8; number % 3]);
        child.log(LogLevel::Info, format!("entry of {number}"));
        child.add_link(root.context());
    }
    id
}

/// All that a trace says but for why it was kept.
fn text(trace: &Trace) -> String {
    let span = |span: SpanRef<'_>| {
        let name = span.operation_name();
        let tags: Vec<_> = span.tags().map(|(key, value)| format!("{key}={value}")).collect();
        let logs: Vec<_> = span.logs().map(|log| log.message().to_owned()).collect();
        let links: Vec<_> = span.links().map(|link| link.context().span_id).collect();
        let parent = span.parent_span_id();
        format!("{name} {:?} {parent:?} {tags:?} {logs:?} {links:?}\n", span.span_id())
    };
    trace.spans().map(span).collect()
}

#[test]
fn a_trace_that_is_kept_out_of_the_ring_is_what_it_would_have_been_at_once() {
    let trees = |is_kept_at_once: bool| {
        let (builder, _clock, memory) = support::pipeline();
        let builder = builder.with_limits(RecordLimits::default());
        let pipeline = if is_kept_at_once {
            builder.with_tail(keeps_all).start().unwrap()
        } else {
            builder.with_tail(support::keep_errors).start().unwrap()
        };
        let tracer = pipeline.tracer();
        let ids: Vec<_> = (0..300).map(|n| make(tracer.start_span("root"), n)).collect();
        if !is_kept_at_once {
            assert_eq!(pipeline.keep_all(&ids), vec![KeepOutcome::Exported; 300]);
            assert_eq!(pipeline.keep_all(&ids), vec![KeepOutcome::AlreadyKept; 300]);
        }
        pipeline.flush(PLENTY).unwrap();
        assert_eq!(settled(&pipeline).held, 0);
        memory.traces().iter().map(text).collect::<Vec<_>>()
    };
    let at_once = trees(true);
    assert_eq!(at_once.len(), 300);
    assert!(trees(false) == at_once, "some trace has changed in the ring");
}

#[test]
fn a_trace_that_is_too_large_to_be_copied_is_found_as_well() {
    let (pipeline, _clock, memory) = start(RecordLimits::default());
    let root = pipeline.tracer().start_span("root");
    let id = root.context().trace_id;
    for _ in 0..2_000 {
        root.child("child").set_tag("key", "value");
    }
    drop(root);
    assert_eq!(settled(&pipeline).held, 2_001);
    assert_eq!(pipeline.keep(id), KeepOutcome::Exported);
    pipeline.flush(PLENTY).unwrap();
    assert_eq!(exported(&memory)[0].len(), 2_001);
}

#[test]
fn the_traces_of_one_id_are_all_kept_in_the_order_in_which_they_ended() {
    let (pipeline, _clock, memory) = start(RecordLimits::default());
    let caller = tailtrace::TraceContext::new(TraceId::new(), tailtrace::SpanId::new());
    // So many that they fill segments.
    for number in 0..3_000 {
        let root = pipeline.tracer().start_span_with_context(format!("{number}"), &caller);
        drop(root);
        drop(pipeline.tracer().start_span("another"));
    }
    assert_eq!(pipeline.keep(caller.trace_id), KeepOutcome::Exported);
    pipeline.flush(PLENTY).unwrap();
    let names: Vec<_> =
        memory.traces().iter().map(|trace| support::names(trace).concat()).collect();
    assert_eq!(names, (0..3_000).map(|number| number.to_string()).collect::<Vec<_>>());
    assert_eq!(settled(&pipeline).held, 3_000);
}

#[test]
fn a_trace_leaves_the_ring_when_its_time_is_up_and_not_before() {
    let limits = RecordLimits::default().with_ring_age(Duration::from_secs(30));
    let (pipeline, clock, _memory) = start(limits);
    let first = make(pipeline.tracer().start_span("first"), 3);
    clock.advance(Duration::from_secs(20));
    let second = make(pipeline.tracer().start_span("second"), 3);
    clock.advance(Duration::from_secs(10));
    assert_eq!(pipeline.keep(first), KeepOutcome::Unknown);
    pipeline.flush(PLENTY).unwrap();
    assert_eq!(settled(&pipeline).held, 4);
    assert_eq!(pipeline.keep(second), KeepOutcome::Exported);
}

proptest! {
    #![proptest_config(config(24))]

    #[test]
    fn the_ring_holds_the_latest_traces_and_no_more_than_its_bytes(
        bytes in 4_096_usize..200_000,
        sizes in prop::collection::vec(0_usize..60, 1..1_500),
    ) {
        let (pipeline, _clock, memory) = start(RecordLimits::default().with_ring_bytes(bytes));
        let ids: Vec<_> =
            sizes.iter().map(|size| make(pipeline.tracer().start_span("root"), *size)).collect();
        let outcomes = pipeline.keep_all(&ids);
        let gone = outcomes.iter().take_while(|outcome| **outcome == KeepOutcome::Unknown).count();
        prop_assert!(outcomes[gone..].iter().all(|outcome| *outcome == KeepOutcome::Exported));
        pipeline.flush(PLENTY).unwrap();
        let held: usize = memory.traces().iter().map(|trace| trace.bytes()).sum();
        prop_assert!(held <= bytes + bytes / 8, "{held} of {bytes} bytes");
        // What is not used of it are the parts of segments that are being filled or have just gone.
        let dropped = ids.len() - memory.traces().len();
        prop_assert!(dropped == 0 || held >= bytes / 4, "{held} of {bytes} bytes");
        prop_assert_eq!(settled(&pipeline).held, 0);
    }
}
