//! What the ring and its segments tell of traces that were dropped.

use super::index::MOST_ENTRIES;
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

/// Where a trace stands in the ring of its stripe: the number of its segment above its place in that, in one word,
/// because every live trace has room for one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::record) struct RingPlace(u64);

impl RingPlace {
    pub(in crate::record) fn new(segment: u64, entry: usize) -> Self {
        Self(segment * MOST_ENTRIES as u64 + entry as u64)
    }

    pub(in crate::record) fn segment(self) -> u64 {
        self.0 / MOST_ENTRIES as u64
    }

    pub(in crate::record) fn entry(self) -> usize {
        self.0 as usize % MOST_ENTRIES
    }
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
