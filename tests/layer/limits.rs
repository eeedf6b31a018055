//! Limits of the recorder.

use crate::way;
use std::time::Duration;

use super::support::{PATIENCE, tailed};
use tailtrace::InMemoryExporter;
use tailtrace::ledger::Reason;
use tailtrace::record::RecordLimits;
use tailtrace::time::ManualClock;
use tracing::subscriber::with_default;
use tracing::{Span, info, info_span};

#[test]
fn roots_that_grow_before_the_sampler_is_asked_keep_to_the_limit() {
    let limits = RecordLimits::default().with_live_bytes(256 * 1024);
    let memory = InMemoryExporter::new();
    let pipeline = tailed().with_limits(limits).with_exporter(memory.clone()).start().unwrap();
    with_default(way::under(way::plain(&pipeline)), || {
        let roots: Vec<Span> = (0..16).map(|_| info_span!("root")).collect();
        let text = "x".repeat(1000);
        for _ in 0..64 {
            roots.iter().for_each(|root| info!(parent: root, "{text}"));
        }
        // There is room for the texts of four.
        let stats = pipeline.stats();
        assert!(stats.balances() && stats.dropped_by(Reason::LiveBytes) >= 12, "{stats}");
    });
    let _ = pipeline.shutdown(PATIENCE);
    assert!(!memory.traces().is_empty());
}

#[test]
fn a_root_that_has_asked_no_sampler_yet_is_a_live_trace_with_an_open_span() {
    let clock = ManualClock::new();
    let builder = tailed().with_clock(clock.clock()).with_exporter(InMemoryExporter::new());
    let pipeline = builder.start().unwrap();
    with_default(way::under(way::plain(&pipeline)), || {
        let root = info_span!("root");
        clock.advance(Duration::from_secs(3));
        let stats = pipeline.stats();
        assert_eq!((stats.live_traces, stats.open_spans), (1, 1), "{stats}");
        assert_eq!(stats.oldest_live, Duration::from_secs(3));
        drop(root);
        assert_eq!((pipeline.stats().live_traces, pipeline.stats().open_spans), (0, 0));
    });
}

#[test]
fn idle_roots_cost_no_request_that_fails() {
    let limits = RecordLimits::default().with_live_traces(300);
    let memory = InMemoryExporter::new();
    let pipeline = tailed().with_limits(limits).with_exporter(memory.clone()).start().unwrap();
    with_default(way::under(way::plain(&pipeline)), || {
        let idle: Vec<Span> = (0..450).map(|_| info_span!("idle")).collect();
        for _ in 0..100 {
            let request = info_span!("request").entered();
            tracing::error!("it failed");
            drop(request);
        }
        let stats = pipeline.stats();
        assert!(stats.live <= 300 && stats.balances(), "{stats}");
        assert!(stats.dropped_by(Reason::LiveTraces) >= 150, "{stats}");
        drop(idle);
    });
    pipeline.flush(PATIENCE).unwrap();
    let is_request = |trace: &tailtrace::Trace| {
        trace.root().is_some_and(|root| root.operation_name() == "request")
    };
    assert_eq!(memory.traces().iter().filter(|trace| is_request(trace)).count(), 100);
}
