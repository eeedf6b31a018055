//! What is asked of a sampler or a tail policy once a span has closed.

use crate::record::{CompletedTrace, Draft, Recorder};
use crate::time::Tick;

/// A question that the end of a span raises: dropping it asks the sampler about a draft, and the tail
/// about a trace that is complete.
///
/// Both are user code, which may trace, so the span's owner drops it where no lock is held and the span
/// is gone.
pub(super) enum DeferredDecision {
    /// The tail is asked about a complete trace.
    Tail(CompletedTrace<Recorder>),
    /// The sampler is asked about a root that ended at `end`, and then the tail.
    Head { draft: Option<Draft>, end: Tick },
}

impl DeferredDecision {
    /// Whether nothing but code of this crate answers, so that it may be asked anywhere.
    pub(super) fn is_self_contained(&self) -> bool {
        match self {
            Self::Tail(completed) => completed.recorder().is_tail_self_contained(),
            Self::Head { .. } => false,
        }
    }

    /// Ends a draft now.
    #[cold]
    pub(super) fn end_draft(draft: Draft) -> Self {
        let end = draft.recorder().clock.now();
        Self::Head { draft: Some(draft), end }
    }
}

impl Drop for DeferredDecision {
    fn drop(&mut self) {
        if let Self::Head { draft, end } = self
            && let Some(draft) = draft.take()
        {
            let request = draft.request(None);
            let mut span = draft.settle(request.ask_now());
            span.finish_with(Some(*end), CompletedTrace::decide);
        }
    }
}
