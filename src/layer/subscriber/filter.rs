//! Which spans and events a subscriber records.

use std::str::FromStr;

use arc_swap::ArcSwap;
use tracing::level_filters::LevelFilter;
use tracing::{Level, Metadata};
use tracing_subscriber::filter::{ParseError, Targets};
use tracing_subscriber::{Layer, Registry};

use crate::kit::debug_like_display;

/// Levels by target: which spans and events a [`TraceSubscriber`](crate::TraceSubscriber) records.
///
/// From a level (`LevelFilter`, `Level`), from
/// [`Targets`](tracing_subscriber::filter::Targets), or from text such as `info,checkout=debug,hyper=off`: a level
/// for all, and levels for targets that begin with a name. The default records all.
///
/// ```
/// use tailtrace::layer::TraceFilter;
/// let filter: TraceFilter = "info,checkout=debug".parse()?;
/// let error = "checkout=loud".parse::<TraceFilter>().unwrap_err();
/// assert!(error.to_string().contains("checkout=loud"));
/// # let _ = filter;
/// # Ok::<(), tailtrace::layer::ParseTraceFilterError>(())
/// ```
#[derive(Clone, Debug)]
pub struct TraceFilter(Targets);

/// Why a text is no [`TraceFilter`].
#[derive(thiserror::Error)]
#[error(
    "the filter `{text}` is not understood ({source}); write levels by target, as in \
     `info,checkout=debug,hyper=off`"
)]
pub struct ParseTraceFilterError {
    text: String,
    source: ParseError,
}

debug_like_display!(ParseTraceFilterError);

/// The filter of a subscriber in use, which may change.
#[derive(Debug)]
pub(super) struct CurrentFilter(ArcSwap<TraceFilter>);

impl TraceFilter {
    fn is_enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.0.would_enable(metadata.target(), metadata.level())
    }

    /// The most verbose level that it lets through; `None` where that is not known.
    fn max_level(&self) -> Option<LevelFilter> {
        Layer::<Registry>::max_level_hint(&self.0)
    }
}

impl CurrentFilter {
    pub(super) fn new(filter: TraceFilter) -> Self {
        Self(ArcSwap::from_pointee(filter))
    }

    pub(super) fn set(&self, filter: TraceFilter) {
        self.0.store(filter.into());
    }

    /// Whether a callsite is recorded, which does not change until the filter does.
    pub(super) fn is_enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.0.load().is_enabled(metadata)
    }

    /// The most verbose level that it lets through; `None` where that is not known.
    pub(super) fn max_level(&self) -> Option<LevelFilter> {
        self.0.load().max_level()
    }
}

impl Default for TraceFilter {
    fn default() -> Self {
        LevelFilter::TRACE.into()
    }
}

impl From<LevelFilter> for TraceFilter {
    fn from(level: LevelFilter) -> Self {
        Self(Targets::new().with_default(level))
    }
}

impl From<Level> for TraceFilter {
    fn from(level: Level) -> Self {
        LevelFilter::from_level(level).into()
    }
}

impl From<Targets> for TraceFilter {
    fn from(targets: Targets) -> Self {
        Self(targets)
    }
}

impl FromStr for TraceFilter {
    type Err = ParseTraceFilterError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let targets = text.parse();
        targets.map(Self).map_err(|source| ParseTraceFilterError { text: text.to_owned(), source })
    }
}
