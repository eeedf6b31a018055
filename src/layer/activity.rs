//! How long a span was entered, and how long it was not.

use crate::time::Tick;

/// Splits a span's time into busy (entered on at least one thread) and idle.
///
/// The times end when the span was exited for the last time.
#[derive(Clone, Copy, Debug)]
pub(super) struct ActivityTimer {
    busy_nanos: u64,
    idle_nanos: u64,
    last_change: Tick,
    /// How many times it was entered and not exited.
    depth: u32,
}

impl ActivityTimer {
    pub(super) const fn new(start: Tick) -> Self {
        Self { busy_nanos: 0, idle_nanos: 0, last_change: start, depth: 0 }
    }

    /// Notes that the span was entered. Entering it again while it is entered makes it no busier.
    pub(super) fn on_enter(&mut self, now: Tick) {
        if self.depth == 0 {
            self.idle_nanos = self.idle_nanos.saturating_add(self.advance(now));
        }
        self.depth = self.depth.saturating_add(1);
    }

    /// Notes that the span was exited. It is idle when it was exited as often as entered.
    pub(super) fn on_exit(&mut self, now: Tick) {
        self.depth = self.depth.saturating_sub(1);
        if self.depth == 0 {
            self.busy_nanos = self.busy_nanos.saturating_add(self.advance(now));
        }
    }

    /// Moves on to `now`; the nanoseconds since the last change, none when the clock went back.
    fn advance(&mut self, now: Tick) -> u64 {
        let passed = now.as_nanos().saturating_sub(self.last_change.as_nanos());
        self.last_change = now.max(self.last_change);
        passed
    }

    /// How many nanoseconds the span was entered.
    pub(super) fn busy_nanos(&self) -> i64 {
        i64::try_from(self.busy_nanos).unwrap_or(i64::MAX)
    }

    /// How many nanoseconds the span was not entered, until it was exited for the last time.
    pub(super) fn idle_nanos(&self) -> i64 {
        i64::try_from(self.idle_nanos).unwrap_or(i64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(nanos: u64) -> Tick {
        Tick::from_nanos(nanos)
    }

    #[test]
    fn a_span_is_busy_while_a_thread_is_inside_and_idle_before() {
        let mut timer = ActivityTimer::new(at(100));
        timer.on_enter(at(110));
        timer.on_enter(at(115));
        timer.on_exit(at(130));
        timer.on_exit(at(150));
        timer.on_enter(at(157));
        timer.on_exit(at(158));
        assert_eq!((timer.busy_nanos(), timer.idle_nanos()), (41, 17));
    }

    #[test]
    fn a_span_that_is_never_entered_is_neither() {
        let timer = ActivityTimer::new(at(100));
        assert_eq!((timer.busy_nanos(), timer.idle_nanos()), (0, 0));
    }

    #[test]
    fn a_clock_that_went_back_takes_nothing_away() {
        let mut timer = ActivityTimer::new(at(100));
        timer.on_enter(at(90));
        timer.on_exit(at(120));
        assert_eq!((timer.busy_nanos(), timer.idle_nanos()), (20, 0));
    }
}
