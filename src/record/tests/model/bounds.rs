//! Random programs at limits too small for the table: nothing is exceeded, nothing unaccounted for.

use super::*;

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_limit_is_exceeded_and_no_span_unaccounted_for(
        steps in steps(),
        live_traces in 1..6_usize,
        spans_per_trace in 1..6_u32,
        live_bytes in 500..4_000_usize,
    ) {
        let limits = RecordLimits::default().with_live_traces(live_traces).with_spans_per_trace(spans_per_trace).with_live_bytes(live_bytes);
        let bench = Bench::keeping_errors(limits);
        let mut spans: Vec<ActiveSpan> = Vec::new();
        for step in steps {
            let pick = |which: usize| spans.get(which % spans.len().max(1));
            let started = match step {
                Step::Root(head) => Some(bench.start(head.prefix())),
                Step::Child(which) => pick(which).map(|parent| parent.child("child".into())),
                Step::ChildOfContext(which) => pick(which).map(|parent| {
                    bench.recorder.start(SpanStart::under("child".into(), &parent.context()))
                }),
                Step::Fail(which) => pick(which).and_then(|span| { fail(span); None }),
                Step::Finish(which) => pick(which).and_then(|span| { span.finish(None); None }),
                Step::Advance(seconds) => {
                    bench.clock.advance(Duration::from_secs(seconds));
                    bench.poll();
                    None
                }
                Step::SendOpen(is_all) => {
                    bench.recorder.send_open(is_all, bench.now());
                    None
                }
                Step::Keep(_)
                | Step::Notice(_)
                | Step::Draft
                | Step::FailDraft(_)
                | Step::SettleDraft(_)
                | Step::JoinDraft(..) => None,
            };
            spans.extend(started);
            prop_assert!(bench.recorder.traces.count() <= live_traces);
            let stats = bench.recorder.stats();
            prop_assert!(stats.balances(), "{}", stats);
        }
        let total = spans.len() as u64;
        drop(spans);
        let stats = bench.recorder.stats();
        prop_assert!(stats.balances(), "{}", stats);
        prop_assert_eq!((stats.started, stats.live), (total, 0));
        let most = spans_per_trace + (spans_per_trace / 8).max(1);
        for trace in lock(&bench.exported).iter() {
            // A trace that a late error had decided anew is what the ring had and what came since.
            prop_assert!(trace.span_count() <= 2 * most as usize);
        }
    }
}
