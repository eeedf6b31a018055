//! Spans that have ended and are to be decided.

use std::sync::Arc;

use crate::record::local::{LocalTrace, TraceOwner};
use crate::time::Tick;
use crate::trace::store::SpanStore;

/// A local trace of which all spans have ended. It is decided when this is dropped, which asks the tail.
#[derive(Debug)]
#[must_use = "dropping it asks the tail, which is user code"]
pub(crate) struct CompletedTrace<O: TraceOwner> {
    trace: Arc<LocalTrace<O>>,
    store: SpanStore,
    now: Tick,
}

impl<O: TraceOwner> CompletedTrace<O> {
    #[inline]
    pub(in crate::record) fn new(trace: &Arc<LocalTrace<O>>, store: SpanStore, now: Tick) -> Self {
        Self { trace: Arc::clone(trace), store, now }
    }

    /// The recorder of the trace.
    pub(crate) fn recorder(&self) -> &O {
        &self.trace.owner
    }

    /// Decides the trace now, by dropping this.
    #[inline]
    pub(crate) fn decide(self) {}
}

impl<O: TraceOwner> Drop for CompletedTrace<O> {
    fn drop(&mut self) {
        let store = std::mem::take(&mut self.store);
        self.trace.owner.decide(&self.trace, store, self.now);
    }
}
