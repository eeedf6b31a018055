//! What is known to go wrong between spans, policies, exporters and threads.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;

use opentelemetry::trace::{
    Span as _, Status, TraceContextExt as _, Tracer as _, TracerProvider as _,
};
use opentelemetry::{Context, KeyValue};
use tailtrace::{Errors, InMemoryExporter, Pipeline, SpanRef, TailSampler, TraceView, Verdict};

use super::release_line::{
    self, LineExporter, SdkResult, SdkTracerProvider, SpanData, TestExporter,
};
use super::support::{Sink, errors, settled, shop};
use super::tail_span_processor::{bad, names};
use crate::adapter::{HeadSampler, OtelExporter, TailSpanProcessor};

/// Fact: an exporter that remembers its resource mixes services up when two tasks take turns badly.
#[test]
fn every_span_keeps_its_resource_though_several_services_share_a_pipeline() {
    let (sink, seen) = Sink::new();
    let pipeline = Pipeline::builder("pipeline")
        .with_tail(TailSampler::new().keep(Errors))
        .with_exporter(OtelExporter::new(sink))
        .start()
        .unwrap();
    let providers = ["a", "b", "c"].map(|service| {
        let tail = TailSpanProcessor::new(&pipeline);
        (service, release_line::provider_of(service, HeadSampler::new(&pipeline), tail))
    });
    thread::scope(|scope| {
        for (service, provider) in &providers {
            scope.spawn(move || {
                for _ in 0..200 {
                    bad(&provider.tracer("lib"), service);
                }
            });
        }
    });
    release_line::flush(&providers[0].1).unwrap();
    let calls = seen.calls.lock().unwrap();
    assert_eq!(calls.iter().map(|(_, spans)| spans.len()).sum::<usize>(), 600);
    for (service, spans) in calls.iter() {
        assert!(spans.iter().all(|span| span.name == *service), "spans of another than {service}");
    }
    drop(calls);
    settled(&pipeline);
}

/// Hazard: what an exporter traces is exported, and traced again.
#[test]
fn what_an_exporter_traces_does_not_come_back() {
    #[derive(Debug)]
    struct Traced(Arc<OnceLock<SdkTracerProvider>>, Arc<AtomicUsize>);

    impl TestExporter for Traced {
        async fn export(&self, batch: Vec<SpanData>) -> SdkResult {
            self.1.fetch_add(batch.len(), Ordering::Relaxed);
            bad(&self.0.get().unwrap().tracer("client"), "POST /v1/traces");
            Ok(())
        }
    }

    let (slot, spans) = (Arc::new(OnceLock::new()), Arc::new(AtomicUsize::new(0)));
    let exporter = LineExporter::new(Traced(Arc::clone(&slot), Arc::clone(&spans)));
    let pipeline = Pipeline::builder("pipeline")
        .with_tail(TailSampler::new().keep(Errors))
        .with_exporter(OtelExporter::new(exporter))
        .start()
        .unwrap();
    let provider = slot.get_or_init(|| shop(&pipeline));
    bad(&provider.tracer("lib"), "order");
    for _ in 0..3 {
        release_line::flush(provider).unwrap();
    }
    assert_eq!(spans.load(Ordering::Relaxed), 1);
    settled(&pipeline);
}

/// Hazard: a policy that uses OpenTelemetry while the span that ended is locked by the thread that ended it.
#[test]
fn a_policy_may_trace_and_is_not_asked_about_that() {
    let slot = Arc::new(OnceLock::<SdkTracerProvider>::new());
    let asked = Arc::new(Mutex::new(Vec::new()));
    let tail = {
        let (slot, asked) = (Arc::clone(&slot), Arc::clone(&asked));
        move |trace: &TraceView<'_>| {
            let name = trace
                .root()
                .map_or_else(String::new, |span: SpanRef<'_>| span.operation_name().to_owned());
            asked.lock().unwrap().push(name);
            let tracer = slot.get().unwrap().tracer("policy");
            let mut span = tracer.start_with_context("asking", &Context::new());
            span.set_attribute(KeyValue::new("a", 1));
            span.end();
            Verdict::keep()
        }
    };
    let memory = InMemoryExporter::new();
    let builder = Pipeline::builder("pipeline").with_tail(tail).with_exporter(memory.clone());
    let pipeline = builder.start().unwrap();
    let provider = slot.get_or_init(|| shop(&pipeline));
    let tracer = provider.tracer("lib");
    let context = Context::new().with_span(tracer.start("one"));
    context.span().end();
    drop(tracer.start("two"));
    tracer.in_span("three", |_| {});
    release_line::flush(provider).unwrap();
    assert_eq!(*asked.lock().unwrap(), ["one", "two", "three"]);
    assert_eq!(memory.span_count(), 3);
    settled(&pipeline);
}

/// Hazard: the SDK's stack of contexts is borrowed while a span ends here, so that entering one panics.
#[test]
fn a_span_may_end_where_no_context_can_be_entered() {
    let (pipeline, memory) = errors();
    let provider = shop(&pipeline);
    let mut span = provider.tracer("lib").start("order");
    span.set_status(Status::error("declined"));
    let _active = opentelemetry::trace::mark_span_as_active(span);
    opentelemetry::trace::get_active_span(|span| span.end());
    release_line::flush(&provider).unwrap();
    assert_eq!(names(&memory), [["order"]]);
}

#[test]
fn where_a_policy_panics_the_failed_span_is_kept_and_ends_well() {
    let memory = InMemoryExporter::new();
    let pipeline = Pipeline::builder("pipeline")
        .with_tail(|_: &TraceView<'_>| -> Verdict { panic!("no words") })
        .with_exporter(memory.clone())
        .start()
        .unwrap();
    let provider = shop(&pipeline);
    bad(&provider.tracer("lib"), "order");
    release_line::flush(&provider).unwrap();
    assert_eq!((memory.span_count(), settled(&pipeline).panics), (1, 1));
}

#[test]
fn threads_that_share_a_trace_make_one_decision() {
    let (pipeline, memory) = errors();
    let provider = shop(&pipeline);
    let tracer = provider.tracer("lib");
    let root = Context::new().with_span(tracer.start("root"));
    thread::scope(|scope| {
        for number in 0..4 {
            let (tracer, root) = (&tracer, &root);
            scope.spawn(move || {
                for _ in 0..50 {
                    let mut span = tracer.start_with_context("part", root);
                    if number == 3 {
                        span.set_status(Status::error("declined"));
                    }
                    span.end();
                }
            });
        }
    });
    root.span().end();
    release_line::flush(&provider).unwrap();
    assert_eq!(memory.traces().len(), 1);
    assert_eq!((memory.span_count(), settled(&pipeline).exported), (201, 201));
}
