//! Spans that are open when the pipeline shuts down.

use super::support::{PATIENCE, keeping};
use crate::way;
use tailtrace::ledger::{Reason, Stats};
use tailtrace::pipeline::PipelineBuilder;
use tailtrace::{InMemoryExporter, Pipeline, SamplingRequest, SamplingResult};
use tracing::info_span;
use tracing::subscriber::with_default;

/// Shuts a pipeline down while a root without children is open; whether it said that something was
/// lost, and the account before and after the root closes.
fn shut_down_inside(builder: PipelineBuilder) -> (bool, Stats, Stats) {
    let pipeline = builder.with_exporter(InMemoryExporter::new()).start().unwrap();
    with_default(way::under(way::plain(&pipeline)), || {
        let root = info_span!("root");
        let is_lost = pipeline.shutdown(PATIENCE).is_err();
        let before = pipeline.stats();
        drop(root);
        (is_lost, before, pipeline.stats())
    })
}

#[test]
fn a_root_of_which_no_sampler_was_asked_yet_is_unfinished_at_the_shutdown() {
    let (is_lost, before, after) = shut_down_inside(keeping());
    assert!(is_lost && before.balances(), "{before}");
    assert_eq!((before.started, before.dropped_by(Reason::Unfinished)), (1, 1));
    assert_eq!(before, after);
}

#[test]
fn a_root_that_the_sampler_does_not_want_is_no_loss_at_the_shutdown() {
    let unwanted = |_: &SamplingRequest<'_>| SamplingResult::drop();
    let (is_lost, before, after) =
        shut_down_inside(Pipeline::builder("none").with_sampler(unwanted));
    assert!(!is_lost && before.balances(), "{before}");
    assert_eq!((before.started, before.sampled_out), (1, 1));
    assert_eq!(before, after);
}

#[test]
fn the_shutdown_of_a_pipeline_that_was_exchanged_leaves_the_roots_of_the_other() {
    let start = || {
        let memory = InMemoryExporter::new();
        (keeping().with_exporter(memory.clone()).start().unwrap(), memory)
    };
    let ((before, _), (after, memory)) = (start(), start());
    let layer = way::plain(&before);
    let handle = layer.handle();
    with_default(way::under(layer), || {
        let old = info_span!("old");
        handle.set_pipeline(&after);
        let new = info_span!("new");
        assert!(before.shutdown(PATIENCE).is_err());
        let stats = after.stats();
        assert_eq!((stats.started, stats.live), (1, 1));
        drop((old, new));
    });
    assert!(after.shutdown(PATIENCE).is_ok());
    assert_eq!(before.stats().dropped_by(Reason::Unfinished), 1);
    assert_eq!(memory.traces().len(), 1);
}
