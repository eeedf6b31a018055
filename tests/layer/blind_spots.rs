//! What a set-up hides, told once.

use super::support::{Heard, PATIENCE, keeping};
use tailtrace::{InMemoryExporter, Pipeline};
use tracing::{error, info_span};
use tracing_subscriber::filter::{LevelFilter, Targets, filter_fn};
use tracing_subscriber::prelude::*;
use tracing_subscriber::{EnvFilter, Layer, Registry};

/// What is logged about a pipeline whose layer stands in a subscriber with others.
fn told<L: Layer<Registry> + Send + Sync + 'static>(
    layers: impl FnOnce(tailtrace::TraceLayer) -> L,
) -> String {
    let pipeline = keeping().with_exporter(InMemoryExporter::new()).start().unwrap();
    let heard = Heard::default();
    let subscriber = tracing_subscriber::registry().with(layers(pipeline.layer())).with(
        heard.clone().with_filter(Targets::new().with_target("tailtrace", LevelFilter::WARN)),
    );
    tracing::subscriber::with_default(subscriber, || {
        info_span!("span").in_scope(|| error!("failed"));
        pipeline.shutdown(PATIENCE).unwrap();
        pipeline.shutdown(PATIENCE).unwrap();
    });
    heard.said()
}

#[test]
fn a_filter_that_hides_errors_but_no_spans_is_told_once() {
    let said = told(|layer| layer.with_filter(filter_fn(|metadata| metadata.is_span())));
    assert_eq!(said.matches("hides events at the level ERROR").count(), 1, "{said}");
    // Through a box and beside others it is the same filter.
    let spans_only = || filter_fn(|metadata: &tracing::Metadata<'_>| metadata.is_span());
    let boxed = |layer: tailtrace::TraceLayer| {
        layer.with_filter(spans_only()).boxed().and_then(Some(LevelFilter::TRACE))
    };
    let said = told(boxed);
    assert_eq!(said.matches("hides events at the level ERROR").count(), 1, "{said}");
}

#[test]
fn filters_that_let_errors_through_or_name_crates_are_not_complained_of() {
    assert_eq!(told(|layer| layer), "");
    assert_eq!(told(|layer| layer.with_filter(LevelFilter::INFO)), "");
    assert_eq!(told(|layer| layer.with_filter(EnvFilter::new("layer=info"))), "");
    let targets: Targets = "layer=debug,tailtrace::http=info".parse().unwrap();
    assert_eq!(told(|layer| layer.with_filter(targets)), "");
}

mod opentelemetry_appender_tracing {
    /// Stands for the bridge of that crate, which is known by the name of its type.
    pub(crate) struct Bridge;

    impl<S: tracing::Subscriber> tracing_subscriber::Layer<S> for Bridge {}
}

/// What is logged about a pipeline whose layer stands above a log bridge.
fn told_above_a_bridge(prepare: impl FnOnce(&Pipeline)) -> String {
    let pipeline = keeping().with_exporter(InMemoryExporter::new()).start().unwrap();
    let heard = Heard::default();
    let subscriber = tracing_subscriber::registry()
        .with(opentelemetry_appender_tracing::Bridge)
        .with(pipeline.layer())
        .with(heard.clone());
    prepare(&pipeline);
    tracing::subscriber::with_default(subscriber, || {
        drop(info_span!("span"));
        pipeline.shutdown(PATIENCE).unwrap();
    });
    heard.said()
}

#[test]
fn a_log_bridge_without_shared_contexts_is_told_once() {
    let said = told_above_a_bridge(|_| {});
    assert_eq!(said.matches("its records have no trace ids").count(), 1, "{said}");
}

#[cfg(feature = "otel")]
#[test]
fn a_log_bridge_with_shared_contexts_is_not_told() {
    assert_eq!(told_above_a_bridge(tailtrace::otel::share_context), "");
}
