//! What a trace is worth at a limit.

use crate::kit::secret::secret_order;
use crate::trace::header::TraceHeader;

/// What a trace is worth at a limit; the least goes first.
///
/// An error, a sampler of this process or a request to keep the trace comes first. Then chance decides: the
/// id of the trace, which is the same for all local roots of it, mixed with a secret of the process. The
/// bits alone are chosen by a caller, who could choose those that survive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::record) struct Worth {
    pub(in crate::record) is_worth_keeping: bool,
    order: u64,
}

impl Worth {
    pub(in crate::record) fn new(is_worth_keeping: bool, header: &TraceHeader) -> Self {
        // All of the id: callers may choose some of its bits alike for all their traces.
        Self { is_worth_keeping, order: secret_order(header.trace_id.to_bits()) }
    }

    /// The worth of a trace of which no more is known than the head's answer.
    pub(in crate::record) fn of_new(header: &TraceHeader) -> Self {
        Self::new(header.is_worth_keeping(), header)
    }
}
