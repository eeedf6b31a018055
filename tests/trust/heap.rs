//! The heap against the limits, for every kind of text that a stranger or a program can bring: no limit is exceeded
//! by more than a fifth. A program of its own, because it counts the bytes of all threads.

use std::alloc::System;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use cap::Cap;
use tailtrace::delivery::DeliveryConfig;
use tailtrace::export::{Batch, ExportError};
use tailtrace::model::Link;
use tailtrace::record::RecordLimits;
use tailtrace::{
    AlwaysOn, Exporter, InMemoryExporter, Pipeline, SpanId, TailSampler, TraceContext, TraceId,
    Tracer,
};

#[global_allocator]
static HEAP: Cap<System> = Cap::new(System, usize::MAX);

const MIB: usize = 1024 * 1024;

/// What a pipeline takes before it holds anything: its threads, tables and pools.
const FIXED: usize = 3 * MIB;

/// One at a time: the heap is that of the whole process.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

#[track_caller]
fn assert_within(grown: usize, limit: usize) {
    assert!(grown <= limit + limit / 5 + FIXED, "{} KiB of {} KiB", grown / 1024, limit / 1024);
}

/// The longest trace state and baggage that headers may have, different for each request.
fn headers(request: u64) -> HashMap<String, String> {
    let id = format!("{:032x}", u128::from(request) + 1);
    let members = |len: usize| {
        let member = |at: u64| format!("k{at}={}", "v".repeat(len));
        (0..31).map(member).collect::<Vec<_>>().join(",")
    };
    HashMap::from([
        ("traceparent".to_owned(), format!("00-{id}-00f067aa0ba902b7-01")),
        ("tracestate".to_owned(), members(250)),
        ("baggage".to_owned(), members(250)),
    ])
}

/// Rejects nothing and never answers.
struct Stuck;

#[async_trait]
impl Exporter for Stuck {
    async fn export(&self, _: Batch) -> Result<(), ExportError> {
        std::future::pending().await
    }
}

fn dropping(limits: RecordLimits) -> (Pipeline, Tracer) {
    let nothing = |_: &tailtrace::TraceView<'_>| tailtrace::Verdict::pass();
    let builder = Pipeline::builder("shop").with_limits(limits);
    let builder = builder.with_tail(TailSampler::new().keep(nothing));
    let pipeline = builder.with_exporter(InMemoryExporter::new()).start().unwrap();
    let tracer = pipeline.tracer();
    (pipeline, tracer)
}

#[test]
fn the_ring_weighs_the_trace_states_of_dropped_traces() {
    let _alone = alone();
    let before = HEAP.allocated();
    let limit = 4 * MIB;
    let (pipeline, tracer) = dropping(RecordLimits::default().with_ring_bytes(limit));
    for request in 0..2_000 {
        drop(tracer.start_span_with_context("GET", tracer.extract(&headers(request))));
    }
    assert_within(HEAP.allocated() - before, limit);
    drop(pipeline);
}

#[test]
fn the_ring_weighs_the_trace_states_of_links() {
    let _alone = alone();
    let before = HEAP.allocated();
    let limit = 4 * MIB;
    let (pipeline, tracer) = dropping(RecordLimits::default().with_ring_bytes(limit));
    for request in 0..100 {
        let mut span = tracer.span_builder("batch");
        for link in 0..128 {
            let context = tracer.extract_context(&headers(request * 128 + link)).unwrap();
            span = span.with_link(Link::new(context));
        }
        drop(span.start());
    }
    assert_within(HEAP.allocated() - before, limit);
    drop(pipeline);
}

#[test]
fn the_queue_weighs_the_trace_states_of_kept_traces() {
    let _alone = alone();
    let before = HEAP.allocated();
    let limit = 4 * MIB;
    let delivery = DeliveryConfig::default().with_max_queued_bytes(limit);
    let pipeline = Pipeline::builder("shop")
        .with_sampler(AlwaysOn)
        .with_limits(RecordLimits::default().with_ring_bytes(0))
        .with_delivery(delivery)
        .with_exporter(Stuck)
        .start()
        .unwrap();
    let tracer = pipeline.tracer();
    for request in 0..2_000 {
        drop(tracer.start_span_with_context("GET", tracer.extract(&headers(request))));
    }
    assert_within(HEAP.allocated() - before, limit);
    let _ = pipeline.shutdown(Duration::ZERO);
}

#[test]
fn open_spans_weigh_their_trace_states_and_their_baggage() {
    let _alone = alone();
    let before = HEAP.allocated();
    let limit = 32 * MIB;
    let (pipeline, tracer) =
        dropping(RecordLimits::default().with_live_bytes(limit).with_ring_bytes(0));
    let open: Vec<_> = (0..8_000)
        .map(|request| tracer.start_span_with_context("GET", tracer.extract(&headers(request))))
        .collect();
    assert_within(HEAP.allocated() - before, limit);
    // What is at hand is carried on; what came with requests beyond the share is not.
    assert!(!open[0].baggage().is_empty());
    assert!(open[7_999].baggage().is_empty());
    drop(open);
    let later = tracer.start_span_with_context("GET", tracer.extract(&headers(7)));
    assert!(!later.baggage().is_empty(), "room that was given back is used again");
    drop(later);
    drop(pipeline);
}

#[test]
fn a_trace_says_what_it_takes() {
    let _alone = alone();
    let memory = InMemoryExporter::new();
    let tracer = Tracer::new("shop", AlwaysOn, memory.clone());
    let mut span = tracer.span_builder("batch");
    for link in 0..128 {
        let context = tracer.extract_context(&headers(link)).unwrap();
        span = span.with_link(Link::new(context));
    }
    drop(span.start());
    let linked: TraceContext = TraceContext::new(TraceId::new(), SpanId::new());
    drop(tracer.span_builder("bare").with_link(Link::new(linked)).start());
    tracer.shutdown(Duration::from_secs(30)).unwrap();
    let traces = memory.traces();
    let bytes = |name: &str| {
        let of = |trace: &&tailtrace::Trace| trace.root().unwrap().operation_name() == name;
        traces.iter().find(of).unwrap().bytes()
    };
    assert!(bytes("batch") > 128 * 7_000, "{}", bytes("batch"));
    assert!(bytes("bare") < 2_000, "{}", bytes("bare"));
}
