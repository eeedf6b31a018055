//! What has closed is forgotten.

use super::support::{PATIENCE, keeping};
use crate::way;
use tailtrace::ledger::Reason;
use tailtrace::record::RecordLimits;
use tailtrace::{InMemoryExporter, Pipeline, TraceSpanExt, TraceView, Verdict};
use tracing::{info, info_span};

fn drops_all(_: &TraceView<'_>) -> Verdict {
    Verdict::drop()
}

#[test]
fn a_million_spans_leave_nothing_behind() {
    let limits = RecordLimits::default().with_live_traces(8);
    let pipeline = Pipeline::builder("layer")
        .with_limits(limits)
        .with_tail(drops_all)
        .with_exporter(InMemoryExporter::new())
        .start()
        .unwrap();
    let subscriber = way::under(way::plain(&pipeline));
    let dispatch = tracing::Dispatch::new(subscriber);
    let mut largest = 0;
    tracing::dispatcher::with_default(&dispatch, || {
        for n in 0..250_000_u64 {
            let root = info_span!("root", n).entered();
            drop(info_span!("child").entered());
            let other = info_span!(parent: None, "other");
            if n % 2 == 0 {
                assert!(other.context().is_some());
            }
            drop(info_span!(parent: &other, "its child"));
            largest = largest.max(slot(&root));
        }
    });
    // Slots are used again as soon as they are free: there were never more than a few.
    assert!(largest < 256, "{largest} slots");
    let stats = pipeline.stats();
    assert_eq!((stats.live, stats.started), (0, 1_000_000), "{stats}");
    assert!(stats.balances());
    // Drafts and traces that were not forgotten would have met the limit.
    assert_eq!(stats.dropped_by(Reason::LiveTraces), 0, "{stats}");
}

/// The place of a span, without how often the place was used.
fn slot(span: &tracing::Span) -> u64 {
    span.id().unwrap().into_u64() & 0xffff
}

#[test]
fn guards_that_are_leaked_cost_what_their_spans_cost_and_no_more() {
    let pipeline = keeping().with_exporter(InMemoryExporter::new()).start().unwrap();
    let subscriber = way::under(way::plain(&pipeline));
    let dispatch = tracing::Dispatch::new(subscriber);
    tracing::dispatcher::with_default(&dispatch, || {
        for _ in 0..20_000 {
            let span = info_span!("span");
            std::mem::forget(span.enter());
            let id = span.id().unwrap();
            drop(span);
            assert!(!way::is_known(&dispatch, &id));
        }
        info!("to no span");
        drop(info_span!("after"));
    });
    pipeline.shutdown(PATIENCE).unwrap();
    let stats = pipeline.stats();
    assert!(stats.balances(), "{stats}");
    assert_eq!((stats.started, stats.traces_kept), (20_001, 20_001));
}

#[test]
fn drafts_count_against_the_limit_of_live_traces() {
    let limits = RecordLimits::default().with_live_traces(100);
    let builder = keeping().with_limits(limits).with_exporter(InMemoryExporter::new());
    let pipeline = builder.start().unwrap();
    let subscriber = way::under(way::plain(&pipeline));
    tracing::subscriber::with_default(subscriber, || {
        let spans: Vec<_> = (0..10_000).map(|_| info_span!("span")).collect();
        assert!(pipeline.stats().live <= 100);
        drop(spans);
    });
    pipeline.shutdown(PATIENCE).unwrap();
    let stats = pipeline.stats();
    assert!(stats.balances(), "{stats}");
    assert_eq!(stats.started, 10_000);
    assert!(stats.dropped_by(Reason::LiveTraces) >= 9_800, "{stats}");
}
