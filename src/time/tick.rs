//! Moments on a monotonic clock, and what leads from them to the time of day.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A moment on a monotonic clock, in nanoseconds.
///
/// Ticks of one [`Clock`](super::Clock) can be compared and subtracted. They count from the Unix epoch as it was
/// known when the clock began; [`Clock::correction`](super::Clock::correction) leads to the time of day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tick(u64);

impl Tick {
    /// The tick that counts `nanos` nanoseconds.
    #[must_use]
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// The nanoseconds it counts.
    #[inline]
    #[must_use]
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// The time from `earlier` to here; zero when `earlier` is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }

    /// This moment moved into the future; saturates after 584 years.
    #[must_use]
    pub fn after(self, wait: Duration) -> Self {
        Self(self.0.saturating_add(nanos(wait)))
    }

    /// The time of day at this moment.
    pub(crate) fn wall(self, correction: ClockCorrection) -> SystemTime {
        UNIX_EPOCH + Duration::from_nanos(self.wall_nanos(correction))
    }

    /// The time of day at this moment, in nanoseconds since the Unix epoch.
    #[inline]
    pub(crate) const fn wall_nanos(self, correction: ClockCorrection) -> u64 {
        self.shifted(correction).0
    }

    /// The moment at which the wall clock shows `time`.
    pub(crate) fn at_wall(time: SystemTime, correction: ClockCorrection) -> Self {
        Self(unix_nanos(time)).shifted(ClockCorrection::NONE.since(correction))
    }

    /// This moment moved by `shift`; it stops at the first and at the last tick.
    #[inline]
    pub(crate) const fn shifted(self, shift: ClockCorrection) -> Self {
        Self(self.0.saturating_add_signed(shift.0))
    }
}

/// How far a wall clock has been set ahead of the ticks, or behind them, in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClockCorrection(i64);

impl ClockCorrection {
    /// The correction of ticks that are the time of day.
    pub const NONE: Self = Self(0);

    /// The correction that moves ticks by this many nanoseconds.
    #[must_use]
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// The nanoseconds by which it moves ticks.
    #[must_use]
    pub const fn as_nanos(self) -> i64 {
        self.0
    }

    /// What leads from ticks with the `other` correction to ticks with this one.
    #[must_use]
    pub(crate) const fn since(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

/// Nanoseconds since the Unix epoch; a time before it counts as the epoch.
pub(crate) fn unix_nanos(time: SystemTime) -> u64 {
    nanos(time.duration_since(UNIX_EPOCH).unwrap_or_default())
}

/// The nanoseconds of a duration; one of more than 584 years counts as that many.
pub(crate) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_before_the_epoch_counts_as_the_epoch() {
        assert_eq!(unix_nanos(UNIX_EPOCH - Duration::from_secs(1)), 0);
    }

    #[test]
    fn a_time_of_day_survives_the_way_to_a_tick_and_back() {
        let time = UNIX_EPOCH + Duration::from_millis(1_234_567);
        let correction = ClockCorrection::from_nanos(-5_000);
        assert_eq!(Tick::at_wall(time, correction).wall(correction), time);
    }

    #[test]
    fn the_distance_to_a_later_tick_is_zero() {
        assert_eq!(Tick::from_nanos(1).since(Tick::from_nanos(5)), Duration::ZERO);
    }
}
