//! What a sampler answers.

use std::borrow::Cow;

use crate::model::{Randomness, TagKey, TagValue, Threshold};

/// What becomes of a local trace.
///
/// The list is complete, as OpenTelemetry's is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SamplingDecision {
    /// Nothing is recorded; the trace is propagated as not sampled.
    Drop,
    /// Recorded; the tail decides. Without a tail it is not recorded.
    Record,
    /// Recorded and kept, unless a tail policy drops it on purpose.
    Sample,
}

/// The answer of a [`Sampler`](super::Sampler).
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
    pub fn with_tag<'k>(mut self, key: impl Into<TagKey<'k>>, value: impl Into<TagValue>) -> Self {
        self.tags.push((key.into().into_owned(), value.into()));
        self
    }

    /// Whether the trace is kept whatever the tail says.
    #[must_use]
    pub fn is_sampled(&self) -> bool {
        self.decision == SamplingDecision::Sample
    }
}
