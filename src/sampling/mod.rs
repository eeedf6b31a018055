//! The head decision: what to record, asked once per local trace before its first span exists.
//!
//! A [`Sampler`] sees what is known when a local root starts and says [`Drop`](SamplingDecision::Drop)
//! (record nothing), [`Record`](SamplingDecision::Record) (the tail decides) or
//! [`Sample`](SamplingDecision::Sample) (keep,
//! whatever the tail says, unless a policy drops on purpose). Without a tail, what is only recorded
//! would be thrown away, so the pipeline does not record it.

mod adaptive;
mod always;
mod fixed_rate;
mod parent_based;
mod priority;
mod rate_limiting;
mod rule_based;

use std::borrow::Cow;
use std::sync::Arc;

use crate::model::{Link, Randomness, SpanKind, TagValue, Threshold, TraceContext, TraceId};
use crate::time::Tick;

pub use crate::model::PrioritySampler;
pub use adaptive::{AdaptiveError, AdaptiveSampler};
pub use always::{AlwaysOff, AlwaysOn, AlwaysRecord};
pub use fixed_rate::FixedRateSampler;
pub use parent_based::ParentBasedSampler;
pub use rate_limiting::{RateLimitError, RateLimitingSampler};
pub use rule_based::{Rule, RuleBasedSampler};

/// Decides at the start of a local trace what becomes of it.
///
/// OpenTelemetry: `ShouldSample`. Closures are samplers, and so are `Arc` and `Box` of one. It is
/// called on the thread that starts the root, never under a lock of ours; a panic is caught, counted
/// and taken for "the tail decides".
///
/// ```
/// use tailtrace::sampling::{Sampler, SamplingResult, SamplingRequest};
/// let no_probes = |request: &SamplingRequest<'_>| match request.name {
///     "GET /healthz" => SamplingResult::drop(),
///     _ => SamplingResult::record(),
/// };
/// let sampler: Box<dyn Sampler> = Box::new(no_probes);
/// # let _ = sampler;
/// ```
pub trait Sampler: Send + Sync {
    /// Says what becomes of the local trace whose root `request` describes.
    fn should_sample(&self, request: &SamplingRequest<'_>) -> SamplingResult;

    /// Whether it drops every trace whatever it is told, so that nothing needs to be prepared to ask it.
    ///
    /// Default: no. Say yes only where [`should_sample`](Self::should_sample) always drops, as
    /// [`AlwaysOff`] does: spans of existing `tracing` instrumentation are then not looked at.
    fn drops_everything(&self) -> bool {
        false
    }
}

/// What is known of a local trace when its root starts.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct SamplingRequest<'a> {
    /// The caller, in this process or another; `None` for the root of the whole trace.
    pub parent: Option<&'a TraceContext>,
    /// The id of the trace: the parent's, or a new one.
    pub trace_id: TraceId,
    /// The root's operation name.
    pub name: &'a str,
    /// The root's kind.
    pub kind: SpanKind,
    /// The tags the root starts with.
    pub tags: &'a [(Cow<'static, str>, TagValue)],
    /// The links the root starts with.
    pub links: &'a [Link],
    /// When the decision is made.
    pub now: Tick,
    /// The bits to compare with a [`Threshold`]: the parent's `rv`, else the end of the trace id.
    pub randomness: Randomness,
}

impl<'a> SamplingRequest<'a> {
    /// A request about a root of a new trace, without tags and links.
    #[must_use]
    pub fn new(trace_id: TraceId, name: &'a str, now: Tick) -> Self {
        Self {
            parent: None,
            trace_id,
            name,
            kind: SpanKind::Internal,
            tags: &[],
            links: &[],
            now,
            randomness: Randomness::from_trace_id_bits(trace_id.to_bits()),
        }
    }

    /// This request as made under a parent: the trace id and the explicit randomness are its.
    #[must_use]
    pub fn with_parent(mut self, parent: &'a TraceContext) -> Self {
        self.parent = Some(parent);
        self.trace_id = parent.trace_id;
        let explicit = parent.trace_state.randomness();
        self.randomness =
            explicit.unwrap_or_else(|| Randomness::from_trace_id_bits(self.trace_id.to_bits()));
        self
    }

    /// This request for a span of another kind.
    #[must_use]
    pub fn with_kind(mut self, kind: SpanKind) -> Self {
        self.kind = kind;
        self
    }

    /// This request with the tags the root starts with.
    #[must_use]
    pub fn with_tags(mut self, tags: &'a [(Cow<'static, str>, TagValue)]) -> Self {
        self.tags = tags;
        self
    }

    /// This request with the links the root starts with.
    #[must_use]
    pub fn with_links(mut self, links: &'a [Link]) -> Self {
        self.links = links;
        self
    }

    /// The value of a tag the root starts with; of several with the same key the last one counts.
    #[must_use]
    pub fn tag(&self, key: &str) -> Option<&'a TagValue> {
        self.tags.iter().rfind(|(known, _)| known == key).map(|(_, value)| value)
    }
}

/// What becomes of a local trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SamplingDecision {
    /// Nothing is recorded; the trace is propagated as not sampled.
    Drop,
    /// Recorded; the tail decides. Without a tail it is not recorded.
    Record,
    /// Recorded and kept, unless a tail policy drops it on purpose.
    Sample,
}

/// The answer of a [`Sampler`].
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SamplingResult {
    /// What becomes of the trace.
    pub decision: SamplingDecision,
    /// The threshold that was applied; for a sampled trace it says how many such traces the kept one
    /// stands for. `None` when the probability is not known.
    pub threshold: Option<Threshold>,
    /// Tags to add to the root.
    pub tags: Vec<(Cow<'static, str>, TagValue)>,
}

impl SamplingResult {
    const fn new(decision: SamplingDecision) -> Self {
        Self { decision, threshold: None, tags: Vec::new() }
    }

    /// Keep what the randomness says, and let the tail decide about the rest; `None` keeps nothing.
    pub(crate) fn by_threshold(threshold: Option<Threshold>, randomness: Randomness) -> Self {
        match threshold {
            Some(threshold) if threshold.accepts(randomness) => {
                Self::sample().with_threshold(threshold)
            }
            _ => Self::record(),
        }
    }

    /// Record nothing.
    #[must_use]
    pub const fn drop() -> Self {
        Self::new(SamplingDecision::Drop)
    }

    /// Record, and let the tail decide.
    #[must_use]
    pub const fn record() -> Self {
        Self::new(SamplingDecision::Record)
    }

    /// Keep. Add the [threshold](Self::with_threshold) if the probability is known.
    #[must_use]
    pub const fn sample() -> Self {
        Self::new(SamplingDecision::Sample)
    }

    /// This decision with the threshold that was applied.
    #[must_use]
    pub fn with_threshold(mut self, threshold: impl Into<Option<Threshold>>) -> Self {
        self.threshold = threshold.into();
        self
    }

    /// This decision with one more tag for the root.
    #[must_use]
    pub fn with_tag(
        mut self,
        key: impl Into<Cow<'static, str>>,
        value: impl Into<TagValue>,
    ) -> Self {
        self.tags.push((key.into(), value.into()));
        self
    }

    /// Whether the trace is kept whatever the tail says.
    #[must_use]
    pub fn is_sampled(&self) -> bool {
        self.decision == SamplingDecision::Sample
    }
}

impl<F> Sampler for F
where
    F: Fn(&SamplingRequest<'_>) -> SamplingResult + Send + Sync,
{
    fn should_sample(&self, request: &SamplingRequest<'_>) -> SamplingResult {
        self(request)
    }
}

impl<S: Sampler + ?Sized> Sampler for Arc<S> {
    fn should_sample(&self, request: &SamplingRequest<'_>) -> SamplingResult {
        (**self).should_sample(request)
    }

    fn drops_everything(&self) -> bool {
        (**self).drops_everything()
    }
}

impl Sampler for Box<dyn Sampler> {
    fn should_sample(&self, request: &SamplingRequest<'_>) -> SamplingResult {
        (**self).should_sample(request)
    }

    fn drops_everything(&self) -> bool {
        (**self).drops_everything()
    }
}
