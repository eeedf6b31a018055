//! What was said when `tracing` asked whether something is enabled, right before it happens.
//!
//! Filters on the layers of a registry remember their answer until then, so they must not be asked twice; and a record
//! of the `log` crate is asked about under another name than that under which it comes.

use std::cell::Cell;

use tracing::Metadata;

use super::interest::{CallsiteInterest, LogInterest};

thread_local! {
    static LAST_ANSWER: Cell<Answer> = const { Cell::new(Answer::NONE) };
}

#[derive(Clone, Copy)]
struct Answer {
    /// The address of the metadata that it was about; zero for none.
    metadata: usize,
    interest: CallsiteInterest,
}

impl Answer {
    const NONE: Self = Self {
        metadata: 0,
        interest: CallsiteInterest { is_traced: false, logs: LogInterest::Never },
    };
}

fn address_of(metadata: &Metadata<'_>) -> usize {
    std::ptr::from_ref(metadata).addr()
}

pub(super) fn set(metadata: &Metadata<'_>, interest: CallsiteInterest) {
    LAST_ANSWER.set(Answer { metadata: address_of(metadata), interest });
}

/// The last answer, whatever it was about.
pub(super) fn take() -> CallsiteInterest {
    LAST_ANSWER.replace(Answer::NONE).interest
}

/// The last answer, if it was about this.
pub(super) fn take_of(metadata: &Metadata<'_>) -> Option<CallsiteInterest> {
    let answer = LAST_ANSWER.get();
    if answer.metadata != address_of(metadata) {
        return None;
    }
    LAST_ANSWER.set(Answer::NONE);
    Some(answer.interest)
}
