//! The way into a pipeline that this suite tests: the subscriber.

// Each test program uses its part of it.
#![allow(dead_code)]

use tailtrace::layer::{SubscriberHandle, TraceSubscriberBuilder};
use tailtrace::{Pipeline, TraceSubscriber};
use tracing::level_filters::LevelFilter;
use tracing::{Dispatch, span};
use tracing_subscriber::Registry;
use tracing_subscriber::registry::LookupSpan;

/// Whether a span ends after its children only.
pub(crate) const PARENTS_WAIT: bool = false;

pub(crate) type Way = TraceSubscriber;
pub(crate) type Handle = SubscriberHandle;

/// With the default options.
pub(crate) fn plain(pipeline: &Pipeline) -> Way {
    pipeline.subscriber()
}

pub(crate) fn builder(pipeline: &Pipeline) -> TraceSubscriberBuilder {
    TraceSubscriber::builder(pipeline)
}

/// The subscriber that it is, or is part of.
pub(crate) fn under(way: Way) -> TraceSubscriber {
    way
}

/// A subscriber that records spans and events up to a level.
pub(crate) fn hiding(pipeline: &Pipeline, level: LevelFilter) -> TraceSubscriber {
    filtered(pipeline, level)
}

/// A subscriber with spans and events up to a level.
pub(crate) fn filtered(pipeline: &Pipeline, level: LevelFilter) -> TraceSubscriber {
    pipeline.subscriber().with_filter(level)
}

/// Whether what gives spans their ids still has this one: what a closed span's handle is cloned into closes no more.
pub(crate) fn is_known(dispatch: &Dispatch, id: &span::Id) -> bool {
    if let Some(registry) = dispatch.downcast_ref::<Registry>() {
        return registry.span_data(id).is_some();
    }
    let id = dispatch.clone_span(id);
    dispatch.try_close(id.clone()) || dispatch.try_close(id)
}
