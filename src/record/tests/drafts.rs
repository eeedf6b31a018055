//! Roots whose parent may still change.

use std::sync::OnceLock;

use super::*;
use crate::ledger::Reason;
use crate::model::{Incoming, SpanId, TraceContext};
use crate::sampling::Sampler;

/// Settles a draft as the layer does.
fn settle(draft: Draft, parent: Option<&ActiveSpan>) -> ActiveSpan {
    let parent = parent.map(ActiveSpan::context);
    let answer = draft.request(parent.map(Incoming::from).as_ref()).ask().unwrap();
    draft.settle(answer)
}

fn draft(bench: &Bench, name: &'static str) -> Draft {
    match Draft::start(&bench.recorder, name) {
        DraftStart::Draft(draft) => draft,
        DraftStart::Started(span) => panic!("{name} is no draft: {span:?}"),
    }
}

#[test]
fn a_sampler_may_trace_when_it_is_asked_whether_it_drops_everything() {
    #[derive(Clone, Default)]
    struct Curious(Arc<OnceLock<Arc<Recorder>>>);

    impl Sampler for Curious {
        fn should_sample(&self, _: &SamplingRequest<'_>) -> SamplingResult {
            SamplingResult::record()
        }

        fn drops_everything(&self) -> bool {
            if let Some(recorder) = self.0.get() {
                assert!(matches!(Draft::start(recorder, "its own"), DraftStart::Started(_)));
            }
            false
        }
    }

    let bench = Bench::keeping_errors(RecordLimits::default());
    let sampler = Curious::default();
    assert!(sampler.0.set(Arc::clone(&bench.recorder)).is_ok());
    bench.recorder.set_sampler(&(Arc::new(sampler) as Arc<dyn Sampler>));
    drop(settle(draft(&bench, "root"), None));
    let stats = bench.stats();
    assert_eq!((stats.panics, stats.dropped_by(Reason::OwnWork)), (0, 1));
}

#[test]
fn a_draft_that_failed_makes_the_trace_it_joins_worth_keeping() {
    let bench = Bench::keeping_errors(RecordLimits::default().with_live_traces(2));
    let root = bench.start("root");
    let mut draft = draft(&bench, "draft");
    draft.write(|edit| {
        edit.set_status(Status::error("it failed"));
    });
    let failed = settle(draft, Some(&root));
    // More than there is room for, some of which are worth more than the first but for its error.
    let others: Vec<_> = (0..16).map(|_| bench.start("other")).collect();
    drop((failed, root, others));
    assert_eq!(bench.exported(), [["root", "draft"]]);
}

#[test]
fn a_draft_that_failed_goes_before_a_trace_without_errors_at_a_limit() {
    let bench = Bench::keeping_errors(RecordLimits::default().with_live_traces(1));
    for _ in 0..16 {
        let other = bench.start("other");
        let mut draft = draft(&bench, "draft");
        draft.write(|edit| {
            edit.set_status(Status::error("it failed"));
        });
        assert!(settle(draft, None).is_recording());
        drop(other);
    }
    assert_eq!(bench.exported().len(), 16);
}

#[test]
fn a_draft_that_was_sent_while_it_was_open_is_counted_once_whatever_becomes_of_it() {
    for fate in 0..4 {
        let bench = Bench::keeping_errors(RecordLimits::default());
        let parent = bench.start("parent");
        let DraftStart::Draft(draft) = Draft::start(&bench.recorder, "draft") else { panic!() };
        bench.recorder.send_open(true, bench.now());
        assert_eq!(bench.stats().exported, 2);
        match fate {
            0 => drop(draft),
            1 => {
                let outcome = draft.request(None).ask().unwrap();
                drop(draft.settle(outcome));
            }
            2 => {
                let incoming = Incoming::from(parent.context());
                let outcome = draft.request(Some(&incoming)).ask().unwrap();
                drop(draft.settle(outcome));
            }
            _ => {
                let caller = TraceContext::new(TraceId::new(), SpanId::new()).remote();
                let incoming = Incoming::from(caller);
                let outcome = draft.request(Some(&incoming)).ask().unwrap();
                drop(draft.settle(outcome));
            }
        }
        drop(parent);
        let stats = bench.stats();
        assert_eq!((stats.started, stats.exported, stats.live), (2, 2, 0), "fate {fate}: {stats}");
    }
}
