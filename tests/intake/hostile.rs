//! Spans in an impossible order, and adapters with bugs.

use std::sync::Barrier;

use tailtrace::adapter::{Original, Outline, SpanMut, Started};
use tailtrace::ledger::Reason;
use tailtrace::record::RecordLimits;
use tailtrace::{SamplingRequest, SpanId, TraceContext, TraceId};

use crate::foreign::{Foreign, child, root};
use crate::support::{self, PLENTY, by_name, exported, keep_errors, settled};

#[test]
fn local_roots_of_one_trace_that_start_at_the_same_time_are_one_local_trace() {
    let (builder, _, memory) = support::pipeline();
    let pipeline = builder.with_tail(keep_errors).start().unwrap();
    let (intake, trace_id) = (pipeline.intake(), TraceId::new());
    let both_are_starting = Barrier::new(2);
    let template = root(&intake, TraceId::new(), "root");
    let start = || {
        let span_id = SpanId::new();
        intake.started(Started { trace_id, span_id, is_local_root: true }, || {
            both_are_starting.wait();
            TraceContext::new(trace_id, span_id)
        });
        Foreign { trace_id, span_id, ..template.clone() }
    };
    let (one, two) = std::thread::scope(|scope| {
        let other = scope.spawn(start);
        (start(), other.join().unwrap())
    });
    intake.ended(template);
    intake.ended(one.failed());
    intake.ended(two);
    pipeline.flush(PLENTY).unwrap();
    assert_eq!(exported(&memory), [["root", "root"]]);
    assert_eq!(settled(&pipeline).live, 0);
}

#[test]
fn what_the_head_samples_is_kept_though_its_trace_was_only_recorded_before() {
    let (builder, _, memory) = support::pipeline();
    let pipeline = builder.with_sampler(by_name).with_tail(keep_errors).start().unwrap();
    let (intake, id) = (pipeline.intake(), TraceId::new());
    let ask = |name| intake.sample(&SamplingRequest::new(id, name, intake.now())).is_sampled();
    assert!(!ask("record it"));
    let first = root(&intake, id, "record it");
    assert!(ask("sample it"), "the caller of this one is told that it is kept");
    let second = root(&intake, id, "sample it").starting(1);
    intake.ended(first);
    intake.ended(second);
    assert!(!ask("record more"));
    intake.ended(root(&intake, id, "record more"));
    pipeline.flush(PLENTY).unwrap();
    assert_eq!(exported(&memory), [["record it", "sample it"]], "and no word outlives its trace");
    settled(&pipeline);
}

#[test]
fn a_local_root_is_decided_anew_though_spans_of_a_dropped_trace_are_open() {
    let (builder, clock, memory) = support::pipeline();
    let pipeline = builder.with_tail(keep_errors).start().unwrap();
    let (intake, id) = (pipeline.intake(), TraceId::new());
    let first = root(&intake, id, "first");
    let straggler = child(&intake, &first, "straggler");
    intake.ended(first);
    clock.advance(RecordLimits::default().linger);
    pipeline.flush(PLENTY).unwrap();
    let late = child(&intake, &straggler, "late");
    intake.ended(root(&intake, id, "second").failed());
    intake.ended(late.failed());
    intake.ended(straggler);
    pipeline.flush(PLENTY).unwrap();
    assert_eq!(exported(&memory), [["second", "first", "late", "straggler"]]);
    assert_eq!(settled(&pipeline).live, 0);
}

/// The same spans by another adapter.
#[derive(Clone)]
struct Beside(Foreign);

impl Original for Beside {
    fn outline(&self) -> Outline<'_> {
        self.0.outline()
    }

    fn describe(&self, span: &mut SpanMut<'_>) {
        self.0.describe(span);
    }
}

#[test]
fn spans_of_a_second_adapter_in_one_trace_cost_the_first_nothing() {
    let (builder, _, memory) = support::pipeline();
    let pipeline = builder.with_tail(keep_errors).start().unwrap();
    let intake = pipeline.intake();
    let top = root(&intake, TraceId::new(), "root");
    let (one, two) = (child(&intake, &top, "one").starting(1), child(&intake, &top, "two"));
    intake.ended(one);
    intake.ended(Beside(two));
    intake.ended(top.failed());
    pipeline.flush(PLENTY).unwrap();
    let stats = settled(&pipeline);
    assert_eq!(exported(&memory), [["root", "one"]]);
    assert_eq!((stats.live, stats.dropped_by(Reason::BytesPerTrace)), (0, 1), "{stats}");
}

/// A span whose adapter panics in one place.
#[derive(Clone)]
struct Bad(Foreign, Place);

#[derive(Clone, Copy, Debug, PartialEq)]
enum Place {
    Outline,
    IsError,
    Bytes,
    Ids,
    Nowhere,
}

impl Bad {
    fn pass(&self, place: Place) {
        assert!(self.1 != place, "the adapter has a bug");
    }
}

impl Original for Bad {
    fn ids(&self) -> (TraceId, SpanId) {
        self.pass(Place::Ids);
        (self.0.trace_id, self.0.span_id)
    }

    fn is_error(&self) -> bool {
        self.pass(Place::IsError);
        self.0.is_error()
    }

    fn outline(&self) -> Outline<'_> {
        self.pass(Place::Outline);
        self.0.outline()
    }

    fn describe(&self, span: &mut SpanMut<'_>) {
        self.0.describe(span);
    }

    fn bytes(&self) -> usize {
        self.pass(Place::Bytes);
        self.0.bytes()
    }
}

#[test]
fn an_adapter_that_panics_costs_its_own_span_at_most() {
    for place in [Place::Outline, Place::IsError, Place::Bytes, Place::Ids] {
        let (builder, _, memory) = support::pipeline();
        let pipeline = builder.with_tail(keep_errors).start().unwrap();
        let intake = pipeline.intake();
        let top = root(&intake, TraceId::new(), "root");
        let bad = child(&intake, &top, "bad");
        intake.ended(Bad(top.failed(), Place::Nowhere));
        intake.ended(Bad(bad, place));
        let _ = pipeline.shutdown(PLENTY);
        let stats = settled(&pipeline);
        assert!(!exported(&memory).is_empty(), "{place:?}");
        assert_eq!(stats.exported + stats.dropped_by(Reason::Unfinished), 2, "{place:?} {stats}");
    }
}
