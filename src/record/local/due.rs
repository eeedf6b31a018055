//! What the end of a span leaves to be done in its trace.

use crate::trace::store::SpanStore;

/// What the end of a span leaves to be done in its trace, when the caller holds no lock any more.
#[derive(Debug)]
pub(crate) enum Due {
    /// Parts of the trace may be complete.
    Look,
    /// These spans were taken out of the trace, to be decided.
    Decide(SpanStore),
}
