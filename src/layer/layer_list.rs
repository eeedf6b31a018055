//! The layers of the process.

use std::sync::{Arc, PoisonError, RwLock, Weak};

use tracing::{Metadata, span};

use super::state::LayerState;

/// A handful at most. They are needed where `tracing` gives no way from a span to its layer.
static LAYERS: RwLock<Vec<Weak<LayerState>>> = RwLock::new(Vec::new());

pub(super) fn register(layer: &Arc<LayerState>) {
    let mut layers = LAYERS.write().unwrap_or_else(PoisonError::into_inner);
    layers.retain(|layer| layer.strong_count() > 0);
    layers.push(Arc::downgrade(layer));
}

/// A span that a layer knows.
pub(super) struct FoundSpan {
    pub(super) layer: Arc<LayerState>,
    /// The span that was looked for, or where a filter hides it from the layer, its nearest ancestor.
    pub(super) id: u64,
    /// Whether it is the span that was looked for.
    pub(super) is_itself: bool,
}

/// The layer that knows a span with this id from this callsite. Where several do, it is the one that this
/// thread is inside of: registries number their spans alike.
///
/// `is_candidate` says which layers may be found; `ancestors` is asked when none of them knows the span.
pub(super) fn find_by_callsite(
    id: &span::Id,
    metadata: Option<&Metadata<'_>>,
    is_candidate: impl Fn(&LayerState) -> bool,
    ancestors: impl FnOnce() -> Vec<(span::Id, &'static Metadata<'static>)>,
) -> Option<FoundSpan> {
    let layers = live_layers();
    let find = |id: u64, metadata: &Metadata<'_>| {
        let mut found: Option<&Arc<LayerState>> = None;
        for layer in &layers {
            let is_same = layer
                .with_span(id, |span| span.metadata().callsite() == metadata.callsite())
                .unwrap_or(false);
            if is_same && is_candidate(layer) && (found.is_none() || layer.is_entered()) {
                found = Some(layer);
            }
        }
        found.cloned()
    };
    if let Some(layer) = find(id.into_u64(), metadata?) {
        return Some(FoundSpan { layer, id: id.into_u64(), is_itself: true });
    }
    ancestors().into_iter().find_map(|(id, metadata)| {
        let id = id.into_u64();
        find(id, metadata).map(|layer| FoundSpan { layer, id, is_itself: false })
    })
}

/// The layers there are, out of the lock: the last reference to a layer may be dropped with this list,
/// and user code with it.
fn live_layers() -> Vec<Arc<LayerState>> {
    let layers = LAYERS.read().unwrap_or_else(PoisonError::into_inner);
    layers.iter().filter_map(Weak::upgrade).collect()
}
