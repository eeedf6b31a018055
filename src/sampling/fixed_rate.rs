//! A sampler of a fixed fraction of all traces.

use super::{Sampler, SamplingRequest, SamplingResult};
use crate::model::{SettingError, Threshold};

/// Samples a fixed fraction of all traces.
///
/// Use it when the load is steady, or when services must agree on a fraction without talking to each
/// other: the decision compares the trace's randomness with the threshold of the rate, so services
/// with the same rate sample the same traces and a higher rate samples a superset. The threshold
/// travels along (`ot=th:`), so that backends can scale counts back.
///
/// Traces outside the fraction are recorded, not dropped: the tail may still keep the errors and the
/// slow ones among them. Without a tail the pipeline does not record them. The caller's sampled flag
/// is ignored; put the sampler into a [`ParentBasedSampler`](super::ParentBasedSampler) to follow it.
/// A decision is one comparison. The rate has no default.
///
/// ```
/// use tailtrace::FixedRateSampler;
/// let one_percent = FixedRateSampler::new(0.01)?;
/// assert_eq!(one_percent.rate(), 0.01);
/// assert_eq!(
///     FixedRateSampler::new(1.5).unwrap_err().to_string(),
///     "rate 1.5 is out of range: use a rate between 0 and 1",
/// );
/// # Ok::<(), tailtrace::model::SettingError>(())
/// ```
///
/// OpenTelemetry: `ProbabilitySampler`, except that it drops what it does not sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FixedRateSampler {
    rate: f64,
    threshold: Option<Threshold>,
}

impl FixedRateSampler {
    /// A sampler of the fraction `rate` of all traces, from 0 (none) to 1 (all).
    ///
    /// # Errors
    /// If the rate is not a number from 0 to 1.
    pub fn new(rate: f64) -> Result<Self, SettingError> {
        let threshold = Threshold::for_rate(rate)?;
        Ok(Self { rate, threshold })
    }

    /// The fraction of all traces that is sampled, as it was given.
    #[must_use]
    pub const fn rate(&self) -> f64 {
        self.rate
    }
}

impl Sampler for FixedRateSampler {
    fn should_sample(&self, request: &SamplingRequest<'_>) -> SamplingResult {
        SamplingResult::by_threshold(self.threshold, request.randomness)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::Random;
    use crate::model::{Randomness, SpanId, TraceContext, TraceId};
    use crate::time::Tick;

    fn ask(rate: f64, randomness: u64) -> SamplingResult {
        let mut request = SamplingRequest::new(TraceId::new(), "op", Tick::from_nanos(1));
        request.randomness = Randomness::from_bits(randomness);
        FixedRateSampler::new(rate).unwrap().should_sample(&request)
    }

    #[test]
    fn the_boundary_belongs_to_the_sampled() {
        let quarter = "c".parse::<Threshold>().unwrap();
        let sampled = SamplingResult::sample().with_threshold(quarter);
        assert_eq!(ask(0.25, 0xc0_0000_0000_0000), sampled);
        assert_eq!(ask(0.25, 0xbf_ffff_ffff_ffff), SamplingResult::record());
    }

    #[test]
    fn rate_zero_records_and_rate_one_samples_whatever_the_randomness() {
        for randomness in [0, 1, 1 << 55, u64::MAX] {
            assert_eq!(ask(0.0, randomness), SamplingResult::record());
            assert!(ask(1.0, randomness).is_sampled());
        }
    }

    #[test]
    fn the_sampled_fraction_is_the_rate() {
        let random = Random::seeded(11);
        let sampled = (0..100_000).filter(|_| ask(0.1, random.next_u64()).is_sampled()).count();
        assert!((9_700..10_300).contains(&sampled), "{sampled} of 100000");
    }

    #[test]
    fn a_higher_rate_samples_a_superset() {
        let random = Random::seeded(12);
        for _ in 0..10_000 {
            let randomness = random.next_u64();
            let rare = ask(0.1, randomness).is_sampled();
            assert!(!rare || ask(0.4, randomness).is_sampled());
        }
    }

    #[test]
    fn the_worked_example_of_the_specification_is_sampled_alike() {
        let id = TraceId::from_hex("4bf92f3577b34da6a3ce929d0e0e4736").unwrap();
        for (rate, sampled) in [(0.25, true), (0.2, true), (0.1, false), (0.01, false)] {
            let request = SamplingRequest::new(id, "op", Tick::from_nanos(1));
            let result = FixedRateSampler::new(rate).unwrap().should_sample(&request);
            assert_eq!(result.is_sampled(), sampled, "at {rate}");
        }
    }

    #[test]
    fn the_explicit_randomness_of_the_caller_beats_the_trace_id() {
        let id = TraceId::from_hex("0af7651916cd43dd8400000000000001").unwrap();
        let mut parent = TraceContext::new(id, SpanId::new());
        parent.trace_state = parent.trace_state.insert("ot", "rv:ffffffffffffff").unwrap();
        let request =
            SamplingRequest::new(TraceId::new(), "op", Tick::from_nanos(1)).with_parent(&parent);
        let result = FixedRateSampler::new(0.01).unwrap().should_sample(&request);
        assert!(result.is_sampled());
    }

    #[test]
    fn what_is_no_rate_is_refused_by_its_value() {
        for (rate, named) in [(1.01, "1.01"), (-0.1, "-0.1"), (f64::INFINITY, "inf")] {
            let error = FixedRateSampler::new(rate).unwrap_err().to_string();
            assert!(error.contains(named), "{error}");
        }
    }
}
