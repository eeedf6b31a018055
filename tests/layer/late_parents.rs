//! A parent that is given before the first event and child, under every kind of sampler.

use super::support::{Outcome, tailed, trace_with};
use crate::way;
use tailtrace::model::TraceFlags;
use tailtrace::pipeline::PipelineBuilder;
use tailtrace::{
    AlwaysOff, AlwaysOn, FixedRateSampler, InMemoryExporter, ParentBasedSampler, Pipeline, Sampler,
    SamplingRequest, SamplingResult, SpanId, TraceContext, TraceId, TraceSpanExt,
};
use tracing::{field, info, info_span};

fn caller(is_sampled: bool) -> TraceContext {
    let flags = TraceFlags::RANDOM.with_sampled(is_sampled);
    TraceContext::new(TraceId::new(), SpanId::new()).with_flags(flags).remote()
}

fn sampled_by(sampler: impl Sampler + 'static) -> PipelineBuilder {
    Pipeline::builder("layer").with_sampler(sampler)
}

/// Half of all traces, by their ids.
fn half() -> FixedRateSampler {
    FixedRateSampler::new(0.5).unwrap()
}

/// Opens a span, puts it under a parent, and goes on with it; the span's context.
fn adopt(parent: &TraceContext) -> TraceContext {
    let span = info_span!(parent: None, "adopted", before = 1, after = field::Empty);
    span.set_parent(parent).unwrap();
    span.record("after", 2);
    span.in_scope(|| {
        info!("inside");
        drop(info_span!("child"));
    });
    span.context().unwrap()
}

/// What comes of a span that is put under a remote parent, and its context.
fn adopted_from(builder: PipelineBuilder, caller: &TraceContext) -> (Outcome, TraceContext) {
    let mut context = None;
    let outcome = trace_with(builder, way::plain, || context = Some(adopt(caller)));
    (outcome, context.unwrap())
}

/// What comes of one that is put under a local root, and its context with the root's.
fn adopted_by_root(builder: PipelineBuilder) -> (Outcome, TraceContext, TraceContext) {
    let mut contexts = None;
    let outcome = trace_with(builder, way::plain, || {
        let root = info_span!("root");
        let parent = root.context().unwrap();
        contexts = Some((adopt(&parent), parent));
    });
    let (context, parent) = contexts.unwrap();
    (outcome, context, parent)
}

#[track_caller]
fn assert_recorded(outcome: &Outcome, context: &TraceContext, parent: &TraceContext) {
    let span = outcome.span("adopted");
    assert_eq!((span.trace_id(), span.parent_span_id()), (parent.trace_id, Some(parent.span_id)));
    assert_eq!(span.is_parent_remote(), parent.is_remote);
    assert_eq!((context.trace_id, context.span_id), (span.trace_id(), span.span_id()));
    assert_eq!((span.tags().count(), outcome.logs("adopted").len()), (2, 1));
    assert_eq!(outcome.parent_of("child"), Some("adopted"));
    assert_eq!(outcome.traces.len(), 1);
    assert_eq!(outcome.stats.sampled_out, 0);
}

#[track_caller]
fn assert_unrecorded(outcome: &Outcome, context: &TraceContext, parent: &TraceContext) {
    assert!(outcome.traces.is_empty(), "{:?}", outcome.names());
    assert_eq!(context.trace_id, parent.trace_id);
    assert!(!context.is_sampled());
    assert_eq!(outcome.stats.started, outcome.stats.sampled_out);
}

#[test]
fn a_sampler_that_takes_all_records_whatever_the_caller_has_decided() {
    for caller in [caller(true), caller(false)] {
        let (outcome, context) = adopted_from(sampled_by(AlwaysOn), &caller);
        assert_recorded(&outcome, &context, &caller);
        assert!(context.is_sampled());
        assert_eq!(outcome.stats.started, 2);
    }
}

#[test]
fn a_sampler_that_drops_all_passes_the_callers_trace_on() {
    for caller in [caller(true), caller(false)] {
        let (outcome, context) = adopted_from(sampled_by(AlwaysOff), &caller);
        assert_unrecorded(&outcome, &context, &caller);
        assert_eq!(outcome.stats.started, 2);
    }
}

#[test]
fn a_ratio_is_taken_of_the_callers_trace_and_not_of_the_one_the_span_had() {
    let mut recorded = 0;
    for _ in 0..32 {
        let caller = caller(true);
        let (outcome, context) = adopted_from(sampled_by(half()), &caller);
        if is_in_half(&caller) {
            recorded += 1;
            assert_recorded(&outcome, &context, &caller);
        } else {
            assert_unrecorded(&outcome, &context, &caller);
        }
    }
    assert!((1..32).contains(&recorded), "{recorded} of 32 ids are in the half");
}

/// Whether the tracer, which knows the caller from the beginning, samples its trace.
fn is_in_half(caller: &TraceContext) -> bool {
    let memory = InMemoryExporter::new();
    let pipeline = sampled_by(half()).with_exporter(memory).start().unwrap();
    let span = pipeline.tracer().start_span_with_context("span", caller);
    span.context().is_sampled()
}

#[test]
fn a_sampler_that_follows_the_parent_follows_one_that_comes_late() {
    let sampled = caller(true);
    let root_takes_none = sampled_by(ParentBasedSampler::new(AlwaysOff));
    let (outcome, context) = adopted_from(root_takes_none, &sampled);
    assert_recorded(&outcome, &context, &sampled);
    let unsampled = caller(false);
    let root_takes_all = sampled_by(ParentBasedSampler::new(AlwaysOn));
    let (outcome, context) = adopted_from(root_takes_all, &unsampled);
    assert_unrecorded(&outcome, &context, &unsampled);
}

#[test]
fn without_a_sampler_the_tail_has_the_span_in_the_callers_trace() {
    for caller in [caller(true), caller(false)] {
        let (outcome, context) = adopted_from(tailed(), &caller);
        assert_recorded(&outcome, &context, &caller);
    }
}

#[test]
fn a_local_parent_that_is_recorded_has_the_span_in_its_own_trace() {
    let all = FixedRateSampler::new(1.0).unwrap();
    let by_parent = ParentBasedSampler::new(AlwaysOn);
    for builder in [sampled_by(AlwaysOn), sampled_by(all), sampled_by(by_parent), tailed()] {
        let (outcome, context, parent) = adopted_by_root(builder);
        assert_recorded(&outcome, &context, &parent);
        assert_eq!(outcome.parent_of("adopted"), Some("root"));
        assert_eq!(outcome.stats.started, 3);
    }
}

#[test]
fn a_local_parent_that_is_not_recorded_has_an_unrecorded_child() {
    let none = FixedRateSampler::new(0.0).unwrap();
    let by_parent = ParentBasedSampler::new(AlwaysOff);
    let drops_roots = |request: &SamplingRequest<'_>| match request.name {
        "root" => SamplingResult::drop(),
        _ => SamplingResult::sample(),
    };
    let builders = [
        sampled_by(AlwaysOff),
        sampled_by(none),
        sampled_by(by_parent),
        sampled_by(drops_roots),
        tailed().with_sampler(drops_roots),
    ];
    for builder in builders {
        let (outcome, context, parent) = adopted_by_root(builder);
        assert_unrecorded(&outcome, &context, &parent);
        assert_eq!(outcome.stats.started, 3);
    }
}
