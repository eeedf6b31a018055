//! The way into a pipeline that this suite tests: the layer on a registry.

// Each test program uses its part of it.
#![allow(dead_code)]

use tailtrace::layer::{LayerHandle, TraceLayerBuilder};
use tailtrace::{Pipeline, TraceLayer};
use tracing::level_filters::LevelFilter;
use tracing::{Dispatch, span};
use tracing_subscriber::layer::Layered;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{Layer, Registry, prelude::*};

/// Whether a span ends after its children only.
pub(crate) const PARENTS_WAIT: bool = true;

pub(crate) type Way = TraceLayer;
pub(crate) type Handle = LayerHandle;

/// With the default options.
pub(crate) fn plain(pipeline: &Pipeline) -> Way {
    pipeline.layer()
}

pub(crate) fn builder(pipeline: &Pipeline) -> TraceLayerBuilder {
    TraceLayer::builder(pipeline)
}

/// The subscriber that it is, or is part of.
pub(crate) fn under(way: Way) -> Layered<TraceLayer, Registry> {
    tracing_subscriber::registry().with(way)
}

/// A subscriber with spans and events up to a level.
pub(crate) fn filtered(
    pipeline: &Pipeline,
    level: LevelFilter,
) -> impl tracing::Subscriber + Send + use<> {
    tracing_subscriber::registry().with(level).with(pipeline.layer())
}

/// A subscriber that records spans and events up to a level, and hides the others from the traces only.
pub(crate) fn hiding(
    pipeline: &Pipeline,
    level: LevelFilter,
) -> impl tracing::Subscriber + Send + use<> {
    let layer = pipeline.layer().with_filter(level);
    tracing_subscriber::registry().with(layer).with(tracing_subscriber::layer::Identity::new())
}

/// A subscriber that records everything into both pipelines.
pub(crate) fn both(one: &Pipeline, other: &Pipeline) -> impl tracing::Subscriber + Send + use<> {
    tracing_subscriber::registry().with(one.layer()).with(other.layer())
}

/// Whether what gives spans their ids still has this one.
pub(crate) fn is_known(dispatch: &Dispatch, id: &span::Id) -> bool {
    dispatch.downcast_ref::<Registry>().unwrap().span_data(id).is_some()
}
