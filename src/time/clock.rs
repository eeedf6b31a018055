//! The only reader of time.
//!
//! A [`Tick`] is monotonic and costs one read of the processor's time stamp counter where that is
//! reliable (quanta decides, and falls back to the operating system's clock). Ticks count from the
//! Unix epoch as the wall clock had it when the process first asked; what the wall clock was set by
//! since then is kept beside them as a correction, so that a tick becomes a time of day by one addition.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, SystemTime};

use super::tick::{ClockCorrection, Tick, unix_nanos};

/// Tells the time: a handle that is cheap to clone and to read.
///
/// A read costs about 10 ns with a time stamp counter and about 25 ns without.
///
/// ```
/// use tailtrace::time::Clock;
/// let clock = Clock::system();
/// let earlier = clock.now();
/// assert!(clock.now() >= earlier);
/// ```
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    System(&'static SystemClock),
    Manual(Arc<AtomicU64>),
}

#[derive(Debug)]
struct SystemClock {
    counter: quanta::Clock,
    raw_at_start: u64,
    wall_at_start: u64,
    correction: AtomicI64,
}

static SYSTEM: LazyLock<SystemClock> = LazyLock::new(SystemClock::start);

#[expect(clippy::disallowed_methods, reason = "the clock is the one reader of time")]
impl SystemClock {
    fn start() -> Self {
        let counter = quanta::Clock::new();
        let raw_at_start = counter.raw();
        let wall_at_start = unix_nanos(SystemTime::now());
        Self { counter, raw_at_start, wall_at_start, correction: AtomicI64::new(0) }
    }

    #[inline]
    fn now(&self) -> Tick {
        let since_start = self.counter.delta_as_nanos(self.raw_at_start, self.counter.raw());
        Tick::from_nanos(self.wall_at_start + since_start)
    }

    fn refresh(&self) {
        let ahead = i128::from(unix_nanos(SystemTime::now())) - i128::from(self.now().as_nanos());
        self.correction.store(ahead.try_into().unwrap_or(0), Ordering::Relaxed);
    }
}

impl Clock {
    /// The machine's clock. The first call of a process calibrates it, which takes about a millisecond.
    #[must_use]
    pub fn system() -> Self {
        Self(Source::System(&SYSTEM))
    }

    /// The present moment.
    #[must_use]
    #[inline]
    pub fn now(&self) -> Tick {
        match &self.0 {
            Source::System(clock) => clock.now(),
            Source::Manual(now) => Tick::from_nanos(now.load(Ordering::Acquire)),
        }
    }

    /// How far the wall clock has been set ahead of the ticks.
    ///
    /// A local trace reads it once, at its root: its spans stay monotonic to each other while later
    /// traces follow a wall clock that was set.
    #[must_use]
    #[inline]
    pub fn correction(&self) -> ClockCorrection {
        match &self.0 {
            // A number on its own: no other memory is read by what it says.
            Source::System(clock) => {
                ClockCorrection::from_nanos(clock.correction.load(Ordering::Relaxed))
            }
            Source::Manual(_) => ClockCorrection::NONE,
        }
    }

    /// Reads the wall clock again, so that [`correction`](Self::correction) follows adjustments.
    pub(crate) fn refresh(&self) {
        if let Source::System(clock) = &self.0 {
            clock.refresh();
        }
    }

    /// The present time of day by this clock.
    #[must_use]
    pub fn wall(&self) -> SystemTime {
        self.now().wall(self.correction())
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::system()
    }
}

/// The present time of day by the machine's clock.
///
/// For the conveniences of values that a program makes by hand, such as `Span::new` and `Trace::finish`: their
/// callers have no clock, and each has a counterpart that takes the time as an argument. No other code of the
/// middle may call this: there, time is an argument.
pub(crate) fn wall_now() -> SystemTime {
    Clock::system().wall()
}

/// A clock that stands still until a test moves it.
///
/// ```
/// use std::time::Duration;
/// use tailtrace::time::ManualClock;
/// let manual = ManualClock::new();
/// let clock = manual.clock();
/// let before = clock.now();
/// manual.advance(Duration::from_secs(3));
/// assert_eq!(clock.now().since(before), Duration::from_secs(3));
/// ```
#[derive(Clone, Debug)]
pub struct ManualClock(Arc<AtomicU64>);

impl ManualClock {
    /// A clock that stands at 2026-01-01T00:00:00Z.
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::new(AtomicU64::new(1_767_225_600_000_000_000)))
    }

    /// Moves the clock forward, to the year 2554 at the most.
    pub fn advance(&self, by: Duration) {
        let nanos = u64::try_from(by.as_nanos()).unwrap_or(u64::MAX);
        let add = |now: u64| Some(now.saturating_add(nanos));
        // The closure never refuses, so neither does this.
        let _ = self.0.fetch_update(Ordering::AcqRel, Ordering::Acquire, add);
    }

    /// The handle to give to what is being tested.
    #[must_use]
    pub fn clock(&self) -> Clock {
        Clock(Source::Manual(Arc::clone(&self.0)))
    }
}

impl Default for ManualClock {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_never_run_backwards() {
        let clock = Clock::system();
        let mut last = clock.now();
        for _ in 0..10_000 {
            let now = clock.now();
            assert!(now >= last);
            last = now;
        }
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "compares with the wall clock itself")]
    fn the_wall_clock_is_the_machines_own() {
        let clock = Clock::system();
        clock.refresh();
        let by_us = unix_nanos(clock.wall());
        let by_os = unix_nanos(SystemTime::now());
        assert!(by_os.abs_diff(by_us) < 1_000_000_000, "{by_us} against {by_os}");
    }

    #[test]
    fn a_manual_clock_never_runs_backwards() {
        let manual = ManualClock::new();
        manual.advance(Duration::MAX);
        manual.advance(Duration::from_secs(1));
        assert_eq!(manual.clock().now(), Tick::from_nanos(u64::MAX));
    }
}
