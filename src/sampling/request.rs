//! What a sampler is asked.

use std::borrow::Cow;

use crate::model::{Link, Randomness, SpanKind, TagValue, TraceContext, TraceId};
use crate::time::Tick;

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
    /// The bits to compare with a [`Threshold`](crate::model::Threshold): the parent's `rv`, else the end of the trace id.
    pub randomness: Randomness,
    /// Whether another service may still have the trace kept, so that following a caller that did not sample it is to
    /// record it.
    pub(crate) is_coherent: bool,
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
            is_coherent: false,
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

    /// This request in a group of services that keep their traces together.
    #[must_use]
    pub(crate) fn with_coherence(mut self, is_coherent: bool) -> Self {
        self.is_coherent = is_coherent;
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
