//! Our samplers where a provider of OpenTelemetry asks for one.

use std::sync::{Arc, Mutex, OnceLock};

use opentelemetry::trace::{
    Link, Span as _, SpanContext, SpanId, SpanKind, TraceContextExt as _, TraceFlags, TraceId,
    TraceState, Tracer as _, TracerProvider as _,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::ShouldSample;
use tailtrace::ledger::Reason;
use tailtrace::model::{TagRef, Threshold};
use tailtrace::{
    AlwaysOn, FixedRateSampler, InMemoryExporter, Pipeline, SamplingRequest, SamplingResult,
};

use super::release_line::{self, SdkSamplingDecision, SdkTracerProvider};
use super::support::{errors_with, settled, shop};
use crate::adapter::{HeadSampler, TailSpanProcessor};

/// Decides by the root's name: `drop..`, `sample..`, and the tail about the rest.
fn by_name(request: &SamplingRequest<'_>) -> SamplingResult {
    match request.name {
        name if name.starts_with("drop") => SamplingResult::drop(),
        name if name.starts_with("sample") => {
            SamplingResult::sample().with_threshold(Threshold::from_probability(0.5).ok())
        }
        _ => SamplingResult::record(),
    }
}

/// A span as a processor or another service sees it: recorded, sampled, and its trace state.
fn seen(span: &SpanContext, is_recording: bool) -> (bool, bool, String) {
    (is_recording, span.is_sampled(), span.trace_state().header())
}

#[test]
fn each_decision_is_that_of_the_root_and_of_all_below_it() {
    let (pipeline, memory) = errors_with(by_name);
    let provider = shop(&pipeline);
    let tracer = provider.tracer("lib");
    for (name, is_recorded, is_sampled, state) in [
        ("drop it", false, false, ""),
        ("record it", true, false, ""),
        ("sample it", true, true, "ot=th:8"),
    ] {
        let expected = (is_recorded, is_sampled, state.to_owned());
        let root = Context::new().with_span(tracer.start(name));
        let child = Context::new().with_span(tracer.start_with_context("child", &root));
        let below = tracer.start_with_context("below", &child);
        for context in [&root, &child] {
            let span = context.span();
            assert_eq!(seen(span.span_context(), span.is_recording()), expected, "{name}");
        }
        assert_eq!(seen(below.span_context(), below.is_recording()), expected, "{name}");
        drop(below);
        child.span().end();
        root.span().end();
    }
    release_line::flush(&provider).unwrap();
    assert_eq!(memory.traces().len(), 1);
    let stats = settled(&pipeline);
    assert_eq!((stats.exported, stats.sampled_out, stats.held), (3, 3, 3));
}

#[test]
fn what_is_recorded_may_be_handed_on_as_sampled() {
    let (pipeline, memory) = errors_with(by_name);
    let sampler = HeadSampler::new(&pipeline).with_recorded_as_sampled(true);
    let provider = release_line::provider_of("shop", sampler, TailSpanProcessor::new(&pipeline));
    let mut span = provider.tracer("lib").start("record it");
    assert!(span.span_context().is_sampled());
    assert_eq!(span.span_context().trace_state().header(), "");
    span.end();
    release_line::flush(&provider).unwrap();
    assert!(memory.traces().is_empty(), "it is for the tail to keep it");
    settled(&pipeline);
}

#[test]
fn tags_that_the_sampler_adds_are_attributes_of_the_root() {
    let memory = InMemoryExporter::new();
    let pipeline = Pipeline::builder("pipeline")
        .with_sampler(|_: &SamplingRequest<'_>| {
            SamplingResult::sample().with_tag("rule", "vip").with_tag("weight", 2)
        })
        .with_exporter(memory.clone())
        .start()
        .unwrap();
    let provider = shop(&pipeline);
    let tracer = provider.tracer("lib");
    tracer.in_span("root", |_| tracer.in_span("child", |_| {}));
    release_line::flush(&provider).unwrap();
    let trace = &memory.traces()[0];
    let root = trace.root().unwrap();
    assert_eq!(
        (root.tag("rule"), root.tag("weight")),
        (Some(TagRef::Str("vip")), Some(TagRef::I64(2)))
    );
    let child = trace.spans().find(|span| span.operation_name() == "child").unwrap();
    assert_eq!(child.tag("rule"), None);
}

/// What a sampler was told: name, kind, tags, links, the parent's state and whether it is remote.
type Told = (String, String, Vec<String>, usize, Option<(String, bool)>);

#[test]
fn the_sampler_is_told_all_that_is_known_and_asked_for_local_roots_alone() {
    let told = Arc::new(Mutex::new(Vec::<Told>::new()));
    let telling = Arc::clone(&told);
    let sampler = HeadSampler::from_sampler(move |request: &SamplingRequest<'_>| {
        let tags = request.tags.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let parent = request.parent.map(|at| (at.trace_state.to_string(), at.is_remote));
        let kind = format!("{:?}", request.kind);
        telling.lock().unwrap().push((
            request.name.to_owned(),
            kind,
            tags,
            request.links.len(),
            parent,
        ));
        SamplingResult::sample()
    });
    let (pipeline, _) = errors_with(by_name);
    let provider = release_line::provider_of("shop", sampler, TailSpanProcessor::new(&pipeline));
    let tracer = provider.tracer("lib");
    let caller = SpanContext::new(
        TraceId::from_bytes(7_u128.to_be_bytes()),
        SpanId::from_bytes(8_u64.to_be_bytes()),
        TraceFlags::default(),
        true,
        "x=1".parse().unwrap(),
    );
    let parent = Context::new().with_remote_span_context(caller.clone());
    let root = tracer
        .span_builder("order")
        .with_kind(SpanKind::Consumer)
        .with_attributes(vec![KeyValue::new("items", 3)])
        .with_links(vec![Link::new(caller, Vec::new(), 0)])
        .start_with_context(&tracer, &parent);
    assert_eq!(root.span_context().trace_state().header(), "x=1");
    let root = Context::new().with_span(root);
    drop(tracer.start_with_context("child", &root));
    root.span().end();
    drop(tracer.start_with_context("new", &Context::new()));
    let told = told.lock().unwrap();
    let order: Told = (
        "order".to_owned(),
        "Consumer".to_owned(),
        vec!["items=3".to_owned()],
        1,
        Some(("x=1".to_owned(), true)),
    );
    assert_eq!(*told, [order, ("new".to_owned(), "Internal".to_owned(), Vec::new(), 0, None)]);
}

#[test]
fn a_threshold_that_no_longer_holds_is_taken_out_of_the_state() {
    let (pipeline, _) = errors_with(by_name);
    let provider = shop(&pipeline);
    let caller = SpanContext::new(
        TraceId::from_bytes(7_u128.to_be_bytes()),
        SpanId::from_bytes(8_u64.to_be_bytes()),
        TraceFlags::SAMPLED,
        true,
        "x=1,ot=th:c;rv:00000000000001".parse().unwrap(),
    );
    let parent = Context::new().with_remote_span_context(caller);
    for (name, state) in
        [("record it", "ot=rv:00000000000001,x=1"), ("sample it", "ot=rv:00000000000001;th:8,x=1")]
    {
        let span = provider.tracer("lib").start_with_context(name, &parent);
        assert_eq!(span.span_context().trace_state().header(), state);
    }
}

#[test]
fn a_sampler_that_panics_leaves_the_trace_to_the_tail() {
    let (pipeline, _) =
        errors_with(|_: &SamplingRequest<'_>| -> SamplingResult { panic!("no words") });
    let provider = shop(&pipeline);
    let span = provider.tracer("lib").start("order");
    assert!(span.is_recording() && !span.span_context().is_sampled());
    drop(span);
    assert_eq!(settled(&pipeline).panics, 1);
    let alone = HeadSampler::from_sampler(|_: &SamplingRequest<'_>| -> SamplingResult {
        panic!("no words")
    });
    let provider = release_line::provider_of("shop", alone, TailSpanProcessor::new(&pipeline));
    assert!(provider.tracer("lib").start("order").is_recording());
}

#[test]
fn an_id_of_zero_is_dropped() {
    let sampler = HeadSampler::from_sampler(AlwaysOn);
    let result = sampler.should_sample(
        Some(&Context::new()),
        TraceId::INVALID,
        "invalid",
        &SpanKind::Internal,
        &[],
        &[],
    );
    assert_eq!(result.decision, SdkSamplingDecision::Drop);
    assert_eq!(result.trace_state, TraceState::default());
}

/// Hazard: the stack of contexts is borrowed while a sampler is asked.
#[test]
fn a_sampler_may_trace_and_is_not_asked_about_that() {
    let slot = Arc::new(OnceLock::<SdkTracerProvider>::new());
    let asked = Arc::new(Mutex::new(Vec::new()));
    let sampler = {
        let (slot, asked) = (Arc::clone(&slot), Arc::clone(&asked));
        move |request: &SamplingRequest<'_>| {
            asked.lock().unwrap().push(request.name.to_owned());
            let tracer = slot.get().unwrap().tracer("sampler");
            let mut span = tracer.start_with_context("asking", &Context::new());
            assert!(!span.is_recording());
            span.end();
            SamplingResult::sample()
        }
    };
    let memory = InMemoryExporter::new();
    let builder = Pipeline::builder("pipeline").with_sampler(sampler);
    let pipeline = builder.with_exporter(memory.clone()).start().unwrap();
    let provider = slot.get_or_init(|| shop(&pipeline));
    let tracer = provider.tracer("lib");
    drop(tracer.start("one"));
    tracer.in_span("two", |_| {});
    release_line::flush(provider).unwrap();
    assert_eq!(*asked.lock().unwrap(), ["one", "two"]);
    assert_eq!(memory.span_count(), 2);
    let stats = settled(&pipeline);
    assert_eq!((stats.panics, stats.dropped_by(Reason::OwnWork)), (0, 2));
}

/// Hazard: entering a context there panics; the sampler has no opinion then.
#[test]
fn a_sampler_that_enters_a_context_does_not_take_the_program_down() {
    let (pipeline, _) = errors_with(|_: &SamplingRequest<'_>| {
        let _entered = Context::new().attach();
        SamplingResult::sample()
    });
    let provider = shop(&pipeline);
    let span = provider.tracer("lib").start("order");
    assert!(span.is_recording());
    drop(span);
    settled(&pipeline);
}

/// Where OpenTelemetry is told not to trace, nothing is asked and nothing is counted.
#[cfg(not(before_0_30))]
#[test]
fn what_is_suppressed_is_not_ours_to_count() {
    let (pipeline, _) = errors_with(by_name);
    let provider = shop(&pipeline);
    let quiet = Context::new().with_telemetry_suppressed();
    let span = provider.tracer("lib").start_with_context("sample it", &quiet);
    assert!(!span.is_recording());
    drop(span);
    let stats = settled(&pipeline);
    assert_eq!((stats.started, stats.sampled_out), (0, 0));
}

#[test]
fn services_that_share_a_trace_id_agree() {
    let rate = || HeadSampler::from_sampler(FixedRateSampler::new(0.5).unwrap());
    let ask = |sampler: &HeadSampler, id: u128| {
        let trace_id = TraceId::from_bytes(id.to_be_bytes());
        sampler.should_sample(None, trace_id, "any", &SpanKind::Internal, &[], &[]).decision
    };
    let (one, other) = (rate(), rate());
    let ids = (1..200_u128).map(|number| number.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_0c5b));
    for id in ids {
        assert_eq!(ask(&one, id), ask(&other, id));
    }
}

#[test]
fn a_program_without_a_pipeline_may_use_our_samplers() {
    let (pipeline, memory) = errors_with(by_name);
    drop((pipeline, memory));
    let of = release_line::resource(Vec::new());
    let provider = release_line::builder(HeadSampler::from_sampler(by_name), of).build();
    let tracer = provider.tracer("lib");
    let root = Context::new().with_span(tracer.start("drop it"));
    assert!(!tracer.start_with_context("child", &root).is_recording());
    let root = Context::new().with_span(tracer.start("record it"));
    let child = tracer.start_with_context("child", &root);
    assert!(child.is_recording() && !child.span_context().is_sampled());
}
