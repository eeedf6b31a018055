//! Policies that panic.

use std::sync::Once;

use tailtrace::ledger::Reason;
use tailtrace::{
    Fraction, InMemoryExporter, Pipeline, SamplingRequest, SamplingResult, Status, TailPolicy,
    TailSampler, TraceView, Verdict,
};

use super::support::{PLENTY, by_name, exported, settled};

fn panicking(_: &TraceView<'_>) -> Verdict {
    panic!("a policy panics")
}

/// Panics of this file are expected, and say nothing a thousand times.
fn silence() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let hook = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let expected = info.payload().downcast_ref::<&str>() == Some(&"a policy panics");
            if !expected {
                hook(info);
            }
        }));
    });
}

fn pipeline(tail: impl TailPolicy + 'static) -> (Pipeline, InMemoryExporter) {
    silence();
    let memory = InMemoryExporter::new();
    let head: fn(&SamplingRequest<'_>) -> SamplingResult = by_name;
    let builder = Pipeline::builder("test").with_sampler(head).with_tail(tail);
    (builder.with_exporter(memory.clone()).start().unwrap(), memory)
}

fn record(pipeline: &Pipeline, name: &'static str, fails: bool) {
    let span = pipeline.tracer().start_span(name);
    if fails {
        span.set_status(Status::error("no stock"));
    }
}

#[test]
fn a_trace_that_failed_or_was_sampled_is_kept_where_the_tail_panics() {
    let (pipeline, memory) = pipeline(panicking);
    for _ in 0..500 {
        record(&pipeline, "failed", true);
        record(&pipeline, "sampled", false);
    }
    pipeline.flush(PLENTY).unwrap();
    let names = exported(&memory).concat();
    assert_eq!(names.iter().filter(|name| *name == "failed").count(), 500);
    assert_eq!(names.iter().filter(|name| *name == "sampled").count(), 500);
    let stats = settled(&pipeline);
    assert_eq!((stats.lost(), stats.panics), (0, 1000));
}

#[test]
fn one_policy_that_panics_leaves_the_decision_to_the_others_and_costs_no_failed_trace() {
    let tail = TailSampler::new().keep(panicking).keep(Fraction::new(0.0).unwrap());
    let (pipeline, memory) = pipeline(tail);
    (0..100).for_each(|number| record(&pipeline, "span", number % 2 == 0));
    pipeline.flush(PLENTY).unwrap();
    assert_eq!(exported(&memory).len(), 50);
    let (pipeline, memory) =
        self::pipeline(TailSampler::new().keep(panicking).drop_if(|trace: &TraceView<'_>| {
            if trace.has_errors() { Verdict::keep() } else { Verdict::pass() }
        }));
    record(&pipeline, "span", true);
    pipeline.flush(PLENTY).unwrap();
    assert_eq!(exported(&memory).len(), 0);
    assert_eq!(settled(&pipeline).dropped_by(Reason::DroppedByPolicy), 1);
}
