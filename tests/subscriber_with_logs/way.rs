//! The way into a pipeline that this suite tests: the subscriber with logs beside it.

#[path = "../subscriber/way.rs"]
mod alone;

pub(crate) use alone::{Handle, Way, builder, plain};
use tailtrace::Pipeline;
use tailtrace::layer::SubscriberWithLogs;
use tailtrace_downcast::Downcast;
use tracing::level_filters::LevelFilter;
use tracing::{Dispatch, span};
use tracing_subscriber::layer::{Identity, Layered};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{Registry, prelude::*};

/// Whether a span ends after its children only.
pub(crate) const PARENTS_WAIT: bool = true;

/// Logs that want everything and write nothing. A registry forgets its spans only where there are layers on it.
fn logs() -> Layered<Identity, Registry> {
    tracing_subscriber::registry().with(Identity::new())
}

/// The subscriber that it is, or is part of.
pub(crate) fn under(way: Way) -> Downcast<SubscriberWithLogs<Layered<Identity, Registry>>> {
    way.with_logs(logs())
}

/// A subscriber that records spans and events up to a level.
pub(crate) fn hiding(
    pipeline: &Pipeline,
    level: LevelFilter,
) -> Downcast<SubscriberWithLogs<Layered<Identity, Registry>>> {
    pipeline.subscriber().with_filter(level).with_logs(logs())
}

/// A subscriber with spans and events up to a level.
pub(crate) fn filtered(
    pipeline: &Pipeline,
    level: LevelFilter,
) -> impl tracing::Subscriber + Send + use<> {
    let logs = tracing_subscriber::registry().with(level);
    pipeline.subscriber().with_filter(level).with_logs(logs)
}

/// Whether what gives spans their ids still has this one.
pub(crate) fn is_known(dispatch: &Dispatch, id: &span::Id) -> bool {
    dispatch.downcast_ref::<Registry>().unwrap().span_data(id).is_some()
}
