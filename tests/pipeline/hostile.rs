//! Samplers, policies and exporters that panic or trace themselves.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use tailtrace::export::{Batch, ExportError};
use tailtrace::ledger::Reason;
use tailtrace::{
    AlwaysOn, Pipeline, SamplingRequest, SamplingResult, SpanRef, TraceView, Tracer, Verdict,
};

use crate::support::{self, Export, PLENTY, exported, keep_errors, settled};

#[test]
fn a_panicking_sampler_leaves_the_decision_to_the_tail() {
    let (builder, _, memory) = support::pipeline();
    let sampler = |_: &SamplingRequest<'_>| -> SamplingResult { panic!("a sampler's bug") };
    let pipeline = builder.with_sampler(sampler).with_tail(keep_errors).start().unwrap();
    let tracer = pipeline.tracer();
    drop(tracer.start_span("fine"));
    tracer.start_span("failed").set_error(&std::io::Error::other("failed"));
    pipeline.flush(PLENTY).unwrap();
    assert_eq!(exported(&memory), [["failed"]]);
    assert_eq!(settled(&pipeline).panics, 2);
}

#[test]
fn a_panicking_policy_has_no_opinion() {
    let (builder, _, memory) = support::pipeline();
    let policy = |_: &TraceView<'_>| -> Verdict { panic!("a policy's bug") };
    let pipeline = builder.with_sampler(support::by_name).with_tail(policy).start().unwrap();
    let tracer = pipeline.tracer();
    drop(tracer.start_span("record"));
    drop(tracer.start_span("sample"));
    pipeline.flush(PLENTY).unwrap();
    assert_eq!(exported(&memory), [["sample"]]);
    let stats = settled(&pipeline);
    assert_eq!((stats.panics, stats.held), (2, 1));
}

#[test]
fn a_panicking_exporter_costs_its_batch_and_nobody_else() {
    let (builder, _, memory) = support::pipeline();
    let calls = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&calls);
    let panics = Export(move |_: Batch| -> Result<(), ExportError> {
        count.fetch_add(1, Ordering::Relaxed);
        panic!("an exporter's bug")
    });
    let pipeline = builder.with_sampler(AlwaysOn).with_exporter(panics).start().unwrap();
    let tracer = pipeline.tracer();
    for _ in 0..2 {
        drop(tracer.start_span("span"));
        // Lost there, though it reached the other exporter.
        let _ = pipeline.flush(PLENTY);
    }
    assert_eq!(calls.load(Ordering::Relaxed), 2, "it is called again");
    assert_eq!(memory.span_count(), 2);
    let stats = settled(&pipeline);
    assert_eq!((stats.panics, stats.exported), (2, 2));
}

#[test]
fn what_only_a_panicking_exporter_had_is_counted() {
    let panics = Export(|_: Batch| -> Result<(), ExportError> { panic!("an exporter's bug") });
    let pipeline =
        Pipeline::builder("test").with_sampler(AlwaysOn).with_exporter(panics).start().unwrap();
    drop(pipeline.tracer().start_span("span"));
    let _ = pipeline.flush(PLENTY);
    let stats = settled(&pipeline);
    assert_eq!((stats.dropped_by(Reason::ExporterPanicked), stats.exported), (1, 0));
}

#[test]
fn a_sampler_and_a_policy_may_trace_into_another_pipeline() {
    let (other, _, other_memory) = support::pipeline();
    let other = other.with_sampler(AlwaysOn).start().unwrap();
    let (one, two) = (other.tracer(), other.tracer());
    let (builder, _, memory) = support::pipeline();
    let pipeline = builder
        .with_sampler(move |_: &SamplingRequest<'_>| {
            drop(one.start_span("sampler"));
            SamplingResult::record()
        })
        .with_tail(move |trace: &TraceView<'_>| {
            let span = two.start_span("policy");
            span.set_tag("spans", trace.span_count());
            drop(span.child("child"));
            Verdict::keep()
        })
        .start()
        .unwrap();
    let root = pipeline.tracer().start_span("root");
    drop(root.child("child"));
    drop(root);
    pipeline.flush(PLENTY).unwrap();
    other.flush(PLENTY).unwrap();
    assert_eq!(exported(&memory), [["root", "child"]]);
    assert_eq!(exported(&other_memory), [vec!["policy", "child"], vec!["sampler"]]);
    settled(&other);
    settled(&pipeline);
}

#[test]
fn what_a_policy_traces_into_its_own_pipeline_is_bounded_by_the_policy() {
    // A policy that leaves its own spans alone is asked about them once and no more.
    let (builder, _, memory) = support::pipeline();
    let own: Arc<OnceLock<Tracer>> = Arc::default();
    let inside = Arc::clone(&own);
    let pipeline = builder
        .with_tail(move |trace: &TraceView<'_>| {
            let name = trace.root().map(SpanRef::operation_name);
            if let (Some(tracer), Some("root")) = (inside.get(), name) {
                drop(tracer.start_span("inside"));
            }
            Verdict::keep()
        })
        .start()
        .unwrap();
    assert!(own.set(pipeline.tracer()).is_ok());
    drop(pipeline.tracer().start_span("root"));
    pipeline.flush(PLENTY).unwrap();
    assert!(exported(&memory).contains(&vec!["root".to_owned()]));
    settled(&pipeline);
}

#[test]
fn what_an_exporter_traces_never_comes_back() {
    let own: Arc<OnceLock<Tracer>> = Arc::default();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (inside, names) = (Arc::clone(&own), Arc::clone(&seen));
    let traces = Export(move |batch: Batch| {
        for trace in batch {
            let root = trace.root().map(SpanRef::operation_name).unwrap_or_default();
            names.lock().unwrap().push(root.to_owned());
            if let Some(tracer) = inside.get() {
                let span = tracer.start_span("inside the exporter");
                assert!(!span.is_recording());
                drop(span.child("child"));
                // As an instrumented client would continue the trace that it sends.
                let context = trace.root().unwrap().context();
                drop(tracer.start_span_with_context("joined", &context));
            }
        }
        Ok(())
    });
    let pipeline =
        Pipeline::builder("test").with_sampler(AlwaysOn).with_exporter(traces).start().unwrap();
    assert!(own.set(pipeline.tracer()).is_ok());
    drop(pipeline.tracer().start_span("root"));
    for _ in 0..3 {
        pipeline.flush(PLENTY).unwrap();
    }
    assert_eq!(*seen.lock().unwrap(), ["root"]);
    let stats = settled(&pipeline);
    assert_eq!((stats.dropped_by(Reason::OwnWork), stats.exported), (3, 1));
}
