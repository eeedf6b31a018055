//! When a failed batch is tried again.

#[cfg(test)]
mod tests;

use std::time::Duration;

use crate::time::Tick;

/// The longest wait that a peer may ask for; a longer one would let it stop the exporter.
const MAX_ASKED: Duration = Duration::from_secs(30);

/// How a failed batch is tried again: exponential backoff with jitter and a time budget.
///
/// The n-th wait is `initial` times `multiplier` to the n, at most `max`, of which the share `jitter`
/// is random. It counts from when the try began: one that went without an answer for long has left the peer alone
/// meanwhile. A peer that names a time is given that time, at most 30 s. While a batch waits, the
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
    /// The longest wait. Default 4 s, so that delivery goes on within 5 s after the peer is back.
    pub max: Duration,
    /// What each wait is multiplied by for the next. Default 2; less than 1 counts as 1.
    pub multiplier: f64,
    /// The random share of a wait, from 0 to 1. Default 1, so that programs that lost the same peer
    /// do not return to it in step.
    pub jitter: f64,
    /// How long a batch is tried before it is given up, from the first try or from when some of it was accepted.
    /// Default 300 s; zero tries once.
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
            max: Duration::from_secs(4),
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

    /// A try failed that had begun at `began`; `asked` is the time that the peer wants to be left alone.
    pub(super) fn failed(
        &mut self,
        began: Tick,
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
        let wait = self.jittered(random).saturating_sub(now.since(began));
        self.ceiling = scaled(self.ceiling, self.retry.multiplier.max(1.0)).min(self.retry.max);
        // The last try is made when the budget ends and not before.
        RetryDecision::Wait(wait.min(left))
    }

    /// A peer accepted some of the batch at `now`: it is there, and the rest has its whole budget.
    pub(super) fn progressed(&mut self, now: Tick) {
        self.give_up_at = now.after(self.retry.budget);
        self.urge();
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
