//! What has become of the spans of a batch that takes several requests.
//!
//! When one of them fails, delivery hands the same batch again. What arrived must not be sent twice,
//! so it is remembered by the traces themselves until the batch is done: as long as they are held here
//! no other trace can be taken for one of them.

use super::answer::Answer;
use crate::export::ExportError;
use crate::trace::Trace;

/// The account of one batch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    /// How many of its spans have been decided about, in the order of its requests.
    pub(super) done: usize,
    /// How many of those were not accepted.
    pub(super) rejected: u64,
    /// What was said first about them, or about nothing in particular.
    pub(super) message: String,
}

impl Tally {
    /// A request with so many spans was accepted, but for what the answer says.
    pub(super) fn answered(&mut self, spans: usize, answer: Answer) {
        let rejected = answer.rejected.min(spans as u64);
        self.add(spans, rejected, &answer.message);
    }

    /// A request with so many spans will never be accepted.
    pub(super) fn refused(&mut self, spans: usize, message: &str) {
        self.add(spans, spans as u64, message);
    }

    fn add(&mut self, spans: usize, rejected: u64, message: &str) {
        self.done += spans;
        // Why spans are gone is worth more than what a peer says besides.
        if self.message.is_empty() || (self.rejected == 0 && rejected > 0) {
            message.clone_into(&mut self.message);
        }
        self.rejected += rejected;
    }

    /// What the exporter says of the batch when it is done.
    pub(super) fn result(self, target: &str) -> Result<(), ExportError> {
        let Self { done, rejected, message } = self;
        if rejected == 0 {
            return Ok(());
        }
        let message = if message.is_empty() { "it gave no reason".to_owned() } else { message };
        if rejected >= done as u64 {
            return Err(ExportError::permanent(message));
        }
        let message = format!("{target} rejected {rejected} of {done} spans: {message}");
        Err(ExportError::partial(rejected, message))
    }
}

/// What is remembered from one call of the exporter to the next.
#[derive(Debug, Default)]
pub(super) struct Tallies {
    /// The batch that is not done, with its account.
    unfinished: Option<(Vec<Trace>, Tally)>,
    /// The last remark of the peer that was passed on.
    remark: String,
}

impl Tallies {
    /// The account of this batch so far. Another one is forgotten.
    pub(super) fn of(&mut self, batch: &[Trace]) -> Tally {
        match &self.unfinished {
            Some((traces, tally)) if are_same(traces, batch) => tally.clone(),
            _ => {
                self.unfinished = None;
                Tally::default()
            }
        }
    }

    /// Notes the account of a batch of which something is done.
    pub(super) fn note(&mut self, batch: &[Trace], tally: &Tally) {
        if tally.done == 0 {
            return;
        }
        match &mut self.unfinished {
            Some((_, noted)) => noted.clone_from(tally),
            None => self.unfinished = Some((batch.to_vec(), tally.clone())),
        }
    }

    /// The batch is done; whether the peer made a remark that has not been passed on.
    pub(super) fn end(&mut self, tally: &Tally) -> bool {
        self.unfinished = None;
        if tally.rejected > 0 || tally.message.is_empty() || tally.message == self.remark {
            return false;
        }
        self.remark.clone_from(&tally.message);
        true
    }
}

fn are_same(one: &[Trace], other: &[Trace]) -> bool {
    one.len() == other.len() && one.iter().zip(other).all(|(one, other)| one.is_same(other))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{span, trace};

    fn answer(rejected: u64, message: &str) -> Answer {
        Answer { rejected, message: message.to_owned() }
    }

    #[test]
    fn only_the_same_traces_go_on_where_they_were() {
        let batch = [trace(span("a").child(span("b"))), trace(span("c"))];
        let mut tallies = Tallies::default();
        let mut tally = tallies.of(&batch);
        tallies.note(&batch, &tally);
        assert_eq!(tallies.of(&batch), Tally::default());
        tally.answered(2, answer(1, "old"));
        tallies.note(&batch, &tally);
        assert_eq!(tallies.of(&batch.clone()), tally);
        let equal = [trace(span("a").child(span("b"))), trace(span("c"))];
        assert_eq!(tallies.of(&equal), Tally::default());
        assert_eq!(tallies.of(&batch), Tally::default(), "another batch came between");
    }

    #[test]
    fn requests_add_up_and_the_first_reason_is_told() {
        let mut tally = Tally::default();
        tally.answered(10, answer(0, "slow down"));
        tally.refused(5, "413");
        tally.answered(10, answer(99, "too old"));
        assert_eq!((tally.done, tally.rejected), (25, 15));
        let error = tally.result("X").unwrap_err();
        assert_eq!(error.rejected_spans(), Some(15));
        assert_eq!(error.to_string(), "X rejected 15 of 25 spans: 413");
    }

    #[test]
    fn a_batch_of_which_nothing_was_accepted_is_refused() {
        let mut tally = Tally::default();
        tally.refused(5, "X answered 400");
        let error = tally.result("X").unwrap_err();
        assert_eq!((error.is_retryable(), error.rejected_spans()), (false, None));
        assert_eq!(error.to_string(), "X answered 400");
        assert!(Tally { done: 5, ..Tally::default() }.result("X").is_ok());
    }

    #[test]
    fn a_remark_is_passed_on_once_until_there_is_another() {
        let mut tallies = Tallies::default();
        let mut end = |rejected, message: &str| {
            tallies.end(&Tally { done: 9, rejected, message: message.to_owned() })
        };
        assert!(end(0, "slow down"));
        assert!(!end(0, "slow down"));
        assert!(!end(0, ""));
        assert!(!end(3, "old"), "that is an error already");
        assert!(end(0, "thanks"));
        assert!(end(0, "slow down"));
    }
}
