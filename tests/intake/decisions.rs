//! When a trace is complete, what decides about it, and what leaves.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use tailtrace::export::{Batch, ExportError};
use tailtrace::ledger::Reason;
use tailtrace::model::{Resource, Threshold, TraceFlags};
use tailtrace::record::{KeepOutcome, RecordLimits};
use tailtrace::tail::TagEquals;
use tailtrace::{
    AlwaysOff, Errors, Exporter, FixedRateSampler, Pipeline, SamplingRequest, SlowerThan,
    TailSampler, TraceId, TraceView, Verdict,
};

use crate::foreign::{Foreign, at, child, flagged_root, root};
use crate::support::{self, PLENTY, by_name, exported, keep_errors, names, settled};

fn errors() -> (Pipeline, tailtrace::InMemoryExporter) {
    let (builder, _, memory) = support::pipeline();
    (builder.with_tail(keep_errors).start().unwrap(), memory)
}

#[test]
fn a_trace_is_decided_when_the_last_span_ends_whatever_the_order() {
    let (pipeline, memory) = errors();
    let intake = pipeline.intake();
    let top = root(&intake, TraceId::new(), "root");
    let one = child(&intake, &top, "one").starting(1);
    let two = child(&intake, &one, "two").starting(2);
    intake.ended(top);
    intake.ended(one.failed());
    pipeline.flush(PLENTY).unwrap();
    assert!(memory.traces().is_empty(), "a span is open");
    assert_eq!(settled(&pipeline).live, 3);
    intake.ended(two);
    pipeline.flush(PLENTY).unwrap();
    assert_eq!(exported(&memory), [["root", "one", "two"]]);
    let kept = &memory.traces()[0];
    assert_eq!(kept.root().unwrap().operation_name(), "root");
    assert!(kept.root().unwrap().context().flags.is_sampled());
    assert!(!kept.is_late());
    assert_eq!(settled(&pipeline).exported, 3);
}

#[test]
fn what_is_dropped_is_never_read_and_can_be_kept_later() {
    let (pipeline, memory) = errors();
    let intake = pipeline.intake();
    let top = root(&intake, TraceId::new(), "root");
    let (id, reads) = (top.trace_id, Arc::clone(&top.reads));
    intake.ended(top);
    assert_eq!(settled(&pipeline).held, 1);
    assert_eq!(pipeline.keep(id), KeepOutcome::Exported);
    pipeline.flush(PLENTY).unwrap();
    assert_eq!(reads.load(Ordering::Relaxed), 0);
    let traces = memory.traces();
    let kept = traces[0].root().unwrap();
    assert_eq!(kept.tag("name").map(|tag| tag.to_string()), Some("root".to_owned()));
    assert_eq!(kept.logs().count(), 1);
    assert_eq!(reads.load(Ordering::Relaxed), 1, "read once, by the first reader");
}

#[test]
fn policies_that_look_at_outlines_read_nothing_and_others_read_once() {
    let (builder, _, memory) = support::pipeline();
    let tail = TailSampler::new()
        .keep(Errors)
        .keep(SlowerThan(Duration::from_secs(1)))
        .keep(TagEquals::new("name", "wanted"));
    let pipeline = builder.with_tail(tail).start().unwrap();
    let intake = pipeline.intake();
    let slow = root(&intake, TraceId::new(), "slow").lasting(Duration::from_secs(1));
    let slow_reads = Arc::clone(&slow.reads);
    intake.ended(slow);
    let wanted = root(&intake, TraceId::new(), "wanted");
    let wanted_reads = Arc::clone(&wanted.reads);
    intake.ended(wanted);
    assert_eq!(slow_reads.load(Ordering::Relaxed), 0);
    assert_eq!(wanted_reads.load(Ordering::Relaxed), 1);
    pipeline.flush(PLENTY).unwrap();
    assert_eq!(exported(&memory), [["slow"], ["wanted"]]);
    let wanted = memory.traces().into_iter().find(|trace| trace.kept_by() == "TagEquals").unwrap();
    assert_eq!(wanted.root().unwrap().tags().count(), 1);
    assert_eq!(wanted_reads.load(Ordering::Relaxed), 1, "what the policy read goes along");
}

#[test]
fn exporters_get_the_originals_and_others_get_the_details() {
    let (pipeline, memory) = errors();
    let intake = pipeline.intake().with_resource(Resource::new("theirs"));
    let top = root(&intake, TraceId::new(), "root").failed();
    let (id, part) = (top.span_id, child(&intake, &top, "part"));
    intake.ended(part);
    intake.ended(top);
    pipeline.flush(PLENTY).unwrap();
    let trace = &memory.traces()[0];
    assert_eq!(trace.resource().service_name(), "theirs");
    let originals = trace.originals::<Foreign>().unwrap();
    assert_eq!(originals.len(), 2);
    assert!(originals.iter().any(|original| original.span_id == id));
    assert!(trace.originals::<Other>().is_none(), "they are of another type");
    let same = trace.clone().into_originals::<Other>().err().unwrap();
    assert_eq!(same.into_originals::<Foreign>().map(|copies| copies.len()).ok(), Some(2));
    assert_eq!(trace.span(id).unwrap().status_description(), "it broke");
    let mut changed = trace.clone();
    changed.span_mut(id).unwrap().set_tag("more", 1);
    assert!(changed.originals::<Foreign>().is_none(), "they do not say what it says now");
    let root = changed.span(id).unwrap();
    assert_eq!((root.tags().count(), root.status_description()), (2, "it broke"));
}

#[derive(Clone)]
struct Other;

impl tailtrace::adapter::Original for Other {
    fn outline(&self) -> tailtrace::adapter::Outline<'_> {
        unreachable!("it is never made")
    }

    fn describe(&self, _: &mut tailtrace::adapter::SpanMut<'_>) {}
}

#[test]
fn spans_that_end_late_follow_the_decision() {
    for fails in [true, false] {
        let (builder, clock, memory) = support::pipeline();
        let pipeline = builder.with_tail(keep_errors).start().unwrap();
        let intake = pipeline.intake();
        let top = root(&intake, TraceId::new(), "root");
        let straggler = child(&intake, &top, "straggler");
        let after = child(&intake, &straggler, "after");
        intake.ended(if fails { top.failed() } else { top });
        clock.advance(RecordLimits::default().linger);
        let _ = pipeline.flush(PLENTY);
        intake.ended(straggler);
        intake.ended(after);
        pipeline.flush(PLENTY).unwrap();
        let stats = settled(&pipeline);
        if fails {
            assert_eq!(exported(&memory), [vec!["root"], vec!["straggler", "after"]]);
            assert!(memory.traces()[1].is_late());
            assert_eq!(stats.late, 2);
        } else {
            assert!(memory.traces().is_empty());
            assert_eq!(stats.held + stats.dropped_by(Reason::NotKept), 3, "{stats}");
        }
    }
}

#[test]
fn a_child_that_starts_after_its_trace_was_decided_follows_it() {
    let (pipeline, memory) = errors();
    let intake = pipeline.intake();
    let kept = root(&intake, TraceId::new(), "kept").failed();
    intake.ended(kept.clone());
    intake.ended(child(&intake, &kept, "late"));
    let dropped = root(&intake, TraceId::new(), "dropped");
    intake.ended(dropped.clone());
    intake.ended(child(&intake, &dropped, "late").failed());
    pipeline.flush(PLENTY).unwrap();
    assert_eq!(exported(&memory), [["kept"], ["late"]]);
    let stats = settled(&pipeline);
    assert_eq!((stats.started, stats.late, stats.exported), (4, 1, 2));
}

#[test]
fn another_local_root_of_a_decided_trace_is_decided_anew() {
    let (pipeline, memory) = errors();
    let (intake, id) = (pipeline.intake(), TraceId::new());
    intake.ended(root(&intake, id, "first"));
    intake.ended(root(&intake, id, "second").failed());
    let (one, two) = (root(&intake, id, "one"), root(&intake, id, "two").starting(1));
    intake.ended(one.failed());
    assert_eq!(settled(&pipeline).live, 2, "roots at the same time are one local trace");
    intake.ended(two);
    pipeline.flush(PLENTY).unwrap();
    assert_eq!(exported(&memory), [vec!["one", "two"], vec!["second"]]);
}

#[test]
fn the_head_is_asked_through_the_intake_and_its_word_counts() {
    let (builder, _, memory) = support::pipeline();
    let pipeline = builder.with_sampler(by_name).with_tail(keep_errors).start().unwrap();
    let intake = pipeline.intake();
    for name in ["drop it", "sample it", "record it"] {
        let id = TraceId::new();
        let result = intake.sample(&SamplingRequest::new(id, name, intake.now()));
        if name == "drop it" {
            assert_eq!(result, tailtrace::SamplingResult::drop());
            intake.sampled_out();
        } else {
            intake.ended(root(&intake, id, name));
        }
    }
    pipeline.flush(PLENTY).unwrap();
    assert_eq!(exported(&memory), [["sample it"]]);
    let stats = settled(&pipeline);
    assert_eq!((stats.started, stats.sampled_out, stats.held), (4, 2, 1));
}

#[test]
fn the_thresholds_of_head_and_tail_combine() {
    let (builder, _, memory) = support::pipeline();
    let quarter = FixedRateSampler::new(0.25).unwrap();
    let pipeline = builder.with_sampler(quarter).with_tail(keep_errors).start().unwrap();
    let intake = pipeline.intake();
    let ids: Vec<TraceId> = (0..64).map(|_| TraceId::new()).collect();
    let sampled = |id: &&TraceId| {
        let request = SamplingRequest::new(**id, "root", intake.now());
        let result = intake.sample(&request);
        intake.ended(root(&intake, **id, "root"));
        result.is_sampled()
    };
    let sampled = ids.iter().filter(sampled).count();
    pipeline.flush(PLENTY).unwrap();
    assert_eq!(memory.traces().len(), sampled);
    let quarter = Threshold::from_probability(0.25).unwrap();
    assert!(memory.traces().iter().all(|trace| trace.threshold() == Some(quarter)));
    assert!(memory.traces().iter().all(|trace| trace.trace_state().threshold() == Some(quarter)));
}

#[test]
fn without_a_tail_the_sampled_flag_decides() {
    let (builder, _, memory) = support::pipeline();
    let pipeline = builder.with_sampler(AlwaysOff).start().unwrap();
    let intake = pipeline.intake();
    intake.ended(flagged_root(&intake, TraceId::new(), "sampled", TraceFlags::SAMPLED));
    intake.ended(flagged_root(&intake, TraceId::new(), "not", TraceFlags::default()));
    pipeline.flush(PLENTY).unwrap();
    assert_eq!(exported(&memory), [["sampled"]]);
}

#[test]
fn with_a_tail_the_sampled_flag_of_another_tracer_keeps_nothing() {
    let (pipeline, memory) = errors();
    let intake = pipeline.intake();
    intake.ended(flagged_root(&intake, TraceId::new(), "fine", TraceFlags::SAMPLED));
    intake.ended(flagged_root(&intake, TraceId::new(), "broken", TraceFlags::SAMPLED).failed());
    pipeline.flush(PLENTY).unwrap();
    assert_eq!(exported(&memory), [["broken"]]);
}

#[test]
fn what_a_policy_traces_is_refused_and_does_not_disturb_the_trace() {
    let (builder, _, memory) = support::pipeline();
    let inner = Arc::new(std::sync::OnceLock::<tailtrace::adapter::Intake>::new());
    let asked = Arc::new(AtomicUsize::new(0));
    let tail = {
        let (inner, asked) = (Arc::clone(&inner), Arc::clone(&asked));
        move |trace: &TraceView<'_>| {
            asked.fetch_add(1, Ordering::Relaxed);
            let intake = inner.get().unwrap();
            // In the trace that is being decided, as instrumented code would.
            intake.ended(root(intake, trace.trace_id(), "inner"));
            Verdict::keep()
        }
    };
    let pipeline = builder.with_tail(tail).start().unwrap();
    let intake = inner.get_or_init(|| pipeline.intake());
    intake.ended(root(intake, TraceId::new(), "outer"));
    pipeline.flush(PLENTY).unwrap();
    assert_eq!((exported(&memory), asked.load(Ordering::Relaxed)), (vec![vec!["outer".into()]], 1));
    assert_eq!(settled(&pipeline).dropped_by(Reason::OwnWork), 1);
}

#[test]
fn a_description_that_panics_costs_the_details_and_nothing_else() {
    #[derive(Clone)]
    struct Bad(Foreign);

    impl tailtrace::adapter::Original for Bad {
        fn outline(&self) -> tailtrace::adapter::Outline<'_> {
            self.0.outline()
        }

        fn describe(&self, _: &mut tailtrace::adapter::SpanMut<'_>) {
            panic!("the adapter has a bug");
        }
    }

    let (pipeline, memory) = errors();
    let intake = pipeline.intake();
    intake.ended(Bad(root(&intake, TraceId::new(), "root").failed()));
    pipeline.flush(PLENTY).unwrap();
    let trace = &memory.traces()[0];
    assert_eq!((names(trace), trace.has_errors()), (vec!["root"], true));
    assert_eq!(trace.root().unwrap().tags().count(), 0);
    assert_eq!(trace.root().unwrap().start_time(), at(0));
}

#[test]
fn an_exporter_that_has_a_trace_alone_takes_the_originals_without_a_copy() {
    struct Takes(Arc<AtomicUsize>);

    #[async_trait]
    impl Exporter for Takes {
        async fn export(&self, batch: Batch) -> Result<(), ExportError> {
            for trace in batch {
                for original in trace.into_originals::<Foreign>().unwrap() {
                    // An exporter with a copy of the span has this as well.
                    let holders = Arc::strong_count(&original.reads);
                    self.0.fetch_max(holders, Ordering::Relaxed);
                }
            }
            Ok(())
        }
    }

    let holders = Arc::new(AtomicUsize::new(0));
    let pipeline = Pipeline::builder("ours")
        .with_tail(TailSampler::new().keep(Errors))
        .with_exporter(Takes(Arc::clone(&holders)))
        .start()
        .unwrap();
    let intake = pipeline.intake();
    intake.ended(root(&intake, TraceId::new(), "root").failed());
    pipeline.flush(PLENTY).unwrap();
    assert_eq!(holders.load(Ordering::Relaxed), 1);
}

/// A pipeline that has dropped the root of a trace, whose other span is still open.
fn dropped_with_straggler() -> (Pipeline, tailtrace::InMemoryExporter, Foreign) {
    let (builder, clock, memory) = support::pipeline();
    let pipeline = builder.with_tail(keep_errors).start().unwrap();
    let intake = pipeline.intake();
    let top = root(&intake, TraceId::new(), "root");
    let straggler = child(&intake, &top, "straggler").starting(1);
    intake.ended(top);
    clock.advance(RecordLimits::default().linger);
    pipeline.flush(PLENTY).unwrap();
    let stats = settled(&pipeline);
    assert_eq!((stats.held, stats.live), (1, 1));
    (pipeline, memory, straggler)
}

#[test]
fn open_spans_of_a_dropped_trace_follow_it_into_the_ring_and_out_of_it() {
    let (pipeline, memory, straggler) = dropped_with_straggler();
    let intake = pipeline.intake();
    let later = child(&intake, &straggler, "later").starting(2);
    let id = straggler.trace_id;
    intake.ended(straggler);
    intake.ended(later);
    let stats = settled(&pipeline);
    assert_eq!((stats.held, stats.live), (3, 0));
    assert_eq!(pipeline.keep(id), KeepOutcome::Exported);
    pipeline.flush(PLENTY).unwrap();
    assert_eq!(exported(&memory), [vec!["root"], vec!["straggler", "later"]]);
}

#[test]
fn open_spans_follow_a_trace_that_is_kept_out_of_the_ring() {
    let (pipeline, memory, straggler) = dropped_with_straggler();
    assert_eq!(pipeline.keep(straggler.trace_id), KeepOutcome::Exported);
    pipeline.intake().ended(straggler);
    pipeline.flush(PLENTY).unwrap();
    assert_eq!(exported(&memory), [["root"], ["straggler"]]);
    assert!(memory.traces()[1].is_late());
    settled(&pipeline);
}

#[test]
fn a_late_error_has_a_dropped_trace_decided_anew_once_with_its_originals() {
    let (pipeline, memory, straggler) = dropped_with_straggler();
    let intake = pipeline.intake();
    let open = child(&intake, &straggler, "open").starting(2);
    intake.ended(straggler.failed());
    pipeline.flush(PLENTY).unwrap();
    assert_eq!(exported(&memory), [["root", "straggler"]]);
    assert_eq!(memory.traces()[0].originals::<Foreign>().map(<[Foreign]>::len), Some(2));
    intake.ended(open);
    pipeline.flush(PLENTY).unwrap();
    assert_eq!(exported(&memory), [vec!["open"], vec!["root", "straggler"]]);
    settled(&pipeline);
}

#[test]
fn open_spans_of_a_dropped_trace_are_unfinished_at_the_shutdown() {
    let (pipeline, memory, straggler) = dropped_with_straggler();
    pipeline.intake().started(
        tailtrace::adapter::Started {
            trace_id: straggler.trace_id,
            span_id: tailtrace::SpanId::new(),
            is_local_root: false,
        },
        || unreachable!("its trace is known"),
    );
    pipeline.intake().ended(straggler);
    let _ = pipeline.shutdown(PLENTY);
    assert!(memory.traces().is_empty());
    let stats = settled(&pipeline);
    assert_eq!(stats.dropped_by(Reason::NotKept), 2);
    assert_eq!((stats.dropped_by(Reason::Unfinished), stats.live), (1, 0));
}
