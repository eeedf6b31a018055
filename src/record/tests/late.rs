//! Spans that end late, and traces that are kept late.

use std::time::Duration;

use super::*;
use crate::ledger::Reason;
use crate::model::{TagRef, TraceId};
use crate::record::KeepOutcome;

#[test]
fn a_straggler_does_not_hold_a_trace_for_ever_and_follows_late() {
    let bench = Bench::keeping_errors(RecordLimits::default());
    let root = bench.start("root");
    let straggler = root.child("straggler".into());
    fail(&root);
    drop(root);
    bench.clock.advance(Duration::from_millis(9_999));
    bench.poll();
    assert_eq!(bench.exported().len(), 0);
    bench.clock.advance(Duration::from_millis(1));
    bench.poll();
    assert_eq!(bench.exported(), [["root"]]);
    straggler.set_tag("still".into(), TagRef::Str("writable"));
    let late_child = straggler.child("late child".into());
    drop(straggler);
    assert_eq!(bench.exported().len(), 1);
    drop(late_child);
    assert_eq!(bench.exported()[1], ["straggler", "late child"]);
    let late = lock(&bench.exported)[1].clone();
    assert!(late.is_late());
    assert_eq!(
        late.spans().next().and_then(|span| span.tag("still")),
        Some(TagRef::Str("writable"))
    );
    assert_eq!((bench.stats().late, bench.stats().live), (2, 0));
}

#[test]
fn stragglers_of_a_dropped_trace_are_dropped_and_counted() {
    let bench = Bench::keeping_errors(RecordLimits::default());
    let root = bench.start("root");
    let straggler = root.child("straggler".into());
    drop(root);
    bench.clock.advance(Duration::from_secs(10));
    bench.poll();
    assert_eq!(bench.stats().dropped_by(Reason::NotKept), 1);
    drop(straggler.child("later still".into()));
    fail(&straggler);
    drop(straggler);
    let stats = bench.stats();
    assert_eq!((stats.dropped_by(Reason::NotKept), stats.held, stats.live), (2, 1, 0));
    assert_eq!(bench.exported().len(), 0);
}

#[test]
fn shutdown_sends_the_late_spans_that_have_ended() {
    let bench = Bench::keeping_errors(RecordLimits::default());
    let root = bench.start("root");
    let late = root.child("late".into());
    let open = root.child("open".into());
    fail(&root);
    drop(root);
    bench.clock.advance(Duration::from_secs(10));
    bench.poll();
    drop(late);
    assert_eq!(bench.recorder.shutdown(bench.clock.clock().now()), Some(1));
    assert_eq!(bench.exported(), [["root"], ["late"]]);
    drop(open);
    assert_eq!((bench.stats().dropped_by(Reason::Unfinished), bench.stats().live), (1, 0));
}

#[test]
fn traces_that_completed_after_their_root_are_not_remembered_for_the_whole_linger() {
    let bench = Bench::keeping_errors(RecordLimits::default());
    for _ in 0..10_000 {
        let root = bench.start("root");
        let child = root.child("child".into());
        drop(root);
        drop(child);
    }
    assert!(bench.recorder.completion.lingering_traces() <= 2_048);
}

#[test]
fn values_that_were_cut_are_counted_when_a_trace_lingered_too() {
    let bench = Bench::keeping_errors(RecordLimits::default());
    let root = bench.start("root");
    let straggler = root.child("straggler".into());
    root.set_tag("long".into(), TagRef::Str(&"x".repeat(20_000)));
    drop(root);
    bench.clock.advance(Duration::from_secs(10));
    bench.poll();
    drop(straggler);
    assert_eq!(bench.stats().cut_values, 1);
}

#[test]
fn a_dropped_trace_can_be_kept_until_it_leaves_the_ring() {
    let bench = Bench::keeping_errors(RecordLimits::default());
    let root = bench.start("root");
    let id = root.context().trace_id;
    assert_eq!(bench.recorder.keep(TraceId::new()), KeepOutcome::NotFound);
    drop(root);
    assert_eq!(bench.stats().held, 1);
    assert_eq!(bench.recorder.keep(id), KeepOutcome::Exported);
    assert_eq!(bench.exported(), [["root"]]);
    assert_eq!(bench.recorder.keep(id), KeepOutcome::NotFound);
    let late = bench.start("late");
    let id = late.context().trace_id;
    drop(late);
    bench.clock.advance(Duration::from_secs(30));
    bench.poll();
    assert_eq!(bench.recorder.keep(id), KeepOutcome::NotFound);
    assert_eq!(bench.stats().dropped_by(Reason::NotKept), 1);
}

#[test]
fn a_live_trace_that_was_asked_for_is_kept_when_it_completes() {
    let bench = Bench::keeping_errors(RecordLimits::default());
    let root = bench.start("root");
    assert_eq!(bench.recorder.keep(root.context().trace_id), KeepOutcome::WhenComplete);
    drop(root);
    assert_eq!(lock(&bench.exported)[0].kept_by(), "asked for");
}
