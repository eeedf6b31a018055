//! What has become of the spans of a batch that takes several requests.

use crate::export::{Batch, ExportError};

/// Where the peer's own reason is.
#[cfg(feature = "otlp")]
const ITS_WORDS: &str = "the log has its reason at the level debug";

/// The account of one call of the exporter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::export) struct RequestProgress {
    /// How many spans a peer has answered for.
    done: usize,
    /// How many of those were rejected.
    rejected: u64,
    /// Why, as far as our own words go. What the peer said is not repeated.
    message: String,
}

impl RequestProgress {
    /// Takes the spans of a request out of the batch that was accepted except for `rejected` of them; `has_reason` says
    /// whether the peer told why.
    #[cfg(feature = "otlp")]
    pub(in crate::export) fn answered(
        &mut self,
        batch: &mut Batch,
        spans: usize,
        rejected: u64,
        has_reason: bool,
    ) {
        let rejected = usize::try_from(rejected).unwrap_or(spans).min(spans);
        // Which spans were rejected is not known: the first ones stand for them.
        batch.mark_rejected(rejected);
        batch.mark_accepted(spans - rejected);
        let has_reason = rejected > 0 && has_reason;
        self.add(spans, rejected as u64, if has_reason { ITS_WORDS } else { "" });
    }

    /// Takes the spans of a request out of the batch that was accepted.
    #[cfg(feature = "zipkin")]
    pub(in crate::export) fn accepted(&mut self, batch: &mut Batch, spans: usize) {
        batch.mark_accepted(spans);
        self.add(spans, 0, "");
    }

    /// Takes the spans of a request out of the batch that will never be accepted.
    pub(in crate::export) fn refused(&mut self, batch: &mut Batch, spans: usize, message: &str) {
        batch.mark_rejected(spans);
        self.add(spans, spans as u64, message);
    }

    fn add(&mut self, spans: usize, rejected: u64, message: &str) {
        self.done += spans;
        if self.message.is_empty() {
            message.clone_into(&mut self.message);
        }
        self.rejected += rejected;
    }

    /// The error that a batch of which everything is answered for ends with, if any.
    ///
    /// # Errors
    /// When spans were rejected.
    pub(in crate::export) fn result(self, target: &str) -> Result<(), ExportError> {
        if self.rejected == 0 {
            return Ok(());
        }
        if self.rejected >= self.done as u64 {
            return Err(ExportError::permanent(self.reason().to_owned()));
        }
        Err(ExportError::partial(self.rejected, self.rejections(target)))
    }

    /// Adds the rejections to the error of a request after which the rest is tried again.
    pub(in crate::export) fn add_rejections(&self, target: &str, message: &mut String) {
        if self.rejected > 0 {
            message.push_str("; before that ");
            message.push_str(&self.rejections(target));
        }
    }

    pub(in crate::export) fn rejected(&self) -> u64 {
        self.rejected
    }

    fn rejections(&self, target: &str) -> String {
        let Self { done, rejected, .. } = self;
        format!("{target} rejected {rejected} of {done} spans: {}", self.reason())
    }

    fn reason(&self) -> &str {
        if self.message.is_empty() { "it gave no reason" } else { &self.message }
    }
}

#[cfg(all(test, feature = "otlp"))]
mod tests {
    use super::*;
    use crate::testing::{span, trace};

    fn batch(spans: usize) -> Batch {
        trace((1..spans).fold(span("root"), |root, _| root.child(span("child")))).into()
    }

    #[test]
    fn requests_add_up_and_the_first_reason_is_told() {
        let mut progress = RequestProgress::default();
        let mut batch = batch(30);
        progress.answered(&mut batch, 10, 0, true);
        progress.refused(&mut batch, 5, "413");
        progress.answered(&mut batch, 10, 99, true);
        assert_eq!((progress.rejected(), batch.span_count()), (15, 5));
        let mut message = "503".to_owned();
        progress.add_rejections("X", &mut message);
        assert_eq!(message, "503; before that X rejected 15 of 25 spans: 413");
        let error = progress.result("X").unwrap_err();
        assert_eq!(error.rejected_spans(), Some(15));
        assert_eq!(error.to_string(), "X rejected 15 of 25 spans: 413");
    }

    #[test]
    fn what_a_peer_says_about_rejected_spans_is_not_repeated() {
        let mut progress = RequestProgress::default();
        progress.answered(&mut batch(5), 5, 1, true);
        let told = progress.result("X").unwrap_err().to_string();
        assert_eq!(told, format!("X rejected 1 of 5 spans: {ITS_WORDS}"));
    }

    #[test]
    fn a_batch_of_which_nothing_was_accepted_is_refused() {
        let mut progress = RequestProgress::default();
        progress.refused(&mut batch(5), 5, "X answered 400");
        let error = progress.result("X").unwrap_err();
        assert_eq!((error.is_retryable(), error.rejected_spans()), (false, None));
        assert_eq!(error.to_string(), "X answered 400");
        let mut all = RequestProgress::default();
        all.answered(&mut batch(5), 5, 0, false);
        assert!(all.result("X").is_ok());
    }
}
