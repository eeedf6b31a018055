//! Random programs of another tracer on several threads, against a naive model.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use proptest::prelude::*;
use tailtrace::adapter::Intake;
use tailtrace::{SpanId, SpanRef, TraceId};

use crate::foreign::{Foreign, child, root};
use crate::support::{self, PLENTY, keep_errors};

/// One step of a thread that works in one trace.
#[derive(Clone, Debug)]
enum Step {
    /// Starts a child of the open span at this place.
    Start(usize),
    /// Ends the open span at this place, with or without an error.
    End(usize, bool),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        any::<usize>().prop_map(Step::Start),
        (any::<usize>(), prop::bool::weighted(0.1)).prop_map(|(at, fails)| Step::End(at, fails)),
    ];
    prop::collection::vec(step, 0..40)
}

/// Runs a program in a trace of its own; its spans, and whether one of them failed.
fn run(intake: &Intake, steps: &[Step]) -> (TraceId, BTreeSet<SpanId>, bool) {
    let top = root(intake, TraceId::new(), "root");
    let id = top.trace_id;
    let (mut spans, mut failed) = (BTreeSet::from([top.span_id]), false);
    let mut open: Vec<Foreign> = vec![top];
    for step in steps {
        match *step {
            Step::Start(at) => {
                let new = child(intake, &open[at % open.len()], "part");
                spans.insert(new.span_id);
                open.push(new);
            }
            // The trace is complete with its last span, so one stays open till the end.
            Step::End(at, fails) if open.len() > 1 => {
                let span = open.swap_remove(at % open.len());
                failed |= fails;
                intake.ended(if fails { span.failed() } else { span });
            }
            Step::End(..) => {}
        }
    }
    open.into_iter().for_each(|span| intake.ended(span));
    (id, spans, failed)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn exactly_the_traces_with_errors_are_exported_whole(
        programs in prop::collection::vec(prop::collection::vec(steps(), 0..6), 1..4),
    ) {
        let (builder, _clock, memory) = support::pipeline();
        let pipeline = builder.with_tail(keep_errors).start().unwrap();
        let ran = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for thread in &programs {
                let (intake, ran) = (pipeline.intake(), &ran);
                scope.spawn(move || {
                    let mine: Vec<_> = thread.iter().map(|steps| run(&intake, steps)).collect();
                    ran.lock().unwrap().extend(mine);
                });
            }
        });
        pipeline.flush(PLENTY).unwrap();
        let ran = ran.into_inner().unwrap();
        let expected: BTreeMap<TraceId, BTreeSet<SpanId>> = ran
            .iter()
            .filter(|(_, _, failed)| *failed)
            .map(|(id, spans, _)| (*id, spans.clone()))
            .collect();
        let exported: BTreeMap<TraceId, BTreeSet<SpanId>> = memory
            .traces()
            .iter()
            .map(|trace| (trace.trace_id(), trace.spans().map(SpanRef::span_id).collect()))
            .collect();
        prop_assert_eq!(exported, expected);
        let stats = pipeline.stats();
        let started: usize = ran.iter().map(|(_, spans, _)| spans.len()).sum();
        prop_assert_eq!((stats.started, stats.live), (started as u64, 0));
        prop_assert!(stats.balances(), "{}", stats);
    }
}
