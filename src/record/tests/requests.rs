//! Requests for traces, and their reasons.

use super::*;
use crate::record::KeepOutcome;

#[test]
fn a_person_has_a_trace_kept_that_a_policy_drops_on_purpose_and_a_notice_does_not() {
    let bench = Bench::new(RecordLimits::default(), |_| Verdict::drop());
    let id = |span: &ActiveSpan| span.context().trace_id;
    let heard = bench.start("heard");
    let asked = bench.start("asked");
    let heard_id = id(&heard);
    assert_eq!(bench.hear(heard_id), KeepOutcome::WhenComplete);
    assert_eq!(bench.hear(id(&asked)), KeepOutcome::WhenComplete);
    assert_eq!(bench.keep(id(&asked)), KeepOutcome::WhenComplete);
    assert_eq!(bench.hear(id(&asked)), KeepOutcome::WhenComplete);
    drop(heard);
    drop(asked);
    assert_eq!(bench.exported(), [["asked"]]);
    assert_eq!(lock(&bench.exported)[0].kept_by(), ASKED_FOR);
    assert_eq!(bench.keep(heard_id), KeepOutcome::DroppedOnPurpose);
}

#[test]
fn what_a_notice_keeps_names_its_reason_and_tells_no_threshold() {
    let bench = Bench::keeping_errors(RecordLimits::default());
    let (straggler, lingering_id) = dropped_with_straggler(&bench);
    let held = bench.start("held");
    let held_id = held.context().trace_id;
    let running = bench.start("running");
    let running_id = running.context().trace_id;
    drop(held);
    assert_eq!(bench.hear(held_id), KeepOutcome::Exported);
    assert_eq!(bench.hear(running_id), KeepOutcome::WhenComplete);
    assert_eq!(bench.hear(lingering_id), KeepOutcome::Exported);
    drop(straggler);
    drop(running);
    let exported = lock(&bench.exported);
    assert_eq!(exported.len(), 4);
    for trace in exported.iter() {
        assert_eq!((trace.kept_by(), trace.threshold()), ("Errors at payments", None));
    }
}

#[test]
fn the_reason_of_an_earlier_trace_is_not_that_of_the_next_in_its_place() {
    let bench = Bench::new(RecordLimits::default(), |trace| {
        let is_unwanted = trace.root().is_some_and(|root| root.operation_name() == "unwanted");
        if is_unwanted { Verdict::drop() } else { Verdict::pass() }
    });
    let unwanted = bench.start("unwanted");
    bench.hear(unwanted.context().trace_id);
    drop(unwanted);
    let wanted = bench.start("wanted");
    bench.keep(wanted.context().trace_id);
    drop(wanted);
    assert_eq!(lock(&bench.exported)[0].kept_by(), ASKED_FOR);
}
