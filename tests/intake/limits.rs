//! What is evicted when there is too much, and spans that were never announced.

use std::time::Duration;

use tailtrace::ledger::Reason;
use tailtrace::record::RecordLimits;
use tailtrace::{Pipeline, TraceId};

use crate::foreign::{Foreign, child, root};
use crate::support::{self, PLENTY, exported, keep_errors, settled};

fn limited(limits: RecordLimits) -> (Pipeline, tailtrace::InMemoryExporter) {
    let (builder, _, memory) = support::pipeline();
    (builder.with_limits(limits).with_tail(keep_errors).start().unwrap(), memory)
}

#[test]
fn a_trace_beyond_the_limit_is_counted_with_all_that_follows_in_it() {
    let (pipeline, memory) = limited(RecordLimits::default().with_live_traces(4));
    let intake = pipeline.intake();
    let roots: Vec<_> = (0..20).map(|_| root(&intake, TraceId::new(), "root")).collect();
    let children: Vec<_> = roots.iter().map(|root| child(&intake, root, "child")).collect();
    let stats = settled(&pipeline);
    assert_eq!((stats.live, stats.dropped_by(Reason::LiveTraces)), (8, 32));
    children.into_iter().for_each(|child| intake.ended(child.failed()));
    roots.into_iter().for_each(|root| intake.ended(root));
    pipeline.flush(PLENTY).unwrap();
    assert_eq!(exported(&memory), [["root", "child"]; 4]);
    assert_eq!(settled(&pipeline).live, 0);
}

#[test]
fn the_memory_of_originals_counts() {
    let (pipeline, _) = limited(RecordLimits::default().with_live_bytes(64 * 1024));
    let intake = pipeline.intake();
    let most = 64 * 1024 / size_of::<Foreign>();
    let mut roots = Vec::new();
    for _ in 0..4 * most {
        let top = root(&intake, TraceId::new(), "root");
        intake.ended(child(&intake, &top, "child"));
        roots.push(top);
    }
    let stats = settled(&pipeline);
    assert!(stats.dropped_by(Reason::LiveBytes) > 0, "{stats}");
    assert!(stats.live < 2 * most as u64, "{stats}");
    roots.into_iter().for_each(|root| intake.ended(root));
    assert_eq!(settled(&pipeline).live, 0);
}

#[test]
fn beyond_the_limit_of_spans_failures_are_recorded_still() {
    let limits = RecordLimits::default().with_spans_per_trace(8);
    let (pipeline, memory) = limited(limits);
    let intake = pipeline.intake();
    let top = root(&intake, TraceId::new(), "root");
    for number in 0..12 {
        let part = child(&intake, &top, "part");
        intake.ended(if number == 11 { part.failed() } else { part });
    }
    intake.ended(top);
    pipeline.flush(PLENTY).unwrap();
    let stats = settled(&pipeline);
    assert_eq!((stats.exported, stats.dropped_by(Reason::SpansPerTrace)), (9, 4));
    assert!(memory.traces()[0].has_errors());
}

#[test]
fn beyond_the_limit_of_bytes_spans_are_counted_and_failures_are_recorded_still() {
    let limits = RecordLimits::default().with_bytes_per_trace(8192);
    let (pipeline, memory) = limited(limits);
    let intake = pipeline.intake();
    let top = root(&intake, TraceId::new(), "root").failed();
    for _ in 0..100 {
        intake.ended(child(&intake, &top, "part"));
    }
    intake.ended(top);
    pipeline.flush(PLENTY).unwrap();
    let stats = settled(&pipeline);
    assert_eq!(stats.exported + stats.dropped_by(Reason::BytesPerTrace), 101);
    assert!(stats.dropped_by(Reason::BytesPerTrace) > 50, "{stats}");
    assert_eq!(memory.traces()[0].root().unwrap().operation_name(), "root");
}

#[test]
fn a_span_that_was_never_announced_or_has_ended_is_ignored() {
    let (pipeline, _) = limited(RecordLimits::default());
    let intake = pipeline.intake();
    let (other, _) = limited(RecordLimits::default());
    let stranger = root(&other.intake(), TraceId::new(), "stranger");
    intake.ended(stranger);
    let top = root(&intake, TraceId::new(), "root");
    let part = child(&intake, &top, "part");
    intake.ended(part.clone());
    intake.ended(part);
    assert_eq!(settled(&pipeline).live, 2);
    intake.ended(top);
    let stats = settled(&pipeline);
    assert_eq!((stats.started, stats.held), (2, 2));
}

#[test]
fn open_spans_are_unfinished_at_the_shutdown_and_what_follows_is_counted() {
    let (pipeline, memory) = limited(RecordLimits::default());
    let intake = pipeline.intake();
    let top = root(&intake, TraceId::new(), "root");
    intake.ended(child(&intake, &top, "part").failed());
    let open = child(&intake, &top, "open");
    let report = pipeline.shutdown(PLENTY);
    assert!(report.is_err(), "two spans were lost");
    intake.ended(open);
    intake.ended(top);
    intake.ended(root(&intake, TraceId::new(), "after"));
    assert_eq!(exported(&memory), [["part"]]);
    let stats = settled(&pipeline);
    assert_eq!(stats.dropped_by(Reason::Unfinished), 2);
    assert_eq!(stats.dropped_by(Reason::ShutDown), 1);
}

#[test]
fn a_million_traces_leave_no_memory_behind() {
    let limits = RecordLimits::default().with_ring_bytes(0);
    let (pipeline, _) = limited(limits);
    let intake = pipeline.intake();
    for _ in 0..50_000 {
        let top = root(&intake, TraceId::new(), "root");
        intake.ended(child(&intake, &top, "part"));
        intake.ended(top);
    }
    // What is remembered of decided traces is bounded, whatever their number.
    assert!(format!("{intake:?}").contains("remembered: 4096"), "{intake:?}");
    assert!(settled(&pipeline).balances());
}

#[test]
fn an_open_span_of_another_tracer_is_counted_and_ages_from_the_first_look() {
    let (builder, clock, _memory) = support::pipeline();
    let pipeline = builder.with_tail(keep_errors).start().unwrap();
    let intake = pipeline.intake();
    let top = root(&intake, TraceId::new(), "root");
    let part = child(&intake, &top, "part");
    let stats = settled(&pipeline);
    assert_eq!((stats.live_traces, stats.open_spans), (1, 2), "{stats}");
    clock.advance(Duration::from_secs(7));
    assert_eq!(settled(&pipeline).oldest_live, Duration::from_secs(7));
    intake.ended(part);
    let stats = settled(&pipeline);
    assert_eq!((stats.open_spans, stats.live), (1, 2), "{stats}");
    intake.ended(top);
    let stats = settled(&pipeline);
    assert_eq!((stats.live_traces, stats.oldest_live), (0, Duration::ZERO), "{stats}");
}
