//! Traces that stay open: a root around the program, a consumer's loop, a stream.

use std::time::Duration;

use tailtrace::delivery::DeliveryConfig;
use tailtrace::model::TagRef;
use tailtrace::record::{KeepOutcome, RecordLimits};
use tailtrace::{Errors, InMemoryExporter, Pipeline, SpanRef, Status, TailPolicy, Trace};
use tailtrace::{TraceView, Verdict};

use super::support::{PLENTY, exported, pipeline, settled};

const MINUTE: Duration = Duration::from_secs(60);

fn names(trace: &Trace) -> Vec<&str> {
    trace.spans().map(SpanRef::operation_name).collect()
}

/// A pipeline whose tail keeps what failed, and its clock.
fn keeping(
    tail: impl TailPolicy + 'static,
) -> (Pipeline, tailtrace::time::ManualClock, InMemoryExporter) {
    let (builder, clock, memory) = pipeline();
    (builder.with_tail(tail).start().unwrap(), clock, memory)
}

#[test]
fn an_error_below_a_root_that_never_ends_is_out_when_its_subtree_is_complete() {
    let (pipeline, clock, memory) = keeping(Errors);
    let root = pipeline.tracer().start_span("loop");
    clock.advance(MINUTE);
    pipeline.flush(PLENTY).unwrap();
    for number in 0..100 {
        let message = root.child("message");
        message.set_tag("number", number);
        let step = message.child("step");
        if number % 10 == 0 {
            step.set_status(Status::error("no stock"));
        }
        drop(step);
        drop(message);
    }
    pipeline.flush(PLENTY).unwrap();
    let traces = memory.traces();
    assert_eq!(traces.len(), 10);
    for trace in &traces {
        assert!(trace.is_part());
        assert_eq!(names(trace), ["message", "step"]);
        assert_eq!(trace.kept_by(), "Errors");
    }
    let stats = settled(&pipeline);
    assert_eq!((stats.exported, stats.held, stats.live), (20, 180, 1));
    // The root leaves when it ends, because something below it was kept.
    drop(root);
    pipeline.flush(PLENTY).unwrap();
    let last = memory.traces().pop().unwrap();
    assert_eq!(
        (names(&last), last.is_part(), last.kept_by()),
        (vec!["loop"], true, "a part below")
    );
    assert_eq!(settled(&pipeline).live, 0);
}

#[test]
fn a_root_below_which_nothing_was_kept_is_dropped_when_it_ends() {
    let (pipeline, clock, memory) = keeping(Errors);
    let root = pipeline.tracer().start_span("loop");
    clock.advance(MINUTE);
    pipeline.flush(PLENTY).unwrap();
    let id = root.context().trace_id;
    (0..10).for_each(|_| drop(root.child("message")));
    drop(root);
    assert_eq!(settled(&pipeline).held, 11);
    assert_eq!(pipeline.keep(id), KeepOutcome::Exported);
    pipeline.flush(PLENTY).unwrap();
    assert_eq!(exported(&memory).concat().len(), 11);
    assert!(memory.traces().iter().all(Trace::is_part));
}

#[test]
fn a_flush_sends_an_error_out_of_a_trace_that_is_open() {
    let (pipeline, _clock, memory) = keeping(Errors);
    let root = pipeline.tracer().start_span("main");
    root.child("fails").set_status(Status::error("no stock"));
    drop(root.child("works"));
    pipeline.flush(PLENTY).unwrap();
    assert_eq!(exported(&memory), [["fails"]]);
    drop(root);
    pipeline.flush(PLENTY).unwrap();
    assert_eq!(exported(&memory), [vec!["fails"], vec!["main", "works"]]);
    settled(&pipeline);
}

#[test]
fn a_loop_of_more_messages_than_a_trace_may_have_spans_keeps_every_failing_one() {
    let (pipeline, _clock, memory) = keeping(Errors);
    let root = pipeline.tracer().start_span("loop");
    for number in 0..30_000 {
        let message = root.child("message");
        if number % 1000 == 999 {
            message.set_status(Status::error("no stock"));
        }
    }
    drop(root);
    pipeline.flush(PLENTY).unwrap();
    assert_eq!(exported(&memory).concat().len(), 31);
    let stats = settled(&pipeline);
    assert_eq!((stats.lost(), stats.started), (0, 30_001));
}

#[test]
fn a_part_is_decided_by_its_top_and_sees_the_open_spans_above_it() {
    let tail = |trace: &TraceView<'_>| {
        let ancestors: Vec<_> = trace.ancestors().map(SpanRef::operation_name).collect();
        let of_queue =
            trace.ancestors().any(|span| span.tag("queue") == Some(TagRef::Str("orders")));
        if !trace.is_part() {
            return Verdict::pass();
        }
        assert_eq!((ancestors, of_queue), (vec!["consumer", "main"], true));
        assert_eq!(trace.root().unwrap().operation_name(), "message");
        assert_eq!(trace.duration(), Duration::from_secs(2));
        Verdict::keep()
    };
    let (pipeline, clock, memory) = keeping(tail);
    let main = pipeline.tracer().start_span("main");
    let consumer = main.child("consumer");
    consumer.set_tag("queue", "orders");
    clock.advance(MINUTE);
    pipeline.flush(PLENTY).unwrap();
    let message = consumer.child("message");
    clock.advance(Duration::from_secs(2));
    drop(message);
    pipeline.flush(PLENTY).unwrap();
    assert_eq!(exported(&memory), [["message"]]);
    assert_eq!(pipeline.stats().panics, 0);
}

#[test]
fn late_spans_of_a_part_follow_it_and_a_late_error_brings_it_back() {
    let (pipeline, clock, memory) = keeping(Errors);
    let root = pipeline.tracer().start_span("loop");
    clock.advance(MINUTE);
    pipeline.flush(PLENTY).unwrap();
    let tracer = pipeline.tracer();
    let message = root.child("works");
    let context = message.context();
    drop(message);
    drop(tracer.start_span_with_context("late", &context));
    assert_eq!(settled(&pipeline).held, 2);
    tracer.start_span_with_context("late error", &context).set_status(Status::error("no stock"));
    pipeline.flush(PLENTY).unwrap();
    assert_eq!(exported(&memory), [["works", "late error"]]);
    let message = root.child("fails");
    message.set_status(Status::error("no stock"));
    let context = message.context();
    drop(message);
    drop(tracer.start_span_with_context("late", &context));
    pipeline.flush(PLENTY).unwrap();
    let late = memory.traces().pop().unwrap();
    assert_eq!((names(&late), late.is_late(), late.is_part()), (vec!["late"], true, true));
    settled(&pipeline);
}

#[test]
fn a_request_for_an_open_trace_keeps_the_parts_that_have_begun_and_no_later_ones() {
    let (pipeline, clock, memory) = keeping(Errors);
    let root = pipeline.tracer().start_span("loop");
    clock.advance(MINUTE);
    pipeline.flush(PLENTY).unwrap();
    let message = root.child("asked for");
    clock.advance(Duration::from_millis(1));
    assert_eq!(pipeline.keep(root.context().trace_id), KeepOutcome::WhenComplete);
    clock.advance(Duration::from_millis(1));
    drop(message);
    drop(root.child("after that"));
    pipeline.flush(PLENTY).unwrap();
    assert_eq!(exported(&memory), [["asked for"]]);
    drop(root);
    pipeline.flush(PLENTY).unwrap();
    assert_eq!(exported(&memory), [["asked for"], ["loop"]]);
}

#[test]
fn a_span_below_a_root_that_has_ended_is_decided_in_parts_as_well() {
    let (pipeline, clock, memory) = keeping(Errors);
    let root = pipeline.tracer().start_span("start");
    let consumer = root.child("loop");
    drop(root);
    for _ in 0..4 {
        clock.advance(Duration::from_secs(20));
        pipeline.flush(PLENTY).unwrap();
    }
    for _ in 0..3 {
        consumer.child("message").set_status(Status::error("no stock"));
        drop(consumer.child("message that works"));
    }
    pipeline.flush(PLENTY).unwrap();
    assert_eq!(exported(&memory), [["message"], ["message"], ["message"]]);
    drop(consumer);
    pipeline.flush(PLENTY).unwrap();
    assert_eq!(exported(&memory).len(), 4);
    settled(&pipeline);
}

#[test]
fn a_shutdown_decides_what_is_complete_below_open_spans() {
    let (pipeline, clock, memory) = keeping(Errors);
    let root = pipeline.tracer().start_span("loop");
    clock.advance(MINUTE);
    pipeline.flush(PLENTY).unwrap();
    let open = root.child("open");
    open.child("fails").set_status(Status::error("no stock"));
    let report = pipeline.shutdown(PLENTY);
    assert!(report.is_err(), "two spans have not ended");
    assert_eq!(exported(&memory), [["fails"]]);
    settled(&pipeline);
}

#[test]
fn the_age_from_which_a_trace_is_decided_in_parts_can_be_set() {
    let (builder, clock, memory) = pipeline();
    let limits = RecordLimits::default().with_part_age(MINUTE * 5);
    let pipeline = builder.with_tail(Errors).with_limits(limits).start().unwrap();
    let root = pipeline.tracer().start_span("loop");
    clock.advance(MINUTE * 4);
    drop(root.child("young"));
    pipeline.flush(PLENTY).unwrap();
    assert_eq!((settled(&pipeline).held, settled(&pipeline).live), (0, 2));
    clock.advance(MINUTE);
    pipeline.flush(PLENTY).unwrap();
    assert_eq!((settled(&pipeline).held, settled(&pipeline).live), (1, 1));
    root.child("old").set_status(Status::error("no stock"));
    pipeline.flush(PLENTY).unwrap();
    assert_eq!(exported(&memory), [["old"]]);
}

#[test]
fn a_trace_that_is_larger_than_the_queue_leaves_by_parts_that_say_so() {
    let (builder, _, memory) = pipeline();
    let config = DeliveryConfig::default().with_max_queued_bytes(20_000);
    let pipeline = builder.with_tail(Errors).with_delivery(config).start().unwrap();
    let root = pipeline.tracer().start_span("batch");
    for number in 0..999 {
        root.child("item").set_tag("number", number);
    }
    root.set_status(Status::error("no stock"));
    drop(root);
    pipeline.flush(PLENTY).unwrap();
    let parts = memory.traces();
    assert!(parts.len() > 2 && parts.iter().all(Trace::is_part), "{}", parts.len());
    let spans = parts.iter().flat_map(Trace::spans);
    assert_eq!(spans.filter(|span| span.operation_name() == "batch").count(), 1);
    assert_eq!(settled(&pipeline).exported, 1_000);
}
