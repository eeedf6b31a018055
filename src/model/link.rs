//! A pointer from one span to another that is not its parent.

use std::borrow::Cow;

use super::{TagKey, TagValue, TraceContext};

/// A pointer to a span that is related but not the parent: the message a batch was made of, the
/// request that queued a job.
///
/// OpenTelemetry: `Link`.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Link {
    /// The span pointed to. A recorded link does not keep its baggage.
    pub context: TraceContext,
    /// Tags that describe the relation.
    pub tags: Vec<(Cow<'static, str>, TagValue)>,
}

impl Link {
    /// A link without tags.
    #[must_use]
    pub fn new(context: TraceContext) -> Self {
        Self { context, tags: Vec::new() }
    }

    /// This link with one more tag.
    #[must_use]
    pub fn with_tag<'k>(mut self, key: impl Into<TagKey<'k>>, value: impl Into<TagValue>) -> Self {
        self.tags.push((key.into().into_owned(), value.into()));
        self
    }
}

impl From<TraceContext> for Link {
    fn from(context: TraceContext) -> Self {
        Self::new(context)
    }
}
