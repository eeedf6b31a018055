//! The samplers that do not look at the trace.

use super::{Sampler, SamplingDecision, SamplingRequest, SamplingResult};
use crate::model::Threshold;

/// Samples every trace.
///
/// Use it in development, in tests, and where the whole volume is affordable. It keeps traces past
/// the tail's policies, except those that drop on purpose; to let the tail choose, use
/// [`AlwaysRecord`]. It costs nothing and has nothing to set.
///
/// ```
/// use tailtrace::time::Clock;
/// use tailtrace::{AlwaysOn, Sampler, SamplingRequest, TraceId};
/// let request = SamplingRequest::new(TraceId::new(), "checkout", Clock::system().now());
/// assert!(AlwaysOn.should_sample(&request).is_sampled());
/// ```
///
/// OpenTelemetry: `AlwaysOn`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AlwaysOn;

impl Sampler for AlwaysOn {
    fn should_sample(&self, _: &SamplingRequest<'_>) -> SamplingResult {
        SamplingResult::sample().with_threshold(Threshold::ALWAYS)
    }

    fn fixed_answer(&self) -> Option<SamplingResult> {
        Some(SamplingResult::sample().with_threshold(Threshold::ALWAYS))
    }
}

/// Drops every trace on purpose: nothing is recorded, the tail is not asked.
///
/// Use it for what is never of interest, as a rule of a
/// [`RuleBasedSampler`](super::RuleBasedSampler), or to switch tracing off. It costs nothing and has
/// nothing to set.
///
/// ```
/// use tailtrace::time::Clock;
/// use tailtrace::{AlwaysOff, Sampler, SamplingDecision, SamplingRequest, TraceId};
/// let request = SamplingRequest::new(TraceId::new(), "checkout", Clock::system().now());
/// assert_eq!(AlwaysOff.should_sample(&request).decision, SamplingDecision::Drop);
/// ```
///
/// OpenTelemetry: `AlwaysOff`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AlwaysOff;

impl Sampler for AlwaysOff {
    fn should_sample(&self, _: &SamplingRequest<'_>) -> SamplingResult {
        SamplingResult::drop()
    }

    fn fixed_answer(&self) -> Option<SamplingResult> {
        Some(SamplingResult::drop())
    }
}

/// Records what another sampler would drop, so that the tail decides about it.
///
/// Use it around samplers that drop, such as [`ParentBasedSampler`](super::ParentBasedSampler), when
/// errors and slow traces must be kept all the same. What the inner sampler samples or records is
/// unchanged. It costs what the inner sampler costs.
///
/// ```
/// use tailtrace::sampling::AlwaysRecord;
/// use tailtrace::time::Clock;
/// use tailtrace::{AlwaysOff, Sampler, SamplingDecision, SamplingRequest, TraceId};
/// let request = SamplingRequest::new(TraceId::new(), "checkout", Clock::system().now());
/// let sampler = AlwaysRecord::new(AlwaysOff);
/// assert_eq!(sampler.should_sample(&request).decision, SamplingDecision::Record);
/// ```
///
/// Specification: OpenTelemetry, Tracing SDK, section `AlwaysRecord`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AlwaysRecord<S> {
    inner: S,
}

impl<S: Sampler> AlwaysRecord<S> {
    /// A sampler that records what `inner` drops.
    pub const fn new(inner: S) -> Self {
        Self { inner }
    }
}

impl<S: Sampler> Sampler for AlwaysRecord<S> {
    fn should_sample(&self, request: &SamplingRequest<'_>) -> SamplingResult {
        let mut result = self.inner.should_sample(request);
        if result.decision == SamplingDecision::Drop {
            result.decision = SamplingDecision::Record;
        }
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::TraceId;
    use crate::time::Tick;

    fn ask(sampler: &impl Sampler) -> SamplingResult {
        sampler.should_sample(&SamplingRequest::new(TraceId::new(), "op", Tick::from_nanos(1)))
    }

    #[test]
    fn a_sampled_trace_stands_for_one() {
        assert_eq!(ask(&AlwaysOn).threshold, Some(Threshold::ALWAYS));
        assert!(ask(&AlwaysOn).is_sampled());
    }

    #[test]
    fn only_a_drop_becomes_a_record() {
        let tagged_drop = |_: &SamplingRequest<'_>| SamplingResult::drop().with_tag("why", 1);
        let recorded = SamplingResult::record().with_tag("why", 1);
        assert_eq!(ask(&AlwaysRecord::new(tagged_drop)), recorded);
        assert_eq!(ask(&AlwaysRecord::new(AlwaysOn)), ask(&AlwaysOn));
        let record = |_: &SamplingRequest<'_>| SamplingResult::record();
        assert_eq!(ask(&AlwaysRecord::new(record)), SamplingResult::record());
    }
}
