//! Work that must not be traced.

use opentelemetry::trace::{FutureExt, WithContext};

use super::release_line;

/// Runs an exporter's work where OpenTelemetry's telemetry is suppressed, and below no span: what a client
/// inside of the exporter traces would be exported, and traced again.
///
/// The future enters that context on each poll. Use it on threads of this crate only: a thread of the
/// application may be inside of a callback under which attaching a context panics.
pub(crate) fn suppressed<F>(work: F) -> WithContext<F> {
    work.with_context(release_line::suppressed_context())
}
