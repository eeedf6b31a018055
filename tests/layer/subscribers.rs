//! Layers in subscribers of every kind.

use super::support::{PATIENCE, Run, keeping, tailed, trace_under};
use crate::way;
use tailtrace::layer::SetParentError;
use tailtrace::testing::tree;
use tailtrace::{
    AlwaysOn, InMemoryExporter, Pipeline, SpanId, TraceContext, TraceId, TraceLayer, TraceSpanExt,
};
use tracing::dispatcher::with_default;
use tracing::{Level, info, info_span};
use tracing_subscriber::filter::{LevelFilter, filter_fn};
use tracing_subscriber::{Layer, Registry, prelude::*, reload};

fn program() {
    let _outer = info_span!("outer", a = 1).entered();
    let inner = info_span!("inner");
    inner.set_tag("b", 2);
    info!("said");
    assert!(inner.context().is_some());
}

const PROGRAM: &str = "outer a=1\n│    info: \"said\"\n└─ inner b=2";

#[test]
fn two_layers_in_one_subscriber_both_record_everything() {
    let memory = InMemoryExporter::new();
    let second = keeping().with_exporter(memory.clone()).start().unwrap();
    let both = |pipeline: &Pipeline| way::under(way::plain(pipeline)).with(second.layer());
    let outcome = trace_under(tailed(), both, || {
        let _outer = info_span!("outer", a = 1).entered();
        info_span!("inner").in_scope(|| info!("said"));
    });
    second.shutdown(PATIENCE).unwrap();
    assert_eq!(outcome.trees(), "outer a=1\n└─ inner\n        info: \"said\"");
    assert_eq!(tree(&memory.traces()[0]), outcome.trees());
    assert_ne!(memory.traces()[0].trace_id(), outcome.traces[0].trace_id());
    assert!(second.stats().balances());
}

#[test]
fn two_layers_of_one_pipeline_record_two_traces() {
    let both = |pipeline: &Pipeline| way::under(way::plain(pipeline)).with(pipeline.layer());
    let outcome = trace_under(keeping(), both, || {
        info_span!("outer").in_scope(|| drop(info_span!("inner")));
    });
    assert_eq!(outcome.trees(), "outer\n└─ inner\nouter\n└─ inner");
}

#[test]
fn a_span_of_a_subscriber_without_a_layer_is_not_taken_for_one_of_another() {
    let outside = Run::start(keeping(), |pipeline| way::under(way::plain(pipeline)));
    let span = || info_span!("same callsite, same id");
    let caller = TraceContext::new(TraceId::new(), SpanId::new()).remote();
    with_default(&outside.dispatch, || {
        let ours = span().entered();
        tracing::subscriber::with_default(tracing_subscriber::registry(), || {
            let theirs = span();
            assert_eq!(theirs.id(), ours.id(), "registries number alike");
            assert_eq!(theirs.context(), None);
            assert_eq!(theirs.set_parent(&caller), Err(SetParentError::LayerNotFound));
            theirs.set_tag("a", 1);
        });
        drop(ours);
    });
    assert_eq!(outside.end().trees(), "same callsite, same id");
}

/// Runs the program under a layer that `wrap` puts into something.
fn wrapped<L>(wrap: impl FnOnce(TraceLayer) -> L)
where
    L: Layer<Registry> + Send + Sync + 'static,
{
    let layered = |pipeline: &Pipeline| tracing_subscriber::registry().with(wrap(pipeline.layer()));
    assert_eq!(trace_under(keeping(), layered, program).trees(), PROGRAM);
}

#[test]
fn a_layer_works_in_an_option() {
    wrapped(Some);
}

#[test]
fn a_layer_that_is_absent_records_nothing() {
    let absent = |_: &Pipeline| tracing_subscriber::registry().with(None::<TraceLayer>);
    let outcome = trace_under(keeping(), absent, || {
        let span = info_span!("span");
        assert_eq!(span.context(), None);
    });
    assert_eq!(outcome.stats.started, 0);
}

#[test]
fn a_layer_works_in_a_box() {
    wrapped(Layer::boxed);
}

#[test]
fn a_layer_works_in_a_list() {
    wrapped(|layer| vec![layer.boxed(), tracing_subscriber::layer::Identity::new().boxed()]);
}

#[test]
fn a_layer_works_with_a_filter() {
    wrapped(|layer| layer.with_filter(LevelFilter::INFO));
}

#[test]
fn a_layer_works_with_another() {
    wrapped(|layer| layer.and_then(tracing_subscriber::layer::Identity::new()));
    wrapped(|layer| tracing_subscriber::layer::Identity::new().and_then(layer));
}

#[test]
fn a_layer_works_in_reload() {
    wrapped(|layer| reload::Layer::new(layer).0);
}

#[test]
fn a_filtered_layer_in_reload_finds_the_visible_ancestors_too() {
    let layered = |pipeline: &Pipeline| {
        // Not a filter by level: through `reload` that would hide the span from everybody.
        let visible = filter_fn(|metadata| *metadata.level() <= Level::INFO);
        let (layer, _handle) = reload::Layer::new(pipeline.layer().with_filter(visible));
        tracing_subscriber::registry().with(layer).with(tracing_subscriber::layer::Identity::new())
    };
    let outcome = trace_under(keeping(), layered, || {
        let outer = info_span!("outer");
        let hidden = tracing::debug_span!(parent: &outer, "hidden");
        drop(info_span!(parent: &hidden, "inner"));
        info!(parent: &hidden, "said");
        assert!(hidden.set_parent(TraceContext::new(TraceId::new(), SpanId::new())).is_err());
    });
    assert_eq!(outcome.trees(), "outer\n│    info: \"said\"\n└─ inner");
}

#[test]
fn a_layer_that_is_reloaded_as_another_pipelines_sends_new_traces_there() {
    let memory = InMemoryExporter::new();
    let second = Pipeline::builder("second").with_sampler(AlwaysOn).with_exporter(memory.clone());
    let second = second.start().unwrap();
    let mut handle = None;
    let layered = |pipeline: &Pipeline| {
        let (layer, reloads) = reload::Layer::new(pipeline.layer());
        handle = Some(reloads);
        tracing_subscriber::registry().with(layer)
    };
    let run = Run::start(keeping(), layered);
    with_default(&run.dispatch, || {
        let open = info_span!("open").entered();
        handle.unwrap().reload(second.layer()).unwrap();
        drop(info_span!("after"));
        drop(open);
    });
    // What a layer leaves open when it goes is decided later, or at a flush.
    run.pipeline.flush(PATIENCE).unwrap();
    assert_eq!(run.end().trees(), "open");
    second.shutdown(PATIENCE).unwrap();
    assert_eq!(memory.traces().iter().map(tree).collect::<Vec<_>>(), ["after"]);
}
