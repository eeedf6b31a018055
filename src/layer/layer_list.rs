//! The layers of the process.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use tracing::{Metadata, span};

use super::state::LayerState;

/// A handful at most. They are needed where `tracing` gives no way from a span to its layer.
///
/// Reading the list writes to no memory that threads share, since a line of a log may be all that asks for
/// it. So it holds layers by references of its own, which go with the layers.
static LAYERS: ArcSwapOption<Vec<Arc<LayerState>>> = ArcSwapOption::const_empty();

pub(super) fn register(layer: &Arc<LayerState>) {
    change(|layers| layers.push(Arc::clone(layer)));
}

/// Takes a layer that is about to be dropped off the list.
pub(super) fn unregister(layer: &Arc<LayerState>) {
    change(|layers| layers.retain(|other| !Arc::ptr_eq(other, layer)));
}

fn change(change: impl Fn(&mut Vec<Arc<LayerState>>)) {
    LAYERS.rcu(|layers| {
        let mut layers = layers.as_deref().cloned().unwrap_or_default();
        change(&mut layers);
        Some(Arc::new(layers))
    });
}

/// A span that a layer knows.
#[derive(Clone, Copy)]
pub(super) struct FoundSpan<'l> {
    pub(super) layer: &'l LayerState,
    /// The span that was looked for, or where a filter hides it from the layer, its nearest ancestor.
    pub(super) id: u64,
    /// Whether it is the span that was looked for.
    pub(super) is_itself: bool,
}

/// What `work` makes of the span with this id from this callsite. Where several layers know one, it is
/// the one of the layer that this thread is inside of: registries number their spans alike.
///
/// `is_candidate` says which layers may be found; `ancestors` is asked when none of them knows the span.
pub(super) fn find_by_callsite<R>(
    id: &span::Id,
    metadata: Option<&Metadata<'_>>,
    is_candidate: impl Fn(&LayerState) -> bool,
    ancestors: impl FnOnce() -> Vec<(span::Id, &'static Metadata<'static>)>,
    work: impl FnOnce(FoundSpan<'_>) -> R,
) -> Option<R> {
    let metadata = metadata?;
    let layers = LAYERS.load();
    let layers = layers.as_deref()?;
    let find = |id: u64, metadata: &Metadata<'_>| {
        let mut found: Option<&LayerState> = None;
        for layer in layers {
            let is_same = layer
                .with_span(id, |span| span.metadata().callsite() == metadata.callsite())
                .unwrap_or(false);
            if is_same && is_candidate(layer) && (found.is_none() || layer.is_entered()) {
                found = Some(layer);
            }
        }
        found
    };
    let id = id.into_u64();
    let found = match find(id, metadata) {
        Some(layer) => FoundSpan { layer, id, is_itself: true },
        None => ancestors().into_iter().find_map(|(id, metadata)| {
            let id = id.into_u64();
            find(id, metadata).map(|layer| FoundSpan { layer, id, is_itself: false })
        })?,
    };
    Some(work(found))
}
