//! The layer of a `tracing` span.

use std::sync::Arc;

use tracing::{Dispatch, Metadata, Span, span};

use super::layer_list::{self, FoundSpan};
use super::state::LayerState;
use super::trace_layer::TraceLayer;

/// Why no layer knows a span.
pub(super) enum LookupError {
    /// The span's subscriber has no layer.
    NoLayer,
    /// Neither the span nor an ancestor is enabled for the layer.
    NoSpan,
}

/// The layer that knows a span or an ancestor of it.
pub(super) fn find(span: &Span) -> Result<FoundSpan, LookupError> {
    let found = span.with_subscriber(|(id, dispatch)| find_in(dispatch, id, span.metadata()));
    found.unwrap_or(Err(LookupError::NoSpan))
}

/// The layer that knows the span itself: no filter hides it.
pub(super) fn find_exactly(span: &Span) -> Option<FoundSpan> {
    find(span).ok().filter(|found| found.is_itself)
}

/// Whether a layer knows the span itself.
#[cfg(feature = "tower")]
pub(super) fn is_known(span: &Span) -> bool {
    find_exactly(span).is_some()
}

fn find_in(
    dispatch: &Dispatch,
    id: &span::Id,
    metadata: Option<&Metadata<'_>>,
) -> Result<FoundSpan, LookupError> {
    let Some(layer) = dispatch.downcast_ref::<TraceLayer>() else {
        // Some wrappers do not pass on the question for the layer; `reload` does not.
        let is_candidate = |layer: &LayerState| !layer.is_foreign(dispatch);
        let found = layer_list::find_by_callsite(id, metadata, is_candidate, Vec::new);
        return found.ok_or(LookupError::NoLayer);
    };
    let layer = Arc::clone(&layer.state);
    if layer.contains(id.into_u64()) {
        return Ok(FoundSpan { layer, id: id.into_u64(), is_itself: true });
    }
    let nearest = layer.nearest_in(dispatch, id).ok_or(LookupError::NoSpan)?;
    Ok(FoundSpan { layer, id: nearest, is_itself: false })
}
