//! What is asked at the end of a pipeline that saw no span.

use std::sync::atomic::Ordering;

use super::Pipeline;

impl Pipeline {
    /// Sets, once, what is asked: who made the pipeline knows what can be the reason.
    pub(crate) fn ask_at_end(&self, question: String) {
        let _ = self.core.question.set(question);
    }

    /// Has the end of a pipeline that never came into use tell nothing: its maker returns an error, which says more.
    pub(crate) fn end_in_silence(&self) {
        self.core.pending_warnings.forget();
        self.core.has_told.store(true, Ordering::Relaxed);
    }
}
