//! When the spans of a buffer started and ended.

use crate::time::Tick;

/// The first start and the last end of the spans of a buffer, kept as they are written: a trace of a million spans is
/// decided without a look at each.
///
/// A span starts after the one that stands first, which is its ancestor, or a moment before it at most, where two
/// threads add spans at once. Only starts that may be earlier are noted, so that a span that begins now costs nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SpanTimes {
    /// The first of the starts that were noted; the last tick of all where none was.
    first_noted: Tick,
    /// The first tick of all while no span has ended, and where all ended then.
    last_end: Tick,
}

impl Default for SpanTimes {
    fn default() -> Self {
        Self { first_noted: Tick::from_nanos(u64::MAX), last_end: Tick::from_nanos(0) }
    }
}

impl SpanTimes {
    pub(super) fn note_start(&mut self, start: Tick) {
        self.first_noted = self.first_noted.min(start);
    }

    #[inline(always)]
    pub(super) fn add_end(&mut self, end: Tick) {
        self.last_end = self.last_end.max(end);
    }

    /// The first start, where the span that stands first started at `first`.
    pub(super) fn first_start(self, first: Tick) -> Tick {
        self.first_noted.min(first)
    }

    pub(super) const fn last_end(self) -> Tick {
        self.last_end
    }
}
