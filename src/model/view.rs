//! A local trace as a tail policy sees it.

use std::time::Duration;

use super::head::TraceHead;
use super::store::SpanStore;
use super::{Randomness, SpanRef, TraceId};
use crate::kit::Tick;

/// A local trace that is complete, or as complete as it will get, before it is decided.
///
/// It borrows the recorder's buffer: looking at it copies nothing. Outside the recorder you get one
/// from [`Trace::view`](super::Trace::view), which is how policies are tested.
#[derive(Clone, Copy, Debug)]
pub struct TraceView<'a> {
    head: &'a TraceHead,
    store: &'a SpanStore,
    now: Tick,
}

impl<'a> TraceView<'a> {
    pub(crate) const fn new(head: &'a TraceHead, store: &'a SpanStore, now: Tick) -> Self {
        Self { head, store, now }
    }

    /// The trace's id.
    #[must_use]
    pub fn trace_id(self) -> TraceId {
        self.head.trace_id
    }

    /// The bits every probabilistic decision about this trace compares with its threshold.
    #[must_use]
    pub fn randomness(self) -> Randomness {
        self.head.randomness()
    }

    /// Whether the head sampler has already asked for it to be kept.
    #[must_use]
    pub fn is_head_sampled(self) -> bool {
        self.head.is_sampled()
    }

    /// When the decision is made.
    #[must_use]
    pub const fn now(self) -> Tick {
        self.now
    }

    /// Its spans in the order they were started.
    pub fn spans(self) -> impl Iterator<Item = SpanRef<'a>> {
        let Self { head, store, .. } = self;
        (0..).map_while(move |index| SpanRef::new(head, store, index))
    }

    /// The first span whose parent is not among the spans: what the process was asked to do.
    #[must_use]
    pub fn root(self) -> Option<SpanRef<'a>> {
        // The recorder puts the local root first; only traces made by hand need the search.
        let first = SpanRef::new(self.head, self.store, 0)?;
        let has_parent = |span: SpanRef<'a>| {
            span.parent_span_id()
                .is_some_and(|parent| self.spans().any(|other| other.span_id() == parent))
        };
        if has_parent(first) { self.spans().find(|span| !has_parent(*span)) } else { Some(first) }
    }

    /// How many spans there are.
    #[must_use]
    pub fn span_count(self) -> usize {
        self.store.len()
    }

    /// From the first start to the last end.
    #[must_use]
    pub fn duration(self) -> Duration {
        let spans = self.store.spans();
        let start = spans.iter().map(|span| span.start).min();
        let end = spans.iter().filter_map(super::store::SpanRecord::end).max();
        end.zip(start).map_or(Duration::ZERO, |(end, start)| end.since(start))
    }

    /// Whether any span ended in an error.
    #[must_use]
    pub fn has_errors(self) -> bool {
        self.store.spans().iter().any(super::store::SpanRecord::is_error)
    }

    /// Whether it took at least `threshold`.
    #[must_use]
    pub fn is_slow(self, threshold: Duration) -> bool {
        self.duration() >= threshold
    }
}
