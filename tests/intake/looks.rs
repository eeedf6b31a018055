//! What is known of spans before their details are read, and of spans that several threads end at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use tailtrace::adapter::{Original, Outline, SpanMut};
use tailtrace::ledger::Reason;
use tailtrace::record::KeepOutcome;
use tailtrace::{Errors, SlowerThan, SpanId, TailSampler, TraceId};

use crate::foreign::{Foreign, child, root};
use crate::support::{self, PLENTY, exported, keep_errors, settled};

/// A span that counts how often its details are read.
#[derive(Clone)]
struct Watched {
    span: Foreign,
    looks: Arc<AtomicUsize>,
}

impl Original for Watched {
    fn ids(&self) -> (TraceId, SpanId) {
        self.span.ids()
    }

    fn is_error(&self) -> bool {
        self.span.is_error()
    }

    fn times(&self) -> (SystemTime, SystemTime) {
        self.span.times()
    }

    fn outline(&self) -> Outline<'_> {
        self.looks.fetch_add(1, Ordering::Relaxed);
        self.span.outline()
    }

    fn describe(&self, span: &mut SpanMut<'_>) {
        self.span.describe(span);
    }
}

#[test]
fn errors_and_times_are_known_without_a_look_at_a_span() {
    let (builder, _, memory) = support::pipeline();
    let tail = TailSampler::new().keep(Errors).keep(SlowerThan(Duration::from_secs(3)));
    let pipeline = builder.with_tail(tail).start().unwrap();
    let (intake, looks) = (pipeline.intake(), Arc::new(AtomicUsize::new(0)));
    let watched = |span| Watched { span, looks: Arc::clone(&looks) };
    for seconds in [1, 2] {
        let top = root(&intake, TraceId::new(), "root");
        let id = top.trace_id;
        let part = child(&intake, &top, "part").starting(seconds).lasting(Duration::from_secs(1));
        intake.ended(watched(part));
        intake.ended(watched(top));
        // What is kept is counted by the name of its root, the one span that is looked at.
        let looked = if seconds == 1 { 0 } else { 2 };
        assert_eq!(looks.load(Ordering::Relaxed), looked);
        // What was slow is kept, and the other is still held.
        let outcome = if seconds == 1 { KeepOutcome::Exported } else { KeepOutcome::AlreadyKept };
        assert_eq!(pipeline.keep(id), outcome);
    }
    pipeline.flush(PLENTY).unwrap();
    let of_one = exported(&memory);
    assert_eq!(of_one, [["root", "part"]; 2]);
    let traces = memory.traces();
    assert_eq!(traces[1].duration(), Duration::from_secs(3));
    let root = traces[1].root().unwrap();
    assert_eq!((root.operation_name(), root.tags().count()), ("root", 1));
    assert_eq!(
        looks.load(Ordering::Relaxed),
        6,
        "the names of two roots, and then four spans by their first reader"
    );
}

#[test]
fn the_details_of_a_span_are_its_own_wherever_the_root_ended() {
    let (builder, _, memory) = support::pipeline();
    let pipeline = builder.with_tail(keep_errors).start().unwrap();
    let intake = pipeline.intake();
    let top = root(&intake, TraceId::new(), "root");
    let parts: Vec<_> = ["a", "b", "c", "d"].map(|name| child(&intake, &top, name)).into();
    let mut parts = parts.into_iter();
    parts.by_ref().take(2).for_each(|part| intake.ended(part));
    intake.ended(top.failed());
    parts.for_each(|part| intake.ended(part));
    pipeline.flush(PLENTY).unwrap();
    let trace = &memory.traces()[0];
    assert_eq!(trace.root().unwrap().operation_name(), "root");
    assert_eq!(trace.span_count(), 5);
    for span in trace.spans() {
        let told = span.tag("name").map(|tag| tag.to_string());
        assert_eq!(told.as_deref(), Some(span.operation_name()));
    }
}

#[test]
fn spans_of_two_tracers_in_one_trace_are_counted_where_only_one_can_be_held() {
    let (builder, _, memory) = support::pipeline();
    let pipeline = builder.with_tail(keep_errors).start().unwrap();
    let intake = pipeline.intake();
    let top = root(&intake, TraceId::new(), "root");
    let other = Watched { span: child(&intake, &top, "other"), looks: Arc::default() };
    intake.ended(child(&intake, &top, "part"));
    intake.ended(other);
    intake.ended(top.failed());
    pipeline.flush(PLENTY).unwrap();
    assert_eq!(memory.traces()[0].span_count(), 2);
    let stats = settled(&pipeline);
    assert_eq!((stats.exported, stats.dropped_by(Reason::BytesPerTrace)), (2, 1));
}

#[test]
fn threads_that_start_and_end_spans_of_one_trace_lose_none() {
    let (builder, _, _) = support::pipeline();
    let pipeline = builder.with_tail(keep_errors).start().unwrap();
    let intake = pipeline.intake();
    for round in 0..20 {
        let top = root(&intake, TraceId::new(), "root");
        let top = if round % 2 == 0 { top.failed() } else { top };
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..50 {
                        let part = child(&intake, &top, "part");
                        let below = child(&intake, &part, "below");
                        intake.ended(part);
                        intake.ended(below);
                    }
                });
            }
            // The trace is complete whenever no thread is inside of it.
            intake.ended(top.clone());
        });
        assert_eq!(settled(&pipeline).live, 0, "round {round}");
    }
    pipeline.flush(PLENTY).unwrap();
    let stats = settled(&pipeline);
    assert_eq!(stats.started, 20 * 401);
    assert!(stats.exported >= 10, "{stats}");
}
