//! What goes when there is too much, and what the account says.

use std::sync::{Arc, Mutex};

use tailtrace::delivery::{DeliveryConfig, Retry};
use tailtrace::export::{Batch, ExportError};
use tailtrace::ledger::Reason;
use tailtrace::model::Limits;
use tailtrace::record::RecordLimits;
use tailtrace::{AlwaysOn, LogLevel, Pipeline, SpanGuard, Status};

use crate::support::{self, Export, PLENTY, exported, keep_errors, settled};

fn limited(limits: RecordLimits) -> (Pipeline, tailtrace::InMemoryExporter) {
    let (builder, _, memory) = support::pipeline();
    let pipeline = builder.with_limits(limits).with_tail(keep_errors).start().unwrap();
    (pipeline, memory)
}

fn fail(span: &SpanGuard) {
    span.set_status(Status::error("failed"));
}

#[test]
fn beyond_the_limit_of_live_traces_those_without_errors_go_first() {
    let (pipeline, memory) = limited(RecordLimits::default().with_live_traces(10));
    let tracer = pipeline.tracer();
    let failed: Vec<_> = (0..8).map(|_| tracer.start_span("failed")).collect();
    failed.iter().for_each(fail);
    let others: Vec<_> = (0..100).map(|_| tracer.start_span("other")).collect();
    let stats = settled(&pipeline);
    assert_eq!((stats.live, stats.dropped_by(Reason::LiveTraces)), (10, 98));
    drop((others, failed));
    pipeline.flush(PLENTY).unwrap();
    assert_eq!(exported(&memory), [["failed"]; 8]);
    let stats = settled(&pipeline);
    assert_eq!((stats.held, stats.lost()), (2, 98));
}

#[test]
fn beyond_the_limit_of_live_bytes_whole_traces_go() {
    let limits = RecordLimits::default().with_live_bytes(100_000);
    let (pipeline, _) = limited(limits);
    let tracer = pipeline.tracer();
    let spans: Vec<_> = (0..100).map(|_| tracer.start_span("span")).collect();
    for span in &spans {
        span.set_tag("body", "x".repeat(10_000));
    }
    let stats = settled(&pipeline);
    assert!(stats.live < 10, "{stats}");
    assert_eq!(stats.live + stats.dropped_by(Reason::LiveBytes), 100);
}

#[test]
fn beyond_the_limit_of_spans_the_rest_is_counted_and_failures_are_recorded_still() {
    let (pipeline, memory) = limited(RecordLimits::default().with_spans_per_trace(16));
    let root = pipeline.tracer().start_span("root");
    let inside: Vec<_> = (0..15).map(|_| root.child("inside")).collect();
    let beyond: Vec<_> = (0..20).map(|_| root.child("beyond")).collect();
    assert!(beyond.iter().all(|span| !span.is_recording()));
    beyond[7].set_error(&std::io::Error::other("failed"));
    beyond[8].child("below").set_status(Status::error("failed"));
    beyond[9].set_error(&std::io::Error::other("one too many for the reserve of an eighth"));
    drop((beyond, inside, root));
    pipeline.flush(PLENTY).unwrap();
    let traces = memory.traces();
    assert_eq!((traces.len(), traces[0].span_count()), (1, 18));
    let failures: Vec<_> = traces[0].spans().filter(|span| span.is_error()).collect();
    let failures: Vec<_> = failures.iter().map(|span| span.operation_name()).collect();
    assert_eq!(failures, ["beyond", "below"]);
    let stats = settled(&pipeline);
    assert_eq!((stats.started, stats.exported), (37, 18));
    assert_eq!(stats.dropped_by(Reason::SpansPerTrace), 19);
}

#[test]
fn beyond_the_limit_of_bytes_in_a_trace_spans_are_counted_and_tags_refused() {
    let (pipeline, memory) = limited(RecordLimits::default().with_bytes_per_trace(10_000));
    let root = pipeline.tracer().start_span("root");
    fail(&root);
    root.set_tag("fits", "x".repeat(5_000));
    root.set_tag("does not", "x".repeat(9_000));
    let children: Vec<_> = (0..200).map(|_| root.child("child")).collect();
    drop((children, root));
    pipeline.flush(PLENTY).unwrap();
    let trace = memory.traces()[0].clone();
    let root = trace.root().unwrap();
    assert_eq!((root.tags().count(), root.dropped_tags()), (1, 1));
    let stats = settled(&pipeline);
    assert!(stats.dropped_by(Reason::BytesPerTrace) > 100, "{stats}");
    assert_eq!(stats.exported + stats.dropped_by(Reason::BytesPerTrace), 201);
}

#[test]
fn a_limit_that_allows_no_trace_refuses_every_root_and_counts_it() {
    let (pipeline, memory) = limited(RecordLimits::default().with_bytes_per_trace(0));
    let root = pipeline.tracer().start_span("root");
    assert!(!root.is_recording());
    drop(root.child("child"));
    fail(&root);
    drop(root);
    pipeline.flush(PLENTY).unwrap();
    assert!(memory.traces().is_empty());
    assert_eq!(settled(&pipeline).dropped_by(Reason::BytesPerTrace), 2);
}

#[test]
fn the_limits_of_a_span_hold_for_the_tracer() {
    let span = Limits::default().with_tags(2).with_logs(2).with_links(1).with_value_bytes(8);
    let (pipeline, memory) = limited(RecordLimits::default().with_span(span));
    let root = pipeline.tracer().start_span("root");
    for key in ["a", "b", "c", "a"] {
        root.set_tag(key, "a value that is cut");
    }
    for _ in 0..3 {
        root.log(LogLevel::Info, "said");
    }
    fail(&root);
    root.set_error(&std::io::Error::other("boom"));
    root.add_link(root.context());
    root.add_link(root.context());
    drop(root);
    pipeline.flush(PLENTY).unwrap();
    let trace = memory.traces()[0].clone();
    let root = trace.root().unwrap();
    assert_eq!((root.tags().count(), root.logs().count(), root.links().count()), (2, 2, 1));
    assert_eq!((root.dropped_tags(), root.dropped_logs(), root.dropped_links()), (1, 2, 1));
    assert_eq!(root.logs().last().map(|log| log.level()), Some(LogLevel::Error));
    assert!(root.tags().all(|(_, value)| value.as_str() == Some("a value ")));
}

#[test]
fn the_ring_holds_no_more_than_it_may_and_none_at_zero() {
    for (ring_bytes, most) in [(0, 0), (20_000, 200)] {
        let (pipeline, _) =
            limited(RecordLimits::default().with_ring_bytes(ring_bytes).with_live_traces(100));
        let tracer = pipeline.tracer();
        for _ in 0..1_000 {
            drop(tracer.start_span("span"));
        }
        let stats = settled(&pipeline);
        assert!(stats.held <= most && (stats.held > 0) == (most > 0), "{stats}");
        assert_eq!(stats.held + stats.dropped_by(Reason::NotKept), 1_000);
    }
}

#[test]
fn a_full_queue_sheds_and_counts() {
    let (builder, _, memory) = support::pipeline();
    let delivery = DeliveryConfig::default().with_max_queued_traces(10);
    // A batch that never fills and a clock that stands still: nothing leaves before the flush.
    let batching = tailtrace::export::Batching::default();
    let pipeline = builder
        .with_sampler(AlwaysOn)
        .with_delivery(delivery.with_batching(batching))
        .start()
        .unwrap();
    let tracer = pipeline.tracer();
    for _ in 0..100 {
        drop(tracer.start_span("span"));
    }
    let stats = settled(&pipeline);
    assert_eq!((stats.queued, stats.dropped_by(Reason::QueueFull)), (10, 90));
    assert_eq!(pipeline.flush(PLENTY).unwrap().sent, 10);
    assert_eq!((memory.span_count(), settled(&pipeline).lost()), (10, 90));
}

#[test]
fn a_trace_that_is_larger_than_the_queue_arrives_in_parts_each_span_once() {
    let batches = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&batches);
    let export = Export(move |batch: Batch| {
        seen.lock().unwrap().push(batch.into_traces());
        Ok(())
    });
    let (builder, _, memory) = support::pipeline();
    let pipeline = builder
        .with_tail(keep_errors)
        .with_exporter(export)
        .with_delivery(DeliveryConfig::default().with_max_queued_bytes(20_000))
        .start()
        .unwrap();
    let root = pipeline.tracer().start_span("root");
    let id = root.context().trace_id;
    for number in 0..999 {
        let part = root.child("part");
        part.set_tag("number", number);
        part.log(LogLevel::Info, "said");
    }
    fail(&root);
    drop(root);
    let stats = settled(&pipeline);
    assert_eq!((stats.queued + stats.exported, stats.lost()), (1_000, 0));
    pipeline.flush(PLENTY).unwrap();
    assert_eq!((settled(&pipeline).exported, settled(&pipeline).lost()), (1_000, 0));
    assert_eq!(memory.span_count(), 1_000, "both exporters have it all");
    let batches = batches.lock().unwrap();
    assert!(batches.len() > 5, "{}", batches.len());
    let mut numbers = Vec::new();
    for batch in batches.iter() {
        let [part] = &batch[..] else { panic!("a part is a batch of its own") };
        assert_eq!((part.trace_id(), part.kept_by()), (id, "keep_errors"));
        assert!(part.is_part() && part.notes().any(|(name, _)| name == "tailtrace.part"));
        assert!(part.bytes() <= 20_000, "{} bytes", part.bytes());
        for span in part.spans().filter(|span| span.operation_name() == "part") {
            assert_eq!(span.logs().count(), 1);
            numbers.extend(span.tag("number").and_then(|number| number.as_i64()));
        }
    }
    numbers.sort_unstable();
    assert!(numbers.into_iter().eq(0..999));
}

#[test]
fn what_an_exporter_refuses_is_counted_and_told() {
    for (reason, permanent) in [(Reason::Refused, true), (Reason::RetriesExhausted, false)] {
        let refuse = Export(move |batch: Batch| {
            Err(if permanent {
                ExportError::permanent("no such tenant")
            } else {
                ExportError::retryable("busy", batch)
            })
        });
        let retry = Retry::default().with_budget(std::time::Duration::ZERO);
        let pipeline = Pipeline::builder("test")
            .with_sampler(AlwaysOn)
            .with_exporter(refuse)
            .with_delivery(DeliveryConfig::default().with_retry(retry))
            .start()
            .unwrap();
        let root = pipeline.tracer().start_span("root");
        drop(root.child("child"));
        drop(root);
        // The batch may have been refused before the flush is asked for.
        if let Err(lost) = pipeline.flush(PLENTY) {
            assert_eq!(lost.report().dropped_by(reason), 2);
        }
        let stats = settled(&pipeline);
        assert_eq!((stats.dropped_by(reason), stats.failed(), stats.exported), (2, 2, 0));
    }
}

#[test]
fn a_buffer_is_reused_by_the_traces_that_follow() {
    let (pipeline, _) = limited(RecordLimits::default().with_ring_bytes(0).with_live_traces(100));
    let tracer = pipeline.tracer();
    for _ in 0..100 {
        let root = tracer.start_span("root");
        root.set_tag("key", "value");
        drop(root.child("child"));
    }
    let pool = pipeline.span_pool();
    assert_eq!((pool.misses(), pool.hits(), pool.available()), (1, 99, 1));
    assert!(pool.capacity() >= 1);
}
