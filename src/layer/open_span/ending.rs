//! The end of a span.

use std::mem;
use std::sync::Arc;

use super::{OpenSpan, SpanState};
use crate::layer::deferred_decision::DeferredDecision;
use crate::record::{ActiveSpan, UnrecordedTrace};

impl OpenSpan {
    /// Ends the span. A decision that its end calls for goes to `decision`, for the caller to drop where
    /// user code may run. (A place instead of a return value: moving it would cost every span.)
    #[inline(always)]
    pub(in crate::layer) fn close(&mut self, decision: &mut Option<DeferredDecision>) {
        debug_assert!(decision.is_none(), "one span calls for one decision");
        if let Some(measurements) = self.measurements.take() {
            self.write(|span| measurements.write(span));
        }
        if matches!(self.state, SpanState::Draft(_)) {
            self.settle_unasked();
        }
        match &mut self.state {
            SpanState::Started(ActiveSpan::Unrecorded(_)) | SpanState::Moving => {}
            SpanState::Started(span) => {
                span.finish_with(None, |completed| {
                    *decision = Some(DeferredDecision::Tail(completed));
                });
            }
            SpanState::Draft(_) => {
                if let SpanState::Draft(draft) = mem::replace(&mut self.state, SpanState::Moving) {
                    *decision = Some(DeferredDecision::end_draft(draft));
                }
            }
        }
    }

    /// What is left to be dropped of a span that is not recorded and has ended.
    #[inline(always)]
    pub(in crate::layer) fn into_unrecorded_trace(self) -> Option<Arc<UnrecordedTrace>> {
        match self.state {
            SpanState::Started(ActiveSpan::Unrecorded(span)) => Some(span.into_trace()),
            _ => None,
        }
    }

    /// Marks the span as failed because a panic passes through it.
    #[cold]
    pub(in crate::layer) fn fail_by_panic(&mut self) {
        self.record_failed();
        self.write(|span| span.fail_by_panic());
    }

    /// Ends the span where nothing may be asked, now or when the caller is done: its recorder decides
    /// later.
    #[cold]
    pub(in crate::layer) fn close_later(mut self) {
        let recorder = self.recorder().map(Arc::clone);
        let mut decision = None;
        self.close(&mut decision);
        if let (Some(recorder), Some(decision)) = (recorder, decision) {
            recorder.postpone_drop(decision);
        }
    }
}
