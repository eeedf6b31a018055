//! Finding the layer that knows a span.

use std::sync::{Arc, PoisonError, RwLock, Weak};

use tracing::{Dispatch, Metadata, span};

use super::TraceLayer;
use super::shared::Shared;
use super::stack;

/// Every layer there is: a handful at most.
static LAYERS: RwLock<Vec<Weak<Shared>>> = RwLock::new(Vec::new());

pub(super) fn register(layer: &Arc<Shared>) {
    let mut layers = LAYERS.write().unwrap_or_else(PoisonError::into_inner);
    layers.retain(|layer| layer.strong_count() > 0);
    layers.push(Arc::downgrade(layer));
}

/// The layers there are. Taken out of the lock, because the last handle to a layer may be dropped.
fn layers() -> Vec<Arc<Shared>> {
    let layers = LAYERS.read().unwrap_or_else(PoisonError::into_inner);
    layers.iter().filter_map(Weak::upgrade).collect()
}

/// A span that a layer knows.
pub(super) struct Found {
    pub(super) layer: Arc<Shared>,
    /// The span itself, or where a filter hides it from the layer, its nearest ancestor.
    pub(super) id: u64,
    /// Whether it is the span itself.
    pub(super) is_itself: bool,
}

/// Why a layer knows nothing of a span.
pub(super) enum Unknown {
    NoLayer,
    /// Neither the span nor an ancestor is enabled for the layer.
    NoSpan,
}

/// The layer of a span whose subscriber is known.
pub(super) fn in_subscriber(
    dispatch: &Dispatch,
    id: &span::Id,
    metadata: Option<&Metadata<'_>>,
) -> Result<Found, Unknown> {
    let Some(layer) = dispatch.downcast_ref::<TraceLayer>() else {
        // Not every wrapper lets itself be looked through; `reload` does not.
        let of_this = |layer: &Shared| !layer.is_elsewhere(dispatch);
        return by_callsite(id, metadata, of_this, Vec::new).ok_or(Unknown::NoLayer);
    };
    let layer = Arc::clone(&layer.shared);
    if layer.table.has(id.into_u64()) {
        return Ok(Found { layer, id: id.into_u64(), is_itself: true });
    }
    let nearest = layer.nearest_in(dispatch, id).ok_or(Unknown::NoSpan)?;
    Ok(Found { layer, id: nearest, is_itself: false })
}

/// The layer that knows a span with this id from this callsite. Where several do, it is the one that
/// this thread is inside of: registries number their spans alike. `may_be` says which layers to ask,
/// `ancestors` is asked when none of them does.
pub(super) fn by_callsite(
    id: &span::Id,
    metadata: Option<&Metadata<'_>>,
    may_be: impl Fn(&Shared) -> bool,
    ancestors: impl FnOnce() -> Vec<(span::Id, &'static Metadata<'static>)>,
) -> Option<Found> {
    let layers = layers();
    let of = |id: u64, metadata: &Metadata<'_>| {
        let mut found: Option<&Arc<Shared>> = None;
        for layer in &layers {
            let is_from_there = layer
                .table
                .with(id, |span| span.metadata().callsite() == metadata.callsite())
                .unwrap_or(false);
            if is_from_there && may_be(layer) && (found.is_none() || stack::is_inside(layer.key)) {
                found = Some(layer);
            }
        }
        found.cloned()
    };
    if let Some(layer) = of(id.into_u64(), metadata?) {
        return Some(Found { layer, id: id.into_u64(), is_itself: true });
    }
    ancestors().into_iter().find_map(|(id, metadata)| {
        let id = id.into_u64();
        of(id, metadata).map(|layer| Found { layer, id, is_itself: false })
    })
}
