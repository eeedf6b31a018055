//! Why a span keeps its parent.

use crate::kit::debug_like_display;

/// Why a span did not get the parent it was given.
#[derive(Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SetParentError {
    /// The span's subscriber has no `TraceLayer`.
    #[error("the span's subscriber has no TraceLayer; add `pipeline.layer()` to the registry")]
    LayerNotFound,
    /// The span has children, or its ids were handed out: both would be wrong afterwards. It has a link
    /// to the context now.
    #[error(
        "the span has children already or its ids were read, for example by a log line with trace \
         ids; set its parent first, or create it inside of its parent; it was given a link instead"
    )]
    AlreadyStarted,
    /// The span is not recorded by the layer: it is disabled by a filter, `Span::none()`, or closed.
    #[error("the span is disabled, so nothing can be its parent; look at the subscriber's filters")]
    SpanDisabled,
}

debug_like_display!(SetParentError);
