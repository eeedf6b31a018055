//! Spans and events that are disabled inside of traces that are not recorded.

use super::support::{keeping, trace_under};
use tailtrace::layer::SetParentError;
use tailtrace::{
    AlwaysOff, Pipeline, SamplingRequest, SamplingResult, SpanId, TraceContext, TraceId,
    TraceSpanExt, TraceSubscriber,
};
use tracing::level_filters::LevelFilter;
use tracing::{Span, debug, info, info_span};
use tracing_subscriber::prelude::*;

fn disabling(pipeline: &Pipeline) -> TraceSubscriber {
    pipeline.subscriber().disabling()
}

/// Drops the roots called `dropped`.
fn by_name(request: &SamplingRequest<'_>) -> SamplingResult {
    if request.name == "dropped" { SamplingResult::drop() } else { SamplingResult::sample() }
}

fn step() -> Span {
    info_span!("step")
}

#[test]
fn spans_inside_of_a_dropped_trace_are_disabled_and_counted_once_their_callsite_is_known() {
    let outcome = trace_under(keeping().with_sampler(AlwaysOff), disabling, || {
        let root = info_span!("root").entered();
        for turn in 0..10 {
            let step = step();
            assert_eq!(step.is_disabled(), turn > 0);
            step.in_scope(|| info!("said"));
            assert!(step.context().is_some() || turn > 0);
        }
        drop(root);
    });
    assert_eq!((outcome.stats.started, outcome.stats.sampled_out), (11, 11), "{}", outcome.stats);
}

#[test]
fn what_is_recorded_is_enabled() {
    let outcome = trace_under(keeping().with_sampler(by_name), disabling, || {
        for name in ["kept", "dropped", "kept"] {
            let root = match name {
                "kept" => info_span!("kept"),
                _ => info_span!("dropped"),
            };
            let _inside = root.entered();
            step().in_scope(|| info!("said"));
        }
    });
    let kept = "kept\n└─ step\n        info: \"said\"";
    assert_eq!(outcome.trees(), format!("{kept}\n{kept}"));
}

#[test]
fn spans_and_events_that_name_their_parent_are_enabled_everywhere() {
    let outcome = trace_under(keeping().with_sampler(by_name), disabling, || {
        let kept = info_span!("kept");
        let dropped = info_span!("dropped").entered();
        for _ in 0..3 {
            drop(info_span!(parent: &kept, "below kept"));
            drop(info_span!(parent: None, "root"));
            info!(parent: &kept, "said");
        }
        drop((dropped, kept));
    });
    assert_eq!(outcome.spans().count(), 7);
    assert_eq!(outcome.logs("kept").len(), 3);
}

#[test]
fn what_the_logs_want_is_enabled() {
    let with_logs = |pipeline: &Pipeline| {
        let heard = super::lines::Lines::default();
        let logs = tracing_subscriber::fmt::layer().with_writer(heard);
        let logs = tracing_subscriber::registry().with(logs).with(LevelFilter::INFO);
        disabling(pipeline).with_logs(logs)
    };
    trace_under(keeping().with_sampler(AlwaysOff), with_logs, || {
        let _root = info_span!("root").entered();
        for turn in 0..3 {
            assert!(!step().is_disabled());
            assert_eq!(tracing::debug_span!("hidden").is_disabled(), turn > 0);
            debug!("hidden");
        }
    });
}

#[test]
fn a_parent_for_a_span_that_is_disabled_is_refused() {
    trace_under(keeping().with_sampler(AlwaysOff), disabling, || {
        let _root = info_span!("root").entered();
        let caller = || TraceContext::new(TraceId::new(), SpanId::new()).remote();
        assert_eq!(step().set_parent(caller()), Ok(()));
        assert_eq!(step().set_parent(caller()), Err(SetParentError::SpanDisabled));
    });
}

#[test]
fn a_filter_holds_beside_it() {
    let filtered = |pipeline: &Pipeline| disabling(pipeline).with_filter(LevelFilter::INFO);
    let outcome = trace_under(keeping(), filtered, || {
        info_span!("root").in_scope(|| {
            for _ in 0..3 {
                assert!(tracing::debug_span!("hidden").is_disabled());
            }
        });
    });
    assert_eq!(outcome.trees(), "root");
}
