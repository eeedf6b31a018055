//! What the sampler by priority decides before the trace exists.

use super::{Sampler, SamplingRequest, SamplingResult};
use crate::model::{PrioritySampler, Threshold};

impl Sampler for PrioritySampler {
    fn should_sample(&self, request: &SamplingRequest<'_>) -> SamplingResult {
        let baggage = request.parent.map(|parent| &parent.baggage);
        let says = |name, value| baggage.and_then(|known| known.get(name)) == Some(value);
        let threshold = if says("priority", "high") {
            Some(Threshold::ALWAYS)
        } else if says("has_error", "true") {
            self.error_threshold()
        } else {
            self.default_threshold()
        };
        SamplingResult::by_threshold(threshold, request.randomness)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::{Randomness, SpanId, TraceContext, TraceId};
    use crate::time::Tick;

    const LOW: u64 = 0;
    const MIDDLE: u64 = 1 << 55;

    /// Asks at rates 0.1 and, for errors, 0.5.
    fn ask(baggage: &[(&str, &str)], randomness: u64) -> SamplingResult {
        let sampler = PrioritySampler::new(0.1, 0.5, Duration::from_secs(1), 1.0).unwrap();
        let mut parent = TraceContext::new(TraceId::new(), SpanId::new());
        for (name, value) in baggage {
            parent.baggage = parent.baggage.with(name, value).unwrap();
        }
        let mut request =
            SamplingRequest::new(parent.trace_id, "op", Tick::from_nanos(1)).with_parent(&parent);
        request.randomness = Randomness::from_bits(randomness);
        sampler.should_sample(&request)
    }

    #[test]
    fn high_priority_is_always_sampled() {
        let always = SamplingResult::sample().with_threshold(Threshold::ALWAYS);
        assert_eq!(ask(&[("priority", "high")], LOW), always);
        assert_eq!(ask(&[("has_error", "true"), ("priority", "high")], LOW), always);
    }

    #[test]
    fn an_error_upstream_is_sampled_at_its_own_rate() {
        let half = SamplingResult::sample().with_threshold(Threshold::for_rate(0.5).unwrap());
        assert_eq!(ask(&[("has_error", "true")], MIDDLE), half);
        assert_eq!(ask(&[("has_error", "true")], MIDDLE - 1), SamplingResult::record());
    }

    #[test]
    fn anything_else_is_sampled_at_the_default_rate() {
        for baggage in
            [&[][..], &[("priority", "low")], &[("has_error", "false")], &[("Priority", "high")]]
        {
            assert_eq!(ask(baggage, MIDDLE), SamplingResult::record(), "{baggage:?}");
            assert!(ask(baggage, u64::MAX).is_sampled());
        }
    }

    #[test]
    fn a_trace_without_a_caller_is_sampled_at_the_default_rate() {
        let sampler = PrioritySampler::new(1.0, 0.0, Duration::ZERO, 0.0).unwrap();
        let request = SamplingRequest::new(TraceId::new(), "op", Tick::from_nanos(1));
        assert!(sampler.should_sample(&request).is_sampled());
    }
}
