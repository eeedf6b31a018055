//! The layer of a `tracing` span.

use tracing::{Dispatch, Metadata, Span, span};
use tracing_subscriber::Registry;

use super::layer_list::{self, FoundSpan};
use super::state::LayerState;
use super::subscriber::TraceSubscriber;
use super::trace_layer::TraceLayer;
#[cfg(feature = "tower")]
use crate::record::{CarriedLimit, RecordLimits};

/// Why no layer knows a span.
pub(super) enum LookupError {
    /// The span's subscriber has no layer.
    NoLayer,
    /// Neither the span nor an ancestor is enabled for the layer.
    NoSpan,
}

/// What `work` makes of a span that a layer knows, or of the nearest ancestor that it knows.
///
/// The layer is lent and not given out: a reference of one's own would be counted, in memory that all
/// threads share.
pub(super) fn with<R>(
    span: &Span,
    work: impl FnOnce(FoundSpan<'_>) -> R,
) -> Result<R, LookupError> {
    let done = span.with_subscriber(|(id, dispatch)| with_in(dispatch, id, span.metadata(), work));
    done.unwrap_or(Err(LookupError::NoSpan))
}

/// What `work` makes of a span that a layer knows itself: no filter hides it.
pub(super) fn with_exactly<R>(span: &Span, work: impl FnOnce(FoundSpan<'_>) -> R) -> Option<R> {
    with(span, |found| found.is_itself.then(|| work(found))).ok().flatten()
}

/// Whether a layer knows the span itself.
#[cfg(feature = "tower")]
pub(super) fn is_known(span: &Span) -> bool {
    with_exactly(span, |_| ()).is_some()
}

fn with_in<R>(
    dispatch: &Dispatch,
    id: &span::Id,
    metadata: Option<&Metadata<'_>>,
    work: impl FnOnce(FoundSpan<'_>) -> R,
) -> Result<R, LookupError> {
    let Some(layer) = state_in(dispatch) else {
        // Some wrappers do not pass on the question for the layer; `reload` does not.
        let is_candidate = |layer: &LayerState| !layer.is_foreign(dispatch, is_same);
        let done = layer_list::find_by_callsite(id, metadata, is_candidate, Vec::new, work);
        return done.ok_or(LookupError::NoLayer);
    };
    let number = id.into_u64();
    if layer.contains(number) {
        return Ok(work(FoundSpan { layer, id: number, is_itself: true }));
    }
    let nearest = layer.nearest_in(dispatch, id).ok_or(LookupError::NoSpan)?;
    Ok(work(FoundSpan { layer, id: nearest, is_itself: false }))
}

/// How much of what requests say the thread's subscriber may carry; where no layer is found in it, as by the default
/// limits.
#[cfg(feature = "tower")]
pub(super) fn carried_limit() -> CarriedLimit {
    tracing::dispatcher::get_default(|dispatch| match state_in(dispatch) {
        Some(layer) => layer.carried_limit(),
        None => CarriedLimit::of(&RecordLimits::default()),
    })
}

/// The state of the subscriber `dispatch`, or of the first layer in it.
fn state_in(dispatch: &Dispatch) -> Option<&LayerState> {
    match dispatch.downcast_ref::<TraceSubscriber>() {
        Some(subscriber) => Some(&subscriber.state),
        None => dispatch.downcast_ref::<TraceLayer>().map(|layer| &*layer.state),
    }
}

/// Whether two subscribers are the same: they have the same registry, or are the same of ours.
fn is_same(one: &Dispatch, other: &Dispatch) -> bool {
    has_same::<Registry>(one, other) || has_same::<TraceSubscriber>(one, other)
}

fn has_same<T: 'static>(one: &Dispatch, other: &Dispatch) -> bool {
    match (one.downcast_ref::<T>(), other.downcast_ref::<T>()) {
        (Some(one), Some(other)) => std::ptr::eq(one, other),
        _ => false,
    }
}
