//! The rates by priority that a head sampler and a tail policy share.

use std::time::Duration;

use super::{SettingError, Threshold};

/// Samples by importance: errors at one rate, slow traces at another, the rest at a third.
///
/// Use it to keep what matters most with one object at both stages. As a head sampler
/// ([`Sampler`](crate::Sampler)) it goes by what the caller sent along as baggage: `priority=high`
/// is always sampled, `has_error=true` at the error rate, anything else at the default rate. What it
/// does not sample is recorded, because the head cannot know how the trace will end. As a tail policy
/// ([`TailPolicy`](crate::TailPolicy)) it knows: a trace with an error is kept at the error rate, one
/// that took at least `slow_threshold` at the slow rate, the rest at the default rate.
///
/// Decisions are consistent: they compare the trace's randomness with the threshold of the rate, so
/// services that share the rates agree. A head decision costs two look-ups in the parent's baggage.
/// There is no default; a usual choice is `new(0.01, 1.0, Duration::from_millis(500), 0.5)`.
///
/// ```
/// use std::time::Duration;
/// use tailtrace::sampling::PrioritySampler;
/// let sampler = PrioritySampler::new(0.01, 1.0, Duration::from_millis(500), 0.5)?;
/// # let _ = sampler;
/// let refused = PrioritySampler::new(0.01, 1.0, Duration::from_millis(500), 50.0);
/// assert_eq!(
///     refused.unwrap_err().to_string(),
///     "rate 50 is out of range: use a rate between 0 and 1",
/// );
/// # Ok::<(), tailtrace::model::SettingError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrioritySampler {
    default: Option<Threshold>,
    error: Option<Threshold>,
    slow: Option<Threshold>,
    slow_after: Duration,
}

impl PrioritySampler {
    /// A sampler with these rates, each from 0 (never) to 1 (always).
    ///
    /// # Errors
    /// If a rate is not a number from 0 to 1.
    pub fn new(
        default_rate: f64,
        error_rate: f64,
        slow_threshold: Duration,
        slow_rate: f64,
    ) -> Result<Self, SettingError> {
        Ok(Self {
            default: Threshold::for_rate(default_rate)?,
            error: Threshold::for_rate(error_rate)?,
            slow: Threshold::for_rate(slow_rate)?,
            slow_after: slow_threshold,
        })
    }

    /// What the rest is compared with; `None` keeps nothing.
    pub(crate) const fn default_threshold(&self) -> Option<Threshold> {
        self.default
    }

    /// What traces with an error are compared with; `None` keeps nothing.
    pub(crate) const fn error_threshold(&self) -> Option<Threshold> {
        self.error
    }

    /// What slow traces are compared with; `None` keeps nothing.
    pub(crate) const fn slow_rate_threshold(&self) -> Option<Threshold> {
        self.slow
    }

    /// From which duration on a trace is slow.
    pub(crate) const fn slow_after(&self) -> Duration {
        self.slow_after
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rate_becomes_its_own_threshold() {
        let sampler = PrioritySampler::new(0.0, 1.0, Duration::from_secs(2), 0.5).unwrap();
        assert_eq!(sampler.default_threshold(), None);
        assert_eq!(sampler.error_threshold(), Some(Threshold::ALWAYS));
        assert_eq!(sampler.slow_rate_threshold(), Threshold::for_rate(0.5).unwrap());
        assert_eq!(sampler.slow_after(), Duration::from_secs(2));
    }

    #[test]
    fn each_rate_is_checked_and_named() {
        let slow = Duration::from_secs(1);
        for (rates, named) in
            [([-0.5, 0.5, 0.5], "-0.5"), ([0.5, 1.5, 0.5], "1.5"), ([0.5, 0.5, f64::NAN], "NaN")]
        {
            let error = PrioritySampler::new(rates[0], rates[1], slow, rates[2]).unwrap_err();
            assert!(error.to_string().contains(named), "{error}");
        }
    }
}
