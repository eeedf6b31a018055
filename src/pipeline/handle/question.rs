//! What is asked at the end of a pipeline that saw no span.

use super::Pipeline;

impl Pipeline {
    /// Sets, once, what is asked: who made the pipeline knows what can be the reason.
    pub(crate) fn ask_at_end(&self, question: String) {
        let _ = self.core.question.set(question);
    }
}
