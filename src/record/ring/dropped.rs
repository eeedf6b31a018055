//! What the ring and its segments tell of traces that were dropped.

use crate::time::Tick;
use crate::trace::header::TraceHeader;
use crate::trace::store::SpanStore;

/// The moment of a ring that holds nothing.
pub(in crate::record) const NEVER: Tick = Tick::from_nanos(u64::MAX);

/// A trace that no policy kept, as it comes out of the ring.
#[derive(Debug)]
pub(in crate::record) struct DroppedTrace {
    pub(in crate::record) header: TraceHeader,
    pub(in crate::record) store: SpanStore,
}

/// What became of a trace that was offered to the ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::record) enum Pushed {
    /// It was copied; the buffer is to be cleared.
    Copied,
    /// Its buffer is in the ring now.
    Moved,
    /// It is larger than all rings may be.
    Refused,
}
