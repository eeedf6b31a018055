//! Which traces are kept.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tailtrace::ledger::Reason;
use tailtrace::model::{Randomness, Threshold};
use tailtrace::record::KeepOutcome;
use tailtrace::tail::{DropIf, RootNamed};
use tailtrace::{
    AlwaysOn, Errors, Fraction, InMemoryExporter, Pipeline, SamplingRequest, SamplingResult,
    SlowerThan, SpanRef, TailSampler, TraceId, TraceView, Verdict,
};

use crate::support::{self, PLENTY, by_name, exported, keep_errors, names, settled};

#[test]
fn the_tail_keeps_errors_slow_ones_and_exactly_the_fraction_that_randomness_says() {
    const TRACES: u64 = 10_000;
    let (builder, clock, memory) = support::pipeline();
    let slow = Duration::from_millis(500);
    let rate = Fraction::new(0.01).unwrap();
    let pipeline = builder
        .with_tail(TailSampler::new().keep(Errors).keep(SlowerThan(slow)).keep(rate))
        .start()
        .unwrap();
    let tracer = pipeline.tracer();
    let mut expected: BTreeMap<TraceId, (&str, Option<Threshold>)> = BTreeMap::new();
    for number in 0..TRACES {
        let root = tracer.start_span("request");
        let id = root.context().trace_id;
        let child = root.child("work");
        if number % 100 == 3 {
            child.set_error(&std::io::Error::other("failed"));
        }
        drop(child);
        // Every 50th takes exactly as long as counts for slow, every 51st a nanosecond less.
        match number % 50 {
            0 => clock.advance(slow),
            1 => clock.advance(slow - Duration::from_nanos(1)),
            _ => {}
        }
        drop(root);
        let is_random =
            rate.threshold().unwrap().accepts(Randomness::from_trace_id_bits(id.to_bits()));
        let always = Some(Threshold::ALWAYS);
        match number % 100 {
            3 => drop(expected.insert(id, ("Errors", always))),
            0 | 50 => drop(expected.insert(id, ("SlowerThan", always))),
            _ if is_random => drop(expected.insert(id, ("Fraction", rate.threshold()))),
            _ => {}
        }
    }
    pipeline.flush(PLENTY).unwrap();
    let traces = memory.traces();
    let kept: BTreeMap<_, _> = traces
        .iter()
        .map(|trace| (trace.trace_id(), (trace.kept_by(), trace.threshold())))
        .collect();
    assert_eq!(kept, expected);
    assert_eq!(traces.len(), expected.len(), "each once");
    let random = kept.values().filter(|(by, _)| *by == "Fraction").count();
    assert!((60..140).contains(&random), "{random} of 9,700");
    for trace in &traces {
        let state = trace.root().unwrap().context().trace_state;
        assert_eq!(state.threshold(), trace.threshold(), "it is on the spans as well");
    }
    let stats = settled(&pipeline);
    assert_eq!((stats.started, stats.exported), (2 * TRACES, 2 * expected.len() as u64));
    assert_eq!(stats.traces_kept, expected.len() as u64);
    assert_eq!(stats.held + stats.dropped_by(Reason::NotKept), stats.started - stats.exported);
}

/// Head decisions by the name's beginning, tail decisions by its end.
fn tail_by_name(trace: &TraceView<'_>) -> Verdict {
    match trace.root().map(SpanRef::operation_name) {
        Some(name) if name.ends_with("keep") => Verdict::keep(),
        Some(name) if name.ends_with("discard") => Verdict::drop(),
        _ => Verdict::pass(),
    }
}

#[test]
fn the_head_and_the_tail_combine_by_the_table() {
    let (builder, _, memory) = support::pipeline();
    let asked = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&asked);
    let pipeline = builder
        .with_sampler(by_name)
        .with_tail(move |trace: &TraceView<'_>| {
            counted.fetch_add(1, Ordering::Relaxed);
            tail_by_name(trace)
        })
        .start()
        .unwrap();
    let tracer = pipeline.tracer();
    for head in ["drop", "record", "sample"] {
        for tail in ["pass", "keep", "discard"] {
            drop(tracer.start_span(format!("{head}, {tail}")));
        }
    }
    pipeline.flush(PLENTY).unwrap();
    assert_eq!(exported(&memory), [["record, keep"], ["sample, keep"], ["sample, pass"]]);
    let traces = memory.traces();
    let by: Vec<_> = traces.iter().map(|t| (names(t)[0], t.kept_by() == "head sampler")).collect();
    assert_eq!(by, [("record, keep", false), ("sample, pass", true), ("sample, keep", false)]);
    assert_eq!(asked.load(Ordering::Relaxed), 6, "what the head dropped is not asked about");
    let stats = settled(&pipeline);
    assert_eq!((stats.started, stats.sampled_out, stats.exported), (9, 3, 3));
    assert_eq!((stats.held, stats.dropped_by(Reason::DroppedByPolicy)), (1, 2));
}

#[test]
fn without_a_tail_only_what_the_head_samples_is_recorded() {
    let (builder, _, memory) = support::pipeline();
    let pipeline = builder.with_sampler(by_name).start().unwrap();
    let tracer = pipeline.tracer();
    for name in ["drop", "record", "sample"] {
        let span = tracer.start_span(name);
        assert_eq!(span.is_recording(), name == "sample");
    }
    pipeline.flush(PLENTY).unwrap();
    assert_eq!(exported(&memory), [["sample"]]);
    assert_eq!(settled(&pipeline).sampled_out, 2);
}

#[test]
fn without_a_sampler_a_tail_decides_everything_and_without_a_tail_all_new_traces_are_kept() {
    let (builder, _, memory) = support::pipeline();
    let pipeline = builder.with_tail(TailSampler::new()).start().unwrap();
    drop(pipeline.tracer().start_span("span"));
    pipeline.flush(PLENTY).unwrap();
    assert!(memory.traces().is_empty());
    let (builder, _, memory) = support::pipeline();
    let pipeline = builder.start().unwrap();
    let tracer = pipeline.tracer();
    let root = tracer.start_span("root");
    drop(tracer.start_span_with_context("sampled", root.context().remote()));
    let mut unsampled = root.context().remote();
    unsampled.flags = unsampled.flags.with_sampled(false);
    drop(tracer.start_span_with_context("unsampled", &unsampled));
    drop(root);
    pipeline.flush(PLENTY).unwrap();
    assert_eq!(exported(&memory), [["root"], ["sampled"]]);
    assert_eq!(settled(&pipeline).sampled_out, 1);
}

#[test]
fn an_explicit_drop_beats_every_keep() {
    let (builder, _, memory) = support::pipeline();
    let tail = TailSampler::new().keep(Errors).keep(DropIf(RootNamed::new("GET /healthz")));
    let pipeline = builder.with_sampler(AlwaysOn).with_tail(tail).start().unwrap();
    let tracer = pipeline.tracer();
    let probe = tracer.start_span("GET /healthz");
    probe.set_error(&std::io::Error::other("failed"));
    let id = probe.context().trace_id;
    drop(probe);
    drop(tracer.start_span("GET /orders"));
    pipeline.flush(PLENTY).unwrap();
    assert_eq!(exported(&memory), [["GET /orders"]]);
    assert_eq!(settled(&pipeline).dropped_by(Reason::DroppedByPolicy), 1);
    assert_eq!(pipeline.keep(id), KeepOutcome::DroppedOnPurpose);
}

#[test]
fn a_kept_trace_tells_the_most_generous_of_the_probabilities_it_had() {
    let half = Threshold::from_probability(0.5).unwrap();
    let (builder, _, memory) = support::pipeline();
    let sampler = move |request: &SamplingRequest<'_>| {
        if half.accepts(request.randomness) {
            SamplingResult::sample().with_threshold(half)
        } else {
            SamplingResult::record()
        }
    };
    let tenth = Fraction::new(0.1).unwrap();
    let pipeline = builder
        .with_sampler(sampler)
        .with_tail(TailSampler::new().keep(Errors).keep(tenth))
        .start()
        .unwrap();
    let tracer = pipeline.tracer();
    for number in 0..200 {
        let span = tracer.start_span("span");
        if number % 10 == 0 {
            span.set_error(&std::io::Error::other("failed"));
        }
    }
    pipeline.flush(PLENTY).unwrap();
    let traces = memory.traces();
    assert!(traces.len() > 60);
    for trace in traces {
        let expected = if trace.has_errors() { Threshold::ALWAYS } else { half };
        assert_eq!(trace.threshold(), Some(expected), "{}", trace.kept_by());
    }
}

#[test]
fn a_dropped_trace_can_be_asked_for_while_the_ring_holds_it() {
    let (builder, clock, memory) = support::pipeline();
    let pipeline = builder.with_tail(keep_errors).start().unwrap();
    let tracer = pipeline.tracer();
    assert_eq!(pipeline.keep(TraceId::new()), KeepOutcome::Unknown);
    let root = tracer.start_span("held");
    let held = root.context().trace_id;
    drop(root.child("child"));
    drop(root);
    assert_eq!(settled(&pipeline).held, 2);
    assert_eq!(pipeline.keep(held), KeepOutcome::Exported);
    assert_eq!(pipeline.keep(held), KeepOutcome::AlreadyKept);
    pipeline.flush(PLENTY).unwrap();
    assert_eq!(exported(&memory), [["held", "child"]]);
    let trace = memory.trace(held).unwrap();
    assert_eq!(trace.threshold(), None, "nobody knows how likely that was");
    assert!(trace.root().unwrap().context().is_sampled());
    let aged = tracer.start_span("aged").context().trace_id;
    clock.advance(Duration::from_secs(30));
    pipeline.flush(PLENTY).unwrap();
    assert_eq!(pipeline.keep(aged), KeepOutcome::Unknown);
    assert_eq!(settled(&pipeline).dropped_by(Reason::NotKept), 1);
}

#[test]
fn a_running_trace_that_was_asked_for_is_kept_when_it_is_complete() {
    let (builder, _, memory) = support::pipeline();
    let pipeline = builder.with_tail(keep_errors).start().unwrap();
    let root = pipeline.tracer().start_span("running");
    let id = root.context().trace_id;
    assert_eq!(pipeline.keep(id), KeepOutcome::WhenComplete);
    assert_eq!(pipeline.keep(id), KeepOutcome::WhenComplete);
    pipeline.flush(PLENTY).unwrap();
    assert!(memory.traces().is_empty());
    drop(root);
    pipeline.flush(PLENTY).unwrap();
    assert_eq!(exported(&memory), [["running"]]);
    assert_eq!(pipeline.keep(id), KeepOutcome::AlreadyKept);
}

#[test]
fn all_local_traces_of_a_trace_are_asked_for_together() {
    let (builder, _, memory) = support::pipeline();
    let pipeline = builder.with_tail(keep_errors).start().unwrap();
    let tracer = pipeline.tracer();
    let client = tracer.start_span("client");
    drop(tracer.start_span_with_context("first", client.context().remote()));
    drop(tracer.start_span_with_context("second", client.context().remote()));
    assert_eq!(pipeline.keep(client.context().trace_id), KeepOutcome::Exported);
    drop(client);
    pipeline.flush(PLENTY).unwrap();
    assert_eq!(exported(&memory), [["client"], ["first"], ["second"]]);
    settled(&pipeline);
}

#[test]
fn a_straggler_does_not_hold_its_trace_longer_than_the_linger() {
    let (builder, clock, memory) = support::pipeline();
    let pipeline = builder.with_sampler(AlwaysOn).start().unwrap();
    let tracer = pipeline.tracer();
    let root = tracer.start_span("root");
    let straggler = root.child("straggler");
    drop(root);
    clock.advance(Duration::from_millis(9_999));
    pipeline.flush(PLENTY).unwrap();
    assert!(memory.traces().is_empty());
    clock.advance(Duration::from_millis(1));
    pipeline.flush(PLENTY).unwrap();
    assert_eq!(exported(&memory), [["root"]]);
    straggler.set_tag("still", "recorded");
    drop(straggler);
    pipeline.flush(PLENTY).unwrap();
    let late = memory.traces()[1].clone();
    assert!(late.is_late());
    assert_eq!(tailtrace::testing::tree(&late), "straggler still=\"recorded\"");
    let stats = settled(&pipeline);
    assert_eq!((stats.exported, stats.late, stats.live), (2, 1, 0));
}

#[test]
fn backends_are_told_of_the_decision_unless_the_program_wants_it_otherwise() {
    for (is_told, expected) in [(true, "tailtrace.kept_by=Errors"), (false, "")] {
        let memory = InMemoryExporter::new();
        let pipeline = Pipeline::builder("shop")
            .with_tail(Errors)
            .with_decision_tags(is_told)
            .with_exporter(memory.clone())
            .start()
            .unwrap();
        let span = pipeline.tracer().start_span("order");
        span.set_error(&std::io::Error::other("declined"));
        drop(span);
        pipeline.shutdown(Duration::from_secs(60)).unwrap();
        let traces = memory.traces();
        let notes: Vec<String> =
            traces[0].notes().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(notes.join(" "), expected);
        assert_eq!(traces[0].root().unwrap().tag("tailtrace.kept_by"), None);
    }
}
