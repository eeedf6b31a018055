//! The subscriber that a layer is part of.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use tracing::dispatcher::{self, Dispatch, WeakDispatch};
use tracing::span;
use tracing_subscriber::Registry;
use tracing_subscriber::registry::LookupSpan;

/// A layer's own subscriber, as far as `tracing` has told the layer: wrappers such as `reload` do not
/// pass on `on_register_dispatch`.
#[derive(Debug, Default)]
pub(super) struct SubscriberLink(ArcSwapOption<WeakDispatch>);

impl SubscriberLink {
    pub(super) fn set(&self, dispatch: &Dispatch) {
        self.0.store(Some(Arc::new(dispatch.downgrade())));
    }

    /// Whether `dispatch` is known to be another subscriber, as `is_same` tells of two. When the layer's own is not
    /// known, any may be it.
    pub(super) fn is_other(
        &self,
        dispatch: &Dispatch,
        is_same: impl Fn(&Dispatch, &Dispatch) -> bool,
    ) -> bool {
        let own = self.0.load().as_deref().map(WeakDispatch::upgrade);
        let Some(own) = own else { return false };
        !own.is_some_and(|own| is_same(&own, dispatch))
    }

    /// The nearest span that `is_known` among the span `id` and its ancestors, whatever filters say. It
    /// looks at the registry of the layer's own subscriber, or else of the thread's default.
    pub(super) fn nearest(&self, id: &span::Id, is_known: impl Fn(u64) -> bool) -> Option<u64> {
        let own = self.0.load().as_deref().and_then(WeakDispatch::upgrade);
        match own {
            Some(dispatch) => nearest_in(&dispatch, id, is_known),
            None => dispatcher::get_default(|dispatch| nearest_in(dispatch, id, &is_known)),
        }
    }
}

/// The nearest span that `is_known` among the span `id` and its ancestors in the registry of `dispatch`.
pub(super) fn nearest_in(
    dispatch: &Dispatch,
    id: &span::Id,
    is_known: impl Fn(u64) -> bool,
) -> Option<u64> {
    let span = dispatch.downcast_ref::<Registry>()?.span(id)?;
    span.scope().map(|span| span.id().into_u64()).find(|id| is_known(*id))
}
