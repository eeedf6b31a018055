use super::*;
use crate::kit::secret::secret_order;
use crate::ledger::Reason;
use crate::model::{LogLevel, TagRef};
use crate::sampling::Sampler;
use crate::tail::{TailPolicy, TailSampler};

fn small() -> RecordLimits {
    RecordLimits::default().with_live_traces(4).with_spans_per_trace(8)
}

#[test]
fn a_trace_is_decided_when_its_last_span_ends_and_not_before() {
    let bench = Bench::keeping_errors(RecordLimits::default());
    let root = bench.start("root");
    let child = root.child("child".into());
    fail(&child);
    drop(root);
    assert_eq!(bench.exported().len(), 0);
    assert_eq!(bench.stats().live, 2);
    drop(child);
    assert_eq!(bench.exported(), [["root", "child"]]);
    assert_eq!(bench.stats().exported, 2);
}

#[test]
fn the_head_decides_where_it_has_an_opinion() {
    let bench = Bench::keeping_errors(RecordLimits::default());
    drop(bench.start("head says keep"));
    let dropped = bench.start("drop me");
    assert!(!dropped.is_recording());
    assert!(!dropped.child("child".into()).is_recording());
    drop(dropped);
    assert_eq!(bench.exported(), [["head says keep"]]);
    assert_eq!(bench.stats().sampled_out, 2);
}

#[test]
fn a_child_of_an_unrecorded_context_is_not_asked_about_again() {
    let bench = Bench::keeping_errors(RecordLimits::default());
    let dropped = bench.start("drop me");
    let context = dropped.context();
    let child = bench.recorder.start(SpanStart::under("head would keep".into(), &context));
    assert!(!child.is_recording());
    assert_eq!(child.context().trace_id, context.trace_id);
    assert_eq!(bench.stats().sampled_out, 2);
}

#[test]
fn a_context_of_another_recorder_starts_a_local_trace_here() {
    let one = Bench::keeping_errors(RecordLimits::default());
    let other = Bench::keeping_errors(RecordLimits::default());
    let root = one.start("root");
    let guest = other.recorder.start(SpanStart::under("head guest".into(), &root.context()));
    drop(guest);
    assert_eq!(other.exported(), [["head guest"]]);
    assert_eq!((one.stats().live, other.stats().live), (1, 0));
}

#[test]
fn the_trace_that_no_policy_would_keep_goes_first_and_errors_stay() {
    let bench = Bench::keeping_errors(small());
    let spans: Vec<_> = (0..4).map(|_| bench.start("root")).collect();
    fail(&spans[0]);
    let least = spans[1..]
        .iter()
        .min_by_key(|span| secret_order(span.context().trace_id.to_bits()))
        .unwrap()
        .context()
        .span_id;
    let extra = bench.start("one too many");
    assert_eq!(bench.stats().dropped_by(Reason::LiveTraces), 1);
    // A span of an evicted trace has no record: what is written into it goes nowhere.
    let gone: Vec<_> = spans
        .iter()
        .chain([&extra])
        .filter(|span| !span.log(LogLevel::Info, "anyone there?", Vec::new()))
        .map(|span| span.context().span_id)
        .collect();
    assert_eq!(gone, [least]);
    drop((spans, extra));
    assert_eq!(bench.exported().len(), 1);
    assert_eq!(bench.stats().live, 0);
}

#[test]
fn a_span_beyond_the_limit_is_counted_unless_it_fails() {
    let bench = Bench::keeping_errors(small());
    let root = bench.start("root");
    let children: Vec<_> = (0..7).map(|_| root.child("child".into())).collect();
    let quiet = root.child("quiet".into());
    let failing = root.child("failing".into());
    assert!(!quiet.is_recording() && !failing.is_recording());
    fail(&failing);
    assert_eq!(bench.stats().live, 10);
    drop((children, quiet, failing, root));
    assert_eq!(bench.exported()[0].len(), 9);
    assert!(bench.exported()[0].contains(&"failing".to_owned()));
    let stats = bench.stats();
    assert_eq!((stats.dropped_by(Reason::SpansPerTrace), stats.live), (1, 0));
}

#[test]
fn the_memory_of_live_traces_is_bounded() {
    let limits = RecordLimits::default().with_live_bytes(64 * 1024);
    let bench = Bench::keeping_errors(limits);
    let spans: Vec<_> = (0..64).map(|_| bench.start("root")).collect();
    for span in &spans {
        span.set_tag("body".into(), TagRef::Str(&"x".repeat(4_000)));
    }
    let stats = bench.stats();
    assert!(stats.live <= 16, "{stats}");
    assert_eq!(stats.live + stats.dropped_by(Reason::LiveBytes), 64);
    drop(spans);
    assert_eq!(bench.stats().live, 0);
}

#[test]
fn the_memory_of_one_trace_is_bounded() {
    let limits = RecordLimits::default().with_bytes_per_trace(4 * 1024);
    let bench = Bench::keeping_errors(limits);
    let root = bench.start("root");
    let children: Vec<_> = (0..100).map(|_| root.child("child".into())).collect();
    assert!(children.iter().filter(|span| span.is_recording()).count() < 60);
    drop((children, root));
    assert!(bench.stats().dropped_by(Reason::BytesPerTrace) > 40);
}

#[test]
fn the_ring_holds_no_more_bytes_than_it_may() {
    let limits = RecordLimits::default().with_live_traces(4).with_ring_bytes(2_000);
    let bench = Bench::keeping_errors(limits);
    for _ in 0..100 {
        drop(bench.start("root"));
    }
    let stats = bench.stats();
    assert!((1..=20).contains(&stats.held), "{stats}");
    assert_eq!(stats.held + stats.dropped_by(Reason::NotKept), 100);
}

#[test]
fn a_dropped_trace_gives_its_buffer_to_the_next() {
    let bench = Bench::keeping_errors(RecordLimits { ring_bytes: 0, ..small() });
    for _ in 0..100 {
        let root = bench.start("root");
        drop(root.child("child".into()));
    }
    let pool = bench.recorder.pool();
    assert_eq!((pool.misses(), pool.hits()), (1, 99), "one thread needs one buffer");
}

#[test]
fn shutdown_decides_on_what_has_ended_and_counts_the_rest() {
    let bench = Bench::keeping_errors(RecordLimits::default());
    let kept = bench.start("kept");
    fail(&kept.child("failed".into()));
    let dropped = bench.start("hopeless");
    bench.recorder.shutdown(bench.clock.clock().now());
    assert_eq!(bench.exported(), [["failed"]]);
    let stats = bench.stats();
    assert_eq!((stats.dropped_by(Reason::Unfinished), stats.held, stats.live), (2, 0, 0));
    drop((kept.child("too late".into()), dropped, kept));
    drop(bench.start("much too late"));
    let stats = bench.stats();
    assert_eq!((stats.dropped_by(Reason::Unfinished), stats.dropped_by(Reason::ShutDown)), (3, 1));
}

#[test]
fn a_panicking_policy_has_no_opinion() {
    let bench = Bench::new(RecordLimits::default(), |_| panic!("a policy's bug"));
    drop(bench.start("root"));
    drop(bench.start("head keeps"));
    assert_eq!(bench.exported(), [["head keeps"]]);
    assert_eq!((bench.stats().panics, bench.stats().held), (2, 1));
    assert_eq!(bench.recorder.take_panics_told().count(), 1);
    assert_eq!(bench.recorder.take_panics_told().count(), 0);
}

fn bench_with_tail(tail: impl TailPolicy + 'static) -> Bench {
    let bench = Bench::keeping_errors(RecordLimits::default());
    let tail: Arc<dyn TailPolicy> = Arc::new(tail);
    bench.recorder.set_tail(Some(&tail));
    bench
}

#[test]
fn what_is_told_of_a_policy_that_panics_names_the_policy_and_the_tail() {
    let panics = |_: &TraceView<'_>| -> Verdict { panic!("a policy's bug") };
    let inner = || TailSampler::new().keep(panics.named("inner"));
    for (bench, expected) in [
        (
            bench_with_tail(TailSampler::new().keep(panics.named("mine"))),
            "`mine` of the tail `TailSampler` ",
        ),
        (bench_with_tail(TailSampler::new().keep(inner())), "`inner` of the tail `TailSampler` "),
        (bench_with_tail(inner().named("outer")), "`inner` of the tail `outer` "),
        // It panics itself.
        (bench_with_tail(panics.named("mine")), "a policy of the tail `mine` "),
    ] {
        drop(bench.start("one"));
        drop(bench.start("two"));
        let told: Vec<_> = bench.recorder.take_panics_told().collect();
        assert!(matches!(&*told, [one] if one.starts_with(expected)), "{told:?}");
    }
}

#[test]
fn a_sampler_that_panics_leaves_its_traces_to_the_tail_and_is_told_once() {
    let bench = Bench::new(RecordLimits::default(), |_| Verdict::keep());
    let panics = |_: &SamplingRequest<'_>| -> SamplingResult { panic!("a sampler's bug") };
    let panics: Arc<dyn Sampler> = Arc::new(panics);
    bench.recorder.set_sampler(&panics);
    drop(bench.start("one"));
    drop(bench.start("two"));
    assert_eq!(bench.exported(), [["one"], ["two"]]);
    assert_eq!(bench.stats().panics, 2);
    let told: Vec<_> = bench.recorder.take_panics_told().collect();
    assert!(matches!(&*told, [one] if one.starts_with("the sampler panicked")), "{told:?}");
    assert_eq!(bench.recorder.take_panics_told().count(), 0);
}

#[test]
fn a_policy_that_traces_does_not_deadlock() {
    let inner = Bench::keeping_errors(RecordLimits::default());
    let recorder = Arc::clone(&inner.recorder);
    let outer = Bench::new(RecordLimits::default(), move |_| {
        drop(recorder.start(SpanStart::new("head policy".into())));
        let _ = recorder.stats();
        Verdict::pass()
    });
    drop(outer.start("root"));
    assert_eq!(inner.exported(), [["head policy"]]);
}

#[test]
fn ended_spans_are_deaf() {
    let bench = Bench::keeping_errors(RecordLimits::default());
    let root = bench.start("head root");
    let child = root.child("child".into());
    child.finish(None);
    child.set_tag("k".into(), TagRef::I64(1));
    fail(&child);
    child.finish(None);
    drop((child, root));
    let trace = lock(&bench.exported)[0].clone();
    assert!(!trace.has_errors() && trace.spans().all(|span| span.tags().count() == 0));
    assert_eq!(bench.stats().exported, 2);
}

#[test]
fn kept_spans_say_who_kept_them_and_how_likely_that_was() {
    let threshold = crate::model::Threshold::from_probability(0.25).ok();
    let bench = Bench::new(RecordLimits::default(), move |_| {
        Verdict::keep_with(threshold).by(|| "quarter".into())
    });
    drop(bench.start("root"));
    let trace = lock(&bench.exported)[0].clone();
    assert_eq!((trace.kept_by(), trace.threshold()), ("quarter", threshold));
    let context = trace.root().unwrap().context();
    assert!(context.flags.is_sampled());
    assert_eq!(context.trace_state.to_string(), "ot=th:c");
}
