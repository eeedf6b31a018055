//! What there is to know of a trace that is decided in parts.

use super::recent_parts::RecentParts;
use crate::trace::store::{PartFinder, SpanIndex, SpanStore};

/// What there is to know of a trace that is decided in parts, or of which parts are being decided.
#[derive(Debug, Default)]
pub(in crate::record) struct OpenParts {
    /// Whether the trace is decided in parts from now on. Otherwise some that are complete were copied out of it.
    pub(super) is_entered: bool,
    pub(super) finder: PartFinder,
    /// How many spans in the buffer have ended.
    pub(super) ended: usize,
    /// How many must have, for another look through the buffer to be worth its cost.
    pub(super) next_look: usize,
    /// How many threads are deciding parts of it: each counts as an open span of the trace meanwhile.
    pub(super) deciding: u32,
    /// Where the span stood last that was open and had one below it end.
    pub(super) open_above: Option<SpanIndex>,
    /// The memory of the part that was decided last, for the next.
    pub(super) memory: SpanStore,
    pub(in crate::record) recent: RecentParts,
    /// The memory of all this that the total of all live traces includes.
    counted_bytes: u32,
}

impl OpenParts {
    /// Those of a trace that is not decided in parts itself, while this many threads are deciding parts of it.
    pub(super) fn only_deciding(deciding: u32) -> Self {
        Self { deciding, ..Self::default() }
    }

    /// What the total includes for it.
    pub(super) const fn counted_bytes(&self) -> usize {
        self.counted_bytes as usize
    }

    /// Notes that the total includes what it takes now, and gives that.
    #[inline]
    pub(super) fn count_bytes(&mut self) -> usize {
        let Self { finder, memory, recent, .. } = self;
        let bytes = size_of::<Self>() + finder.bytes() + memory.bytes() + recent.bytes();
        self.counted_bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        self.counted_bytes()
    }

    /// Counts a span that has ended and is in the buffer; whether it is time to look for parts that are complete.
    pub(in crate::record) fn count_ended(&mut self) -> bool {
        self.ended += 1;
        self.ended >= self.next_look
    }
}
