//! How long a span was entered, and how long it waited to be.

use crate::time::Tick;

/// What of a span's time it was entered, on any thread.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timing {
    busy: u64,
    idle: u64,
    last: Tick,
    entered: u32,
}

impl Timing {
    pub(super) const fn new(start: Tick) -> Self {
        Self { busy: 0, idle: 0, last: start, entered: 0 }
    }

    /// It was entered; while it is, entering it again changes nothing.
    pub(super) fn enter(&mut self, now: Tick) {
        if self.entered == 0 {
            self.idle = self.idle.saturating_add(self.take(now));
        }
        self.entered = self.entered.saturating_add(1);
    }

    /// It was left as often as it was entered.
    pub(super) fn exit(&mut self, now: Tick) {
        self.entered = self.entered.saturating_sub(1);
        if self.entered == 0 {
            self.busy = self.busy.saturating_add(self.take(now));
        }
    }

    fn take(&mut self, now: Tick) -> u64 {
        let passed = now.as_nanos().saturating_sub(self.last.as_nanos());
        self.last = now.max(self.last);
        passed
    }

    /// Nanoseconds it was entered.
    pub(super) fn busy(&self) -> i64 {
        i64::try_from(self.busy).unwrap_or(i64::MAX)
    }

    /// Nanoseconds it waited, until it was left for the last time.
    pub(super) fn idle(&self) -> i64 {
        i64::try_from(self.idle).unwrap_or(i64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(nanos: u64) -> Tick {
        Tick::from_nanos(nanos)
    }

    #[test]
    fn time_is_busy_while_somebody_is_inside_and_idle_before() {
        let mut timing = Timing::new(at(100));
        timing.enter(at(110));
        timing.enter(at(115));
        timing.exit(at(130));
        timing.exit(at(150));
        timing.enter(at(157));
        timing.exit(at(158));
        assert_eq!((timing.busy(), timing.idle()), (41, 17));
    }

    #[test]
    fn a_span_that_is_never_entered_is_neither() {
        let timing = Timing::new(at(100));
        assert_eq!((timing.busy(), timing.idle()), (0, 0));
    }

    #[test]
    fn a_clock_that_went_back_takes_nothing_away() {
        let mut timing = Timing::new(at(100));
        timing.enter(at(90));
        timing.exit(at(120));
        assert_eq!((timing.busy(), timing.idle()), (20, 0));
    }
}
