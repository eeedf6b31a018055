//! A filter that the spans of this module pass.

use tracing::Subscriber;
use tracing_subscriber::filter::{FilterExt, LevelFilter, Targets};
use tracing_subscriber::layer::Filter;

use super::options::TARGET;

/// Lets through what `filter` does, and the spans of [`HttpServerLayer`](super::HttpServerLayer) and
/// [`HttpClientLayer`](super::HttpClientLayer).
///
/// For filters by the names of crates, such as `my_crate=info`, under which those spans would vanish. It costs nothing
/// where `filter` costs nothing.
pub fn or_http<S: Subscriber>(filter: impl Filter<S>) -> impl Filter<S> {
    filter.or(Targets::new().with_target(TARGET, LevelFilter::TRACE))
}
