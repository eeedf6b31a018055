//! So many traces per second.

use super::{Sampler, SamplingRequest, SamplingResult};
use crate::model::SettingError;
use crate::model::setting::{check_burst, check_per_second};
use crate::time::token_bucket::TokenBucket;

/// Samples at most so many traces per second, first come, first served.
///
/// Use it for a hard ceiling on what the head samples, whatever the load. It is not consistent:
/// services with the same limit sample different traces, and it is unknown how many traces a sampled
/// one stands for (no `ot=th:`). To follow a target and still scale counts back, use
/// [`AdaptiveSampler`](crate::AdaptiveSampler).
///
/// Traces above the limit are recorded, so that the tail may keep them. A decision is one
/// compare-and-swap on one shared number. Unused traces are saved up to the burst, by default those of
/// one second, at least one; it starts full.
///
/// ```
/// use tailtrace::sampling::RateLimitingSampler;
/// use tailtrace::time::Clock;
/// use tailtrace::{Sampler, SamplingRequest, TraceId};
/// let sampler = RateLimitingSampler::per_second(10.0)?.with_burst(2)?;
/// let request = SamplingRequest::new(TraceId::new(), "checkout", Clock::system().now());
/// let sampled = (0..5).filter(|_| sampler.should_sample(&request).is_sampled());
/// assert_eq!(sampled.count(), 2);
/// # Ok::<(), tailtrace::model::SettingError>(())
/// ```
#[derive(Debug)]
pub struct RateLimitingSampler {
    per_second: f64,
    bucket: TokenBucket,
}

impl RateLimitingSampler {
    /// A sampler of `limit` traces per second; fractions are allowed (0.1 is one in ten seconds).
    ///
    /// # Errors
    /// If the limit is not a number above 0.
    pub fn per_second(limit: f64) -> Result<Self, SettingError> {
        check_per_second("limit", limit, "traces")?;
        let bucket = TokenBucket::new(limit, limit);
        Ok(Self { per_second: limit, bucket })
    }

    /// This sampler saving up at most `traces` unused ones for a burst.
    ///
    /// # Errors
    /// If the burst is 0, with which nothing would ever be sampled.
    pub fn with_burst(self, traces: u32) -> Result<Self, SettingError> {
        check_burst(traces, "traces")?;
        let bucket = TokenBucket::new(self.per_second, f64::from(traces));
        Ok(Self { bucket, ..self })
    }
}

impl Sampler for RateLimitingSampler {
    fn should_sample(&self, request: &SamplingRequest<'_>) -> SamplingResult {
        if self.bucket.try_take(request.now, 1) {
            SamplingResult::sample()
        } else {
            SamplingResult::record()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::TraceId;
    use crate::time::Tick;

    fn sampled(sampler: &RateLimitingSampler, millis: std::ops::Range<u64>) -> usize {
        millis
            .map(|ms| Tick::from_nanos(ms * 1_000_000))
            .map(|now| sampler.should_sample(&SamplingRequest::new(TraceId::new(), "op", now)))
            .filter(SamplingResult::is_sampled)
            .count()
    }

    #[test]
    fn a_thousand_per_second_become_the_limit_after_the_burst() {
        let sampler = RateLimitingSampler::per_second(10.0).unwrap().with_burst(30).unwrap();
        let first = sampled(&sampler, 0..1_000);
        assert!((39..=40).contains(&first), "{first} in the first second");
        let later = sampled(&sampler, 1_000..11_000);
        assert!((99..=101).contains(&later), "{later} in ten seconds");
    }

    #[test]
    fn below_the_limit_everything_is_sampled() {
        let sampler = RateLimitingSampler::per_second(1_001.0).unwrap();
        assert_eq!(sampled(&sampler, 0..5_000), 5_000);
    }

    #[test]
    fn a_limit_below_one_still_samples() {
        let sampler = RateLimitingSampler::per_second(0.5).unwrap();
        assert_eq!(sampled(&sampler, 0..10_000), 5);
    }

    #[test]
    fn above_the_limit_the_tail_decides_and_no_probability_is_claimed() {
        let sampler = RateLimitingSampler::per_second(1.0).unwrap();
        let request = SamplingRequest::new(TraceId::new(), "op", Tick::from_nanos(1));
        assert_eq!(sampler.should_sample(&request), SamplingResult::sample());
        assert_eq!(sampler.should_sample(&request), SamplingResult::record());
    }

    #[test]
    fn a_limit_of_almost_never_does_not_become_always() {
        let sampler =
            RateLimitingSampler::per_second(1e-300).unwrap().with_burst(u32::MAX).unwrap();
        assert!(sampled(&sampler, 0..1_000) <= 1);
    }

    #[test]
    fn what_is_no_limit_is_refused_by_its_value() {
        for (limit, named) in
            [(0.0, " 0 "), (-3.0, "-3"), (f64::NAN, "NaN"), (f64::INFINITY, "inf")]
        {
            let error = RateLimitingSampler::per_second(limit).unwrap_err();
            assert!(error.to_string().contains(named), "{error}");
        }
        let sampler = RateLimitingSampler::per_second(1.0).unwrap();
        let error = sampler.with_burst(0).unwrap_err();
        assert_eq!(error.to_string(), "burst of 0 traces is out of range: use 1 or more");
    }
}
