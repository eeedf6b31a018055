//! Following the caller's decision.

use std::fmt;

use super::{AlwaysOff, AlwaysOn, Sampler, SamplingRequest, SamplingResult};
use crate::model::{Threshold, TraceContext};

/// Follows the decision of the caller, and asks another sampler where there is none.
///
/// Use it in services that are called by traced ones, so that traces are whole: sampled everywhere or
/// nowhere. A trace without a caller, or whose caller deferred the decision, goes to the root
/// sampler; the four other branches go by whether
/// the caller is remote and whether it sampled the trace. By default a sampled caller is followed by
/// [`AlwaysOn`] and one that did not sample by [`AlwaysOff`], which records nothing; to let the tail
/// look at what callers did not sample, give that branch
/// [`AlwaysRecord::new(AlwaysOff)`](super::AlwaysRecord). In a pipeline with
/// [coherence](crate::pipeline::PipelineBuilder::with_coherence) that default records, because another service may have
/// the trace kept; an [`AlwaysOff`] that the program gives that branch drops. It costs what the picked sampler costs.
///
/// Tags and thresholds of the picked sampler pass through. Where a sampled caller is followed, the
/// threshold is the caller's if that is stricter, so that `ot=th:` goes on through the services; it is
/// left out when the probability is unknown: the caller did not send its own, or sent one that
/// contradicts the trace's randomness.
///
/// ```
/// use tailtrace::time::Clock;
/// use tailtrace::{
///     FixedRateSampler, ParentBasedSampler, Sampler, SamplingDecision, SamplingRequest, SpanId,
///     TraceContext, TraceId,
/// };
///
/// let sampler = ParentBasedSampler::new(FixedRateSampler::new(0.1)?);
/// let caller = TraceContext::new(TraceId::new(), SpanId::new()).remote();
/// let request = SamplingRequest::new(caller.trace_id, "checkout", Clock::system().now())
///     .with_parent(&caller);
/// assert_eq!(sampler.should_sample(&request).decision, SamplingDecision::Drop);
/// # Ok::<(), tailtrace::model::SettingError>(())
/// ```
///
/// OpenTelemetry: `ParentBased`, with the thresholds of `ComposableParentThreshold`.
pub struct ParentBasedSampler {
    root: Box<dyn Sampler>,
    remote_sampled: Box<dyn Sampler>,
    /// `None` where the program gave none.
    remote_not_sampled: Option<Box<dyn Sampler>>,
    local_sampled: Box<dyn Sampler>,
    local_not_sampled: Option<Box<dyn Sampler>>,
}

impl ParentBasedSampler {
    /// A sampler that asks `root` about traces without a caller.
    pub fn new(root: impl Sampler + 'static) -> Self {
        Self {
            root: Box::new(root),
            remote_sampled: Box::new(AlwaysOn),
            remote_not_sampled: None,
            local_sampled: Box::new(AlwaysOn),
            local_not_sampled: None,
        }
    }

    /// This sampler asking another one when a caller in another process sampled; the default is
    /// [`AlwaysOn`].
    #[must_use]
    pub fn with_remote_parent_sampled(mut self, sampler: impl Sampler + 'static) -> Self {
        self.remote_sampled = Box::new(sampler);
        self
    }

    /// This sampler asking another one when a caller in another process did not sample; the default
    /// is [`AlwaysOff`].
    #[must_use]
    pub fn with_remote_parent_not_sampled(mut self, sampler: impl Sampler + 'static) -> Self {
        self.remote_not_sampled = Some(Box::new(sampler));
        self
    }

    /// This sampler asking another one when a caller in this process sampled; the default is
    /// [`AlwaysOn`].
    #[must_use]
    pub fn with_local_parent_sampled(mut self, sampler: impl Sampler + 'static) -> Self {
        self.local_sampled = Box::new(sampler);
        self
    }

    /// This sampler asking another one when a caller in this process did not sample; the default is
    /// [`AlwaysOff`].
    #[must_use]
    pub fn with_local_parent_not_sampled(mut self, sampler: impl Sampler + 'static) -> Self {
        self.local_not_sampled = Some(Box::new(sampler));
        self
    }
}

impl Sampler for ParentBasedSampler {
    fn should_sample(&self, request: &SamplingRequest<'_>) -> SamplingResult {
        let Some(parent) = request.parent.filter(|parent| !parent.flags.is_deferred()) else {
            return self.root.should_sample(request);
        };
        let sampler = match (parent.is_remote, parent.is_sampled()) {
            (true, true) => Some(&self.remote_sampled),
            (true, false) => self.remote_not_sampled.as_ref(),
            (false, true) => Some(&self.local_sampled),
            (false, false) => self.local_not_sampled.as_ref(),
        };
        let mut result = match sampler {
            Some(sampler) => sampler.should_sample(request),
            None if request.is_coherent => SamplingResult::record(),
            None => AlwaysOff.should_sample(request),
        };
        if result.is_sampled() && parent.is_sampled() {
            result.threshold = joint_threshold(parent, result.threshold, request);
        }
        result
    }
}

/// What a trace had to reach to be sampled by the caller and then by us.
fn joint_threshold(
    parent: &TraceContext,
    own: Option<Threshold>,
    request: &SamplingRequest<'_>,
) -> Option<Threshold> {
    let joint = match parent.trace_state.threshold() {
        Some(callers) => own.map(|own| own.max(callers)),
        // Always, of what arrives here, says nothing about how much arrives here.
        None => own.filter(|own| *own != Threshold::ALWAYS),
    };
    joint.filter(|joint| joint.accepts(request.randomness))
}

impl fmt::Debug for ParentBasedSampler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ParentBasedSampler").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{SpanId, TraceFlags, TraceId};
    use crate::sampling::{FixedRateSampler, SamplingDecision};
    use crate::time::Tick;

    /// The specification's worked example; its randomness is ce929d0e0e4736.
    const ID: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

    fn parent(remote: bool, sampled: bool, ot: &str) -> TraceContext {
        let id = TraceId::from_hex(ID).unwrap();
        let mut parent = TraceContext::new(id, SpanId::new())
            .with_flags(TraceFlags::default().with_sampled(sampled));
        if !ot.is_empty() {
            parent.trace_state = parent.trace_state.insert("ot", ot).unwrap();
        }
        if remote { parent.remote() } else { parent }
    }

    fn ask(sampler: &ParentBasedSampler, parent: Option<&TraceContext>) -> SamplingResult {
        let id = TraceId::from_hex(ID).unwrap();
        let request = SamplingRequest::new(id, "op", Tick::from_nanos(1));
        sampler.should_sample(&parent.map_or(request, |parent| request.with_parent(parent)))
    }

    fn threshold_after(ot: &str) -> Option<String> {
        let sampler = ParentBasedSampler::new(AlwaysOff);
        let result = ask(&sampler, Some(&parent(true, true, ot)));
        assert!(result.is_sampled());
        result.threshold.map(|threshold| threshold.to_string())
    }

    #[test]
    fn each_branch_has_its_own_sampler() {
        let mark = |with: &'static str| {
            move |_: &SamplingRequest<'_>| SamplingResult::record().with_tag("by", with)
        };
        let sampler = ParentBasedSampler::new(mark("root"))
            .with_remote_parent_sampled(mark("remote, sampled"))
            .with_remote_parent_not_sampled(mark("remote, not sampled"))
            .with_local_parent_sampled(mark("local, sampled"))
            .with_local_parent_not_sampled(mark("local, not sampled"));
        let by = |parent: Option<&TraceContext>, with: &'static str| {
            assert_eq!(ask(&sampler, parent).tags, [("by".into(), with.into())]);
        };
        by(None, "root");
        by(Some(&parent(true, true, "")), "remote, sampled");
        by(Some(&parent(true, false, "")), "remote, not sampled");
        by(Some(&parent(false, true, "")), "local, sampled");
        by(Some(&parent(false, false, "")), "local, not sampled");
    }

    #[test]
    fn by_default_the_caller_is_followed() {
        let sampler = ParentBasedSampler::new(FixedRateSampler::new(0.25).unwrap());
        for remote in [true, false] {
            let followed = |sampled| ask(&sampler, Some(&parent(remote, sampled, ""))).decision;
            assert_eq!(followed(true), SamplingDecision::Sample);
            assert_eq!(followed(false), SamplingDecision::Drop);
        }
        let root = ask(&sampler, None);
        assert_eq!(root.threshold.map(|th| th.to_string()), Some("c".into()));
    }

    #[test]
    fn where_services_keep_traces_together_only_a_drop_of_the_program_drops() {
        let decide = |sampler: &ParentBasedSampler, parent: &TraceContext| {
            let request = SamplingRequest::new(parent.trace_id, "op", Tick::from_nanos(1));
            let request = request.with_parent(parent).with_coherence(true);
            sampler.should_sample(&request).decision
        };
        let by_default = ParentBasedSampler::new(AlwaysOn);
        let on_purpose = ParentBasedSampler::new(AlwaysOn)
            .with_remote_parent_not_sampled(AlwaysOff)
            .with_local_parent_not_sampled(AlwaysOff);
        for remote in [true, false] {
            let unsampled = parent(remote, false, "");
            assert_eq!(decide(&by_default, &unsampled), SamplingDecision::Record);
            assert_eq!(decide(&on_purpose, &unsampled), SamplingDecision::Drop);
        }
    }

    #[test]
    fn a_caller_that_defers_the_decision_leaves_it_to_the_root_sampler() {
        let sampler = ParentBasedSampler::new(FixedRateSampler::new(0.25).unwrap());
        for remote in [true, false] {
            let deferred = parent(remote, false, "").with_flags(TraceFlags::DEFERRED);
            let result = ask(&sampler, Some(&deferred));
            assert_eq!(result.threshold, ask(&sampler, None).threshold);
            assert_eq!(result.decision, SamplingDecision::Sample);
        }
    }

    #[test]
    fn the_threshold_of_a_sampled_caller_goes_on() {
        assert_eq!(threshold_after("th:c").as_deref(), Some("c"));
        assert_eq!(threshold_after("th:0").as_deref(), Some("0"));
        assert_eq!(threshold_after("th:f;rv:ffffffffffffff").as_deref(), Some("f"));
    }

    #[test]
    fn a_probability_that_nobody_knows_is_not_made_up() {
        assert_eq!(threshold_after(""), None);
        assert_eq!(threshold_after("rv:ffffffffffffff"), None);
    }

    #[test]
    fn a_threshold_that_contradicts_the_randomness_is_left_out() {
        assert_eq!(threshold_after("th:e666"), None);
        assert_eq!(threshold_after("th:8;rv:00000000000001"), None);
    }

    #[test]
    fn of_the_callers_threshold_and_our_own_the_stricter_one_counts() {
        let at = |rate, ot| {
            let own = FixedRateSampler::new(rate).unwrap();
            let sampler = ParentBasedSampler::new(AlwaysOff).with_remote_parent_sampled(own);
            ask(&sampler, Some(&parent(true, true, ot)))
                .threshold
                .map(|threshold| threshold.to_string())
        };
        assert_eq!(at(0.5, "th:c").as_deref(), Some("c"));
        assert_eq!(at(0.25, "th:8").as_deref(), Some("c"));
        assert_eq!(at(0.25, "").as_deref(), Some("c"));
    }

    #[test]
    fn an_unsampled_callers_threshold_is_not_taken_over() {
        let sampler = ParentBasedSampler::new(AlwaysOff).with_remote_parent_not_sampled(AlwaysOn);
        let result = ask(&sampler, Some(&parent(true, false, "th:c")));
        assert_eq!(result.threshold, Some(Threshold::ALWAYS));
    }
}
