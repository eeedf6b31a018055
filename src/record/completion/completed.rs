//! Traces of which something is to be decided.

use std::sync::Arc;

use crate::record::local::{Due, LocalTrace, TraceOwner};
use crate::time::Tick;

/// A local trace of which all spans have ended, or a part. That is decided when this is dropped, which asks the tail.
#[derive(Debug)]
#[must_use = "dropping it asks the tail, which is user code"]
pub(crate) struct CompletedTrace<O: TraceOwner> {
    trace: Arc<LocalTrace<O>>,
    due: Due,
    now: Tick,
}

impl<O: TraceOwner> CompletedTrace<O> {
    #[inline]
    pub(in crate::record) fn new(trace: &Arc<LocalTrace<O>>, due: Due, now: Tick) -> Self {
        Self { trace: Arc::clone(trace), due, now }
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
        let due = std::mem::replace(&mut self.due, Due::Look);
        self.trace.owner.decide(&self.trace, due, self.now);
    }
}
