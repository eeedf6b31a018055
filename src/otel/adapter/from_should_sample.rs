//! OpenTelemetry's samplers for our pipelines.

use opentelemetry::Context;
use opentelemetry::trace::{Link, TraceContextExt};
use opentelemetry_sdk::trace::ShouldSample;

use super::convert::{
    from_attribute, from_trace_state, to_baggage, to_key_value, to_link, to_span_context,
    to_span_kind, to_trace_id,
};
use super::release_line::{SdkSamplingDecision, with_baggage};
use crate::sampling::{Sampler, SamplingRequest, SamplingResult};

/// Any sampler of OpenTelemetry as a sampler of ours.
///
/// For sampling rules that a program has already. `RecordAndSample` keeps the trace, `RecordOnly` leaves it
/// to the tail, `Drop` records nothing. The threshold is read from `ot=th` of the returned trace state, so
/// that of a consistent probability sampler counts; other changes of the trace state are not taken over.
/// Attributes that the sampler adds become tags of the root.
///
/// A pipeline asks it once per local trace, as every sampler here, while OpenTelemetry asks for each span.
/// The request is converted first, which costs some allocations.
///
#[cfg_attr(not(older_line), doc = include_str!("examples/from_should_sample.md"))]
#[derive(Clone, Debug)]
pub struct FromShouldSample(Box<dyn ShouldSample>);

impl FromShouldSample {
    /// Wraps a sampler.
    #[cfg(before_0_32)]
    pub fn new(sampler: impl ShouldSample + 'static) -> Self {
        Self(Box::new(sampler))
    }

    /// Wraps a sampler, in a box or not.
    #[cfg(not(before_0_32))]
    pub fn new(sampler: impl Into<Box<dyn ShouldSample>>) -> Self {
        Self(sampler.into())
    }
}

impl Sampler for FromShouldSample {
    fn should_sample(&self, request: &SamplingRequest<'_>) -> SamplingResult {
        let parent = match request.parent {
            Some(parent) => {
                let context = Context::new().with_remote_span_context(to_span_context(parent));
                match parent.baggage.is_empty() {
                    true => context,
                    false => with_baggage(&context, to_baggage(&parent.baggage)),
                }
            }
            None => Context::new(),
        };
        let attributes: Vec<_> =
            request.tags.iter().map(|(key, value)| to_key_value(key, value.as_ref())).collect();
        let links: Vec<Link> = request.links.iter().map(to_link).collect();
        let result = self.0.should_sample(
            Some(&parent),
            to_trace_id(request.trace_id),
            request.name,
            &to_span_kind(request.kind),
            &attributes,
            &links,
        );
        let decided = match result.decision {
            SdkSamplingDecision::Drop => SamplingResult::drop(),
            SdkSamplingDecision::RecordOnly => SamplingResult::record(),
            SdkSamplingDecision::RecordAndSample => {
                let threshold = from_trace_state(&result.trace_state).threshold();
                SamplingResult::sample().with_threshold(threshold)
            }
        };
        result.attributes.iter().fold(decided, |decided, attribute| {
            let (key, value) = from_attribute(attribute);
            decided.with_tag(key, value)
        })
    }
}
