//! When a failed batch is tried again.

use std::time::Duration;

use crate::time::Tick;

/// The longest wait that a peer may ask for; a longer one would let it stop the exporter.
const MAX_ASKED: Duration = Duration::from_secs(30);

/// How a failed batch is tried again: exponential backoff with jitter and a time budget.
///
/// The n-th wait is `initial` times `multiplier` to the n, at most `max`, of which the share `jitter`
/// is random. A peer that names a time is given that time, at most 30 s. While a batch waits, the
/// queue fills up behind it.
///
/// ```
/// use std::time::Duration;
/// use tailtrace::delivery::{DeliveryConfig, Retry};
/// let patient = Retry::default().with_budget(Duration::from_secs(3600));
/// let config = DeliveryConfig::default().with_retry(patient);
/// assert_eq!(config.retry.initial, Duration::from_millis(100));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Retry {
    /// The first wait, before jitter. Default 100 ms.
    pub initial: Duration,
    /// The longest wait. Default 30 s.
    pub max: Duration,
    /// What each wait is multiplied by for the next. Default 2; less than 1 counts as 1.
    pub multiplier: f64,
    /// The random share of a wait, from 0 to 1. Default 1, so that programs that lost the same peer
    /// do not return to it in step.
    pub jitter: f64,
    /// How long a batch is tried before it is given up. Default 300 s; zero tries once.
    pub budget: Duration,
}

impl Retry {
    /// Sets the first wait, before jitter.
    #[must_use]
    pub fn with_initial(mut self, wait: Duration) -> Self {
        self.initial = wait;
        self
    }

    /// Sets the longest wait.
    #[must_use]
    pub fn with_max(mut self, wait: Duration) -> Self {
        self.max = wait;
        self
    }

    /// Sets what each wait is multiplied by for the next.
    #[must_use]
    pub fn with_multiplier(mut self, multiplier: f64) -> Self {
        self.multiplier = multiplier;
        self
    }

    /// Sets the random share of a wait, from 0 to 1.
    #[must_use]
    pub fn with_jitter(mut self, share: f64) -> Self {
        self.jitter = share;
        self
    }

    /// Sets how long a batch is tried before it is given up; zero tries once.
    #[must_use]
    pub fn with_budget(mut self, budget: Duration) -> Self {
        self.budget = budget;
        self
    }
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            initial: Duration::from_millis(100),
            max: Duration::from_secs(30),
            multiplier: 2.0,
            jitter: 1.0,
            budget: Duration::from_secs(300),
        }
    }
}

/// What to do with a batch that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RetryDecision {
    /// Try again after this wait.
    Wait(Duration),
    /// Try again after this wait, which the peer asked for: not earlier whatever happens.
    WaitAsAsked(Duration),
    /// The budget is used up.
    GiveUp,
}

/// The tries of one batch.
#[derive(Debug)]
pub(super) struct Backoff {
    retry: Retry,
    give_up_at: Tick,
    ceiling: Duration,
}

impl Backoff {
    /// The first try is made at `now`.
    pub(super) fn new(retry: Retry, now: Tick) -> Self {
        Self { retry, give_up_at: now.after(retry.budget), ceiling: retry.initial.min(retry.max) }
    }

    /// A try failed; `asked` is the time that the peer wants to be left alone.
    pub(super) fn failed(
        &mut self,
        now: Tick,
        asked: Option<Duration>,
        random: u64,
    ) -> RetryDecision {
        let left = self.give_up_at.since(now);
        if left.is_zero() {
            return RetryDecision::GiveUp;
        }
        if let Some(asked) = asked {
            let wait = asked.min(MAX_ASKED);
            return if wait > left {
                RetryDecision::GiveUp
            } else {
                RetryDecision::WaitAsAsked(wait)
            };
        }
        let wait = self.jittered(random);
        self.ceiling = scaled(self.ceiling, self.retry.multiplier.max(1.0)).min(self.retry.max);
        // The last try is made when the budget ends and not before.
        RetryDecision::Wait(wait.min(left))
    }

    /// A flush or a shutdown waits for the batch: the waits start again from the shortest. The budget stays.
    pub(super) fn urge(&mut self) {
        self.ceiling = self.retry.initial.min(self.retry.max);
    }

    fn jittered(&self, random: u64) -> Duration {
        let jitter = self.retry.jitter.clamp(0.0, 1.0);
        // The upper 53 bits make a fraction in [0, 1).
        #[expect(clippy::cast_precision_loss, reason = "53 bits are what a double holds exactly")]
        let fraction = (random >> 11) as f64 / (1_u64 << 53) as f64;
        scaled(self.ceiling, 1.0 - jitter * fraction)
    }
}

/// `wait` times `factor`; a product that no duration can hold is the longest one.
fn scaled(wait: Duration, factor: f64) -> Duration {
    if factor.is_nan() {
        return wait;
    }
    Duration::try_from_secs_f64(wait.as_secs_f64() * factor).unwrap_or(Duration::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(millis: u64) -> Tick {
        Tick::from_nanos(millis * 1_000_000)
    }

    fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn plain() -> Retry {
        Retry { jitter: 0.0, ..Retry::default() }
    }

    #[test]
    fn waits_double_up_to_the_longest() {
        let mut backoff = Backoff::new(plain(), at(0));
        let waits: Vec<RetryDecision> = (0..11).map(|_| backoff.failed(at(0), None, 0)).collect();
        let expected = [100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000];
        assert_eq!(waits, expected.map(|millis| RetryDecision::Wait(ms(millis))));
    }

    #[test]
    fn full_jitter_spreads_a_wait_from_zero_to_its_whole() {
        let shortest = Backoff::new(Retry::default(), at(0)).failed(at(0), None, u64::MAX);
        let longest = Backoff::new(Retry::default(), at(0)).failed(at(0), None, 0);
        assert_eq!(longest, RetryDecision::Wait(ms(100)));
        assert!(matches!(shortest, RetryDecision::Wait(wait) if wait < Duration::from_micros(1)));
    }

    #[test]
    fn the_peer_is_left_alone_for_as_long_as_it_asks_but_not_beyond_30_seconds() {
        let mut backoff = Backoff::new(Retry::default(), at(0));
        let mut ask = |seconds| backoff.failed(at(0), Some(Duration::from_secs(seconds)), 0);
        assert_eq!(ask(7), RetryDecision::WaitAsAsked(ms(7_000)));
        assert_eq!(ask(86_400), RetryDecision::WaitAsAsked(ms(30_000)));
    }

    #[test]
    fn the_last_try_is_made_when_the_budget_ends() {
        let mut backoff = Backoff::new(plain(), at(0));
        assert_eq!(backoff.failed(at(299_950), None, 0), RetryDecision::Wait(ms(50)));
        assert_eq!(backoff.failed(at(300_000), None, 0), RetryDecision::GiveUp);
    }

    #[test]
    fn a_wait_that_the_budget_does_not_cover_is_not_begun_when_the_peer_asked_for_it() {
        let mut backoff = Backoff::new(plain(), at(0));
        let asked = Some(Duration::from_secs(20));
        assert_eq!(backoff.failed(at(290_000), asked, 0), RetryDecision::GiveUp);
    }

    #[test]
    fn without_a_budget_a_batch_is_tried_once() {
        let once = Retry { budget: Duration::ZERO, ..Retry::default() };
        assert_eq!(Backoff::new(once, at(5)).failed(at(5), None, 0), RetryDecision::GiveUp);
    }

    #[test]
    fn urging_starts_again_from_the_shortest_wait_and_keeps_the_budget() {
        let mut backoff = Backoff::new(plain(), at(0));
        for _ in 0..9 {
            backoff.failed(at(0), None, 0);
        }
        backoff.urge();
        assert_eq!(backoff.failed(at(0), None, 0), RetryDecision::Wait(ms(100)));
        assert_eq!(backoff.failed(at(300_000), None, 0), RetryDecision::GiveUp);
    }

    /// Every wait is taken to its end, as a peer that stays down makes it happen.
    fn simulate(retry: Retry, mut random: impl FnMut() -> u64) -> (u32, Tick) {
        let mut backoff = Backoff::new(retry, at(0));
        let mut now = at(0);
        let mut tries = 1;
        while let RetryDecision::Wait(wait) = backoff.failed(now, None, random()) {
            assert!(wait <= retry.max);
            now = now.after(wait);
            tries += 1;
        }
        (tries, now)
    }

    #[test]
    fn an_outage_of_300_seconds_is_outlasted() {
        let (tries, end) = simulate(plain(), || 0);
        assert_eq!(end, at(300_000));
        assert!((15..25).contains(&tries), "{tries} tries");
    }

    proptest! {
        #[test]
        fn no_setting_waits_beyond_its_budget_or_panics(
            initial in 1_u64..10_000_000_000,
            max in 1_000_000_u64..100_000_000_000,
            multiplier in any::<f64>(),
            jitter in any::<f64>(),
            budget in 0_u64..1_000_000_000,
            seed in any::<u64>(),
        ) {
            let retry = Retry {
                initial: Duration::from_nanos(initial),
                max: Duration::from_nanos(max),
                multiplier,
                jitter,
                budget: Duration::from_nanos(budget),
            };
            let mut backoff = Backoff::new(retry, at(0));
            let mut now = at(0);
            let mut random = seed;
            for _ in 0..100 {
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                match backoff.failed(now, None, random) {
                    RetryDecision::Wait(wait) => {
                        prop_assert!(wait <= retry.max);
                        now = now.after(wait);
                        prop_assert!(now <= at(0).after(retry.budget));
                    }
                    other => {
                        prop_assert_eq!(other, RetryDecision::GiveUp);
                        prop_assert_eq!(now, at(0).after(retry.budget));
                        break;
                    }
                }
            }
        }
    }
}
