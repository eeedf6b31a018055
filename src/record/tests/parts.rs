//! Traces that are decided in parts.

use super::*;
use crate::model::TagRef;

const PART_AGE: Duration = Duration::from_secs(60);

/// A trace that is decided in parts, as its root has been open for long.
fn long_open(bench: &Bench) -> ActiveSpan {
    let root = bench.start("loop");
    bench.clock.advance(PART_AGE);
    bench.poll();
    root
}

#[cfg(feature = "layer")]
#[test]
fn a_look_at_parts_leaves_a_trace_alone_that_was_decided_meanwhile() {
    for is_sent_open in [false, true] {
        let bench = Bench::keeping_errors(RecordLimits::default());
        let root = long_open(&bench);
        let mut child = root.child("child".into());
        fail(&root);
        let mut look = None;
        child.finish_with(None, |due| look = Some(due));
        if is_sent_open {
            bench.recorder.send_open(true, bench.now());
        }
        drop(root);
        assert_eq!(bench.exported(), [["loop", "child"]]);
        assert!(look.is_some());
        drop(look);
        assert_eq!(bench.exported(), [["loop", "child"]]);
        assert_eq!((bench.stats().live, bench.stats().panics), (0, 0));
    }
}

#[test]
fn late_spans_of_a_trace_that_was_kept_leave_before_it_is_decided_in_parts() {
    let bench = Bench::keeping_errors(RecordLimits::default());
    let root = bench.start("root");
    let straggler = root.child("straggler".into());
    fail(&root);
    drop(root);
    bench.clock.advance(Duration::from_secs(10));
    bench.poll();
    drop(straggler.child("late".into()));
    assert_eq!(bench.exported(), [["root"]]);
    bench.clock.advance(PART_AGE);
    bench.poll();
    assert_eq!(bench.exported(), [["root"], ["late"]]);
    drop(straggler);
    assert_eq!(bench.exported(), [["root"], ["late"], ["straggler"]]);
    assert_eq!((bench.stats().live, bench.stats().held), (0, 0));
}

#[test]
fn values_that_were_cut_in_parts_are_counted_once() {
    let bench = Bench::keeping_errors(RecordLimits::default());
    let cut = |span: &ActiveSpan| span.set_tag("long".into(), TagRef::Str(&"x".repeat(20_000)));
    let root = bench.start("root");
    let failed = root.child("failed".into());
    cut(&failed);
    fail(&failed);
    drop(failed);
    // It is sent apart from the open root.
    bench.recorder.send_complete_parts(bench.now());
    assert_eq!(bench.exported(), [["failed"]]);
    assert_eq!(bench.stats().cut_values, 1);
    cut(&root);
    drop(root);
    assert_eq!(bench.stats().cut_values, 2);
}

#[test]
fn values_of_a_trace_that_lingered_are_counted_once_though_a_late_error_takes_it_out_of_the_ring() {
    for (fails, is_sent_open) in [(false, false), (true, false), (true, true)] {
        let bench = Bench::keeping_errors(RecordLimits::default());
        let root = bench.start("root");
        let straggler = root.child("straggler".into());
        root.set_tag("long".into(), TagRef::Str(&"x".repeat(20_000)));
        drop(root);
        bench.clock.advance(Duration::from_secs(10));
        bench.poll();
        assert_eq!((bench.stats().held, bench.stats().cut_values), (1, 1));
        if fails {
            fail(&straggler);
        }
        if is_sent_open {
            bench.recorder.send_open(true, bench.now());
        }
        drop(straggler);
        let exported = bench.exported();
        assert_eq!(exported.len(), usize::from(fails));
        assert!(exported.iter().all(|names| *names == ["root", "straggler"]), "{exported:?}");
        assert_eq!(bench.stats().cut_values, 1);
    }
}

#[test]
fn what_a_trace_remembers_of_its_parts_counts_until_the_trace_has_gone() {
    let ways: [fn(&Bench, &ActiveSpan); 4] = [
        |_, _| (),
        |bench, _| bench.recorder.send_open(true, bench.now()),
        |_, root| fail(root),
        |bench, _| {
            let others: Vec<_> = (0..8).map(|_| bench.start("other")).collect();
            others.iter().for_each(fail);
        },
    ];
    for way in ways {
        let bench = Bench::keeping_errors(RecordLimits::default().with_live_traces(4));
        let bytes = || bench.recorder.traces.bytes();
        let root = long_open(&bench);
        let idle = bytes();
        (0..300).for_each(|_| drop(root.child("message".into())));
        let busy = bytes();
        assert!(busy > idle + 2_000, "{idle} {busy}");
        (0..300).for_each(|_| drop(root.child("message".into())));
        assert_eq!(bytes(), busy);
        way(&bench, &root);
        drop(root);
        assert_eq!((bytes(), bench.stats().live), (0, 0));
    }
}

#[test]
fn spans_over_a_limit_take_memory_of_their_trace_only_while_they_are_open() {
    let bench = Bench::keeping_errors(RecordLimits::default().with_spans_per_trace(3));
    let root = bench.start("root");
    let full: Vec<_> = (0..2).map(|_| root.child("step".into())).collect();
    let before = bench.recorder.traces.bytes();
    let over: Vec<_> = (0..10).map(|_| root.child("one more".into())).collect();
    assert!(bench.recorder.traces.bytes() > before, "they are counted");
    drop(over);
    assert_eq!(bench.recorder.traces.bytes(), before);
    drop((full, root));
    assert_eq!((bench.recorder.traces.bytes(), bench.stats().live), (0, 0));
}
