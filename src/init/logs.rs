//! The program's log lines.

use tracing::Subscriber;
use tracing_subscriber::filter::FilterExt;
use tracing_subscriber::fmt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{EnvFilter, Layer};

use super::filters::NotOfExporters;
use crate::layer::trace_ids::TraceIds;

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LogFormat {
    Text { color: bool },
    Json,
}

/// The layer that writes log lines with trace ids to standard output.
pub(super) fn layer<S>(format: LogFormat, filter: EnvFilter) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let filter = filter.and(NotOfExporters);
    match format {
        LogFormat::Text { color } => fmt::layer()
            .with_ansi(color)
            .map_event_format(TraceIds::text)
            .with_filter(filter)
            .boxed(),
        LogFormat::Json => {
            fmt::layer().json().map_event_format(TraceIds::json).with_filter(filter).boxed()
        }
    }
}
