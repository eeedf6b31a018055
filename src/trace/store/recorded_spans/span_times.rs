//! When the spans of a buffer started and ended.

use crate::time::Tick;

/// The first start and the last end of the spans of a buffer, kept as they are written: a trace of a million spans is
/// decided without a look at each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SpanTimes {
    pub(super) first_start: Tick,
    /// The first tick of all while no span has ended, and where all ended then.
    pub(super) last_end: Tick,
}

impl Default for SpanTimes {
    fn default() -> Self {
        Self { first_start: Tick::from_nanos(u64::MAX), last_end: Tick::from_nanos(0) }
    }
}

impl SpanTimes {
    #[inline(always)]
    pub(super) fn add_start(&mut self, start: Tick) {
        self.first_start = self.first_start.min(start);
    }

    #[inline(always)]
    pub(super) fn add_end(&mut self, end: Tick) {
        self.last_end = self.last_end.max(end);
    }
}
