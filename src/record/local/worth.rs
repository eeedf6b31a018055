//! What traces are worth at a limit.

use crate::model::Randomness;
use crate::trace::header::TraceHeader;

/// What a trace is worth at a limit; the least goes first.
///
/// An error or a request to keep the trace comes first. Then randomness decides as it does for every
/// probabilistic policy in every service: what is left is what other services are likely to keep as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::record) struct Worth {
    pub(in crate::record) is_worth_keeping: bool,
    pub(in crate::record) randomness: Randomness,
}

impl Worth {
    /// The worth of a trace of which no more is known than the head's answer.
    #[inline]
    pub(in crate::record) fn of_new(header: &TraceHeader) -> Self {
        Self { is_worth_keeping: header.is_sampled(), randomness: header.randomness() }
    }
}
