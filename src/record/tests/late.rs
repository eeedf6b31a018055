//! Spans that end late, and traces that are kept late.

use std::time::Duration;

use super::*;
use crate::ledger::Reason;
use crate::model::{TagRef, TraceId};
use crate::time::Tick;

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
fn stragglers_of_a_dropped_trace_follow_it_into_the_ring() {
    let bench = Bench::keeping_errors(RecordLimits::default());
    let (straggler, id) = dropped_with_straggler(&bench);
    drop(straggler.child("later still".into()));
    let context = straggler.context();
    drop(straggler);
    let stats = bench.stats();
    assert_eq!((stats.held, stats.live), (3, 0));
    let refused = bench.recorder.start(SpanStart::under("too late".into(), &context));
    assert!(!refused.is_recording());
    assert_eq!(bench.keep(id), KeepOutcome::Exported);
    assert_eq!(bench.exported(), [vec!["root"], vec!["straggler", "later still"]]);
}

#[test]
fn a_late_error_has_a_dropped_trace_decided_anew_with_what_the_ring_has() {
    let bench = Bench::keeping_errors(RecordLimits::default());
    let (straggler, _) = dropped_with_straggler(&bench);
    let open = straggler.child("open".into());
    fail(&straggler);
    assert_eq!(bench.exported().len(), 0, "an error is decided when its span ends");
    drop(straggler);
    assert_eq!(bench.exported(), [["root", "straggler"]]);
    assert!(!lock(&bench.exported)[0].is_late());
    drop(open);
    assert_eq!(bench.exported()[1], ["open"]);
    assert!(lock(&bench.exported)[1].is_late());
}

#[test]
fn a_dropped_trace_is_decided_anew_once() {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let inner = Arc::clone(&asked);
    let bench = Bench::new(RecordLimits::default(), move |trace| {
        lock(&inner).push(trace.spans().count());
        Verdict::pass()
    });
    let (straggler, _) = dropped_with_straggler(&bench);
    let other = straggler.child("other".into());
    fail(&straggler);
    fail(&other);
    drop(straggler);
    drop(other);
    assert_eq!(*lock(&asked), [1, 2]);
    assert_eq!((bench.stats().held, bench.stats().live), (3, 0));
}

#[test]
fn spans_that_are_open_follow_a_trace_that_is_kept_out_of_the_ring() {
    let bench = Bench::keeping_errors(RecordLimits::default());
    let (straggler, id) = dropped_with_straggler(&bench);
    assert_eq!(bench.keep(id), KeepOutcome::Exported);
    drop(straggler);
    assert_eq!(bench.exported(), [["root"], ["straggler"]]);
    assert_eq!((bench.stats().held, bench.stats().live), (0, 0));
}

#[test]
fn an_error_that_comes_after_the_ring_has_let_go_finds_nothing_to_decide() {
    let limits = RecordLimits::default().with_ring_age(Duration::from_secs(5));
    let bench = Bench::keeping_errors(limits);
    let (straggler, _) = dropped_with_straggler(&bench);
    bench.clock.advance(Duration::from_secs(5));
    bench.poll();
    fail(&straggler);
    drop(straggler);
    let stats = bench.stats();
    assert_eq!((stats.dropped_by(Reason::NotKept), stats.held, stats.live), (1, 1, 0));
    assert_eq!(bench.exported().len(), 0);
}

#[test]
fn an_error_that_ends_while_the_tail_is_asked_is_decided_after_it() {
    let slot: Arc<Mutex<Option<ActiveSpan>>> = Arc::default();
    let inner = Arc::clone(&slot);
    let bench = Bench::new(RecordLimits::default(), move |trace| {
        if let Some(late) = lock(&inner).take() {
            std::thread::spawn(move || {
                fail(&late);
                drop(late);
            })
            .join()
            .unwrap();
        }
        if trace.has_errors() { Verdict::keep() } else { Verdict::pass() }
    });
    let root = bench.start("root");
    *lock(&slot) = Some(root.child("late".into()));
    drop(root);
    bench.clock.advance(Duration::from_secs(10));
    bench.poll();
    assert_eq!(bench.exported(), [["root", "late"]]);
    assert_eq!(bench.stats().live, 0);
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
fn a_dropped_trace_can_be_kept_until_it_leaves_the_ring() {
    let bench = Bench::keeping_errors(RecordLimits::default());
    let root = bench.start("root");
    let id = root.context().trace_id;
    assert_eq!(bench.keep(TraceId::new()), KeepOutcome::Unknown);
    drop(root);
    assert_eq!(bench.stats().held, 1);
    assert_eq!(bench.keep(id), KeepOutcome::Exported);
    assert_eq!(bench.exported(), [["root"]]);
    assert_eq!(bench.keep(id), KeepOutcome::AlreadyKept);
    let late = bench.start("late");
    let id = late.context().trace_id;
    drop(late);
    bench.clock.advance(Duration::from_secs(30));
    bench.poll();
    assert_eq!(bench.keep(id), KeepOutcome::Unknown);
    assert_eq!(bench.stats().dropped_by(Reason::NotKept), 1);
}

#[test]
fn a_live_trace_that_was_asked_for_is_kept_when_it_completes() {
    let bench = Bench::keeping_errors(RecordLimits::default());
    let root = bench.start("root");
    assert_eq!(bench.keep(root.context().trace_id), KeepOutcome::WhenComplete);
    drop(root);
    assert_eq!(lock(&bench.exported)[0].kept_by(), "asked for");
}

#[test]
fn what_had_ended_before_a_trace_was_kept_out_of_the_ring_is_kept_at_a_shutdown() {
    let bench = Bench::keeping_errors(RecordLimits::default());
    let (straggler, id) = dropped_with_straggler(&bench);
    drop(straggler.child("ended".into()));
    assert_eq!(bench.keep(id), KeepOutcome::Exported);
    assert_eq!(bench.recorder.shutdown(bench.clock.clock().now()), Some(1));
    assert_eq!(bench.exported(), [["root"], ["ended"]]);
    assert_eq!(bench.stats().dropped_by(Reason::Unfinished), 1);
    drop(straggler);
}

#[test]
fn the_moment_of_a_decision_is_not_the_end_that_a_program_gives() {
    let limits = RecordLimits::default().with_ring_age(Duration::from_secs(30));
    let bench = Bench::keeping_errors(limits);
    let id = |span: &ActiveSpan| span.context().trace_id;
    let fresh = bench.start("fresh");
    let fresh_id = id(&fresh);
    drop(fresh);
    for end in [Tick::from_nanos(0), Tick::from_nanos(u64::MAX)] {
        let odd = bench.start("odd");
        let odd_id = id(&odd);
        odd.finish(Some(end));
        drop(odd);
        bench.poll();
        assert_eq!(bench.keep(odd_id), KeepOutcome::Exported);
    }
    assert_eq!(bench.keep(fresh_id), KeepOutcome::Exported);
}
