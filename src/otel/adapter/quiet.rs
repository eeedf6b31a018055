//! Work that must not be traced.

use opentelemetry::trace::{FutureExt, WithContext};

use super::line;

/// Runs an exporter's work where OpenTelemetry records nothing, and below no span: what a client inside
/// of it traces would be exported, and traced again.
///
/// It enters that context on each poll, so only for our own threads: a caller's may be inside of a
/// callback that forbids it.
pub(crate) fn quietly<F>(work: F) -> WithContext<F> {
    work.with_context(line::quiet_context())
}
