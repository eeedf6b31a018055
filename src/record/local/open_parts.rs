//! What there is to know of a trace that is decided in parts.

use super::recent_parts::RecentParts;
use crate::trace::store::{PartFinder, SpanIndex, SpanStore};

/// What there is to know of a trace that is decided in parts, of which parts are being decided, or which is full.
#[derive(Debug, Default)]
pub(in crate::record) struct OpenParts {
    /// Whether the trace is decided in parts from now on. Otherwise some that are complete were copied out of it.
    pub(super) is_entered: bool,
    /// Whether the spans that were open when it had filled half of its limit are marked as those that stay.
    pub(in crate::record) is_half_full: bool,
    /// Open spans of ours that are not in the store, because a limit left no room for them.
    pub(super) over_limit: u32,
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
    /// What is left to know of a trace that is not decided in parts any more; `None` where that is nothing.
    pub(super) fn rest(self) -> Option<Box<Self>> {
        let Self { deciding, over_limit, .. } = self;
        let rest = Self { deciding, over_limit, ..Self::default() };
        (deciding > 0 || over_limit > 0).then(|| Box::new(rest))
    }

    /// Whether it tells no more than nothing would.
    #[inline]
    pub(super) const fn is_needless(&self) -> bool {
        !(self.is_entered || self.is_half_full || self.deciding > 0 || self.over_limit > 0)
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
