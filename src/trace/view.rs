//! A local trace as a tail policy sees it.

use std::time::Duration;

use super::SpanRef;
use super::header::TraceHeader;
use super::store::{SpanIndex, SpanStore};
use crate::model::{Randomness, TraceId};
use crate::time::Tick;

/// A local trace that is complete, or as complete as it will get, before it is decided.
///
/// It borrows the recorder's buffer: looking at it copies nothing. Outside of the recorder
/// [`Trace::view`](super::Trace::view) makes one, which is how policies are tested.
#[derive(Clone, Copy, Debug)]
pub struct TraceView<'a> {
    header: &'a TraceHeader,
    store: &'a SpanStore,
    now: Tick,
}

impl<'a> TraceView<'a> {
    pub(crate) const fn new(header: &'a TraceHeader, store: &'a SpanStore, now: Tick) -> Self {
        Self { header, store, now }
    }

    /// The trace's id.
    #[must_use]
    pub fn trace_id(self) -> TraceId {
        self.header.trace_id
    }

    /// The bits that every probabilistic decision about the trace compares with a threshold.
    #[must_use]
    pub fn randomness(self) -> Randomness {
        self.header.randomness()
    }

    /// Whether the head sampler asked for the trace to be kept.
    #[must_use]
    pub fn is_head_sampled(self) -> bool {
        self.header.is_sampled()
    }

    /// The moment of the decision.
    #[must_use]
    pub const fn now(self) -> Tick {
        self.now
    }

    /// Reads the spans in the order they were started; spans of [another tracer](super::Original) in the order they
    /// ended, but for the root, which comes first.
    pub fn spans(self) -> impl Iterator<Item = SpanRef<'a>> {
        let Self { header, store, .. } = self;
        (0..).map_while(move |index| SpanRef::new(header, store, SpanIndex::new(index)))
    }

    /// The first span whose parent is not among the spans: what the process was asked to do.
    #[must_use]
    pub fn root(self) -> Option<SpanRef<'a>> {
        // The recorder puts the local root first; only a trace whose root has not ended, or that was made by hand,
        // needs the search.
        let first = SpanRef::new(self.header, self.store, SpanIndex::FIRST)?;
        // A remote parent is no span of this process. Where another span started before, the trace may have been put
        // together from several processes, and the parent is looked for.
        if first.is_parent_remote() && self.store.is_first_earliest() {
            return Some(first);
        }
        let has_parent = |span: SpanRef<'a>| {
            span.parent_span_id()
                .is_some_and(|parent| self.spans().any(|other| other.span_id() == parent))
        };
        if !has_parent(first) {
            return Some(first);
        }
        let mut ids: Vec<_> = self.spans().map(SpanRef::span_id).collect();
        ids.sort_unstable();
        let is_here = |parent| ids.binary_search(&parent).is_ok();
        self.spans().find(|span| !span.parent_span_id().is_some_and(is_here))
    }

    /// The number of spans.
    #[must_use]
    pub fn span_count(self) -> usize {
        self.store.len()
    }

    /// The time from the first start to the last end; zero while no span has ended.
    #[must_use]
    pub fn duration(self) -> Duration {
        let times = self.store.times(self.header.correction);
        times.map_or(Duration::ZERO, |(start, end)| end.since(start))
    }

    /// Whether any span has [failed](SpanRef::failed).
    #[must_use]
    pub fn has_errors(self) -> bool {
        self.store.has_errors()
    }

    /// Whether the trace's [`duration`](Self::duration) is at least `threshold`.
    #[must_use]
    pub fn is_slow(self, threshold: Duration) -> bool {
        self.duration() >= threshold
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{span, trace};

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn a_view_shows_what_the_trace_shows() {
        let made = trace(span("root").child(span("a").lasting(MS * 3)).child(span("b")));
        let view = made.view();
        assert_eq!(view.trace_id(), made.trace_id());
        assert_eq!(view.randomness(), made.randomness());
        assert_eq!((view.span_count(), view.duration()), (3, MS * 4));
        assert!(!view.has_errors() && !view.is_head_sampled());
        let names: Vec<_> = view.spans().map(SpanRef::operation_name).collect();
        assert_eq!(names, ["root", "a", "b"]);
        assert_eq!(view.root().map(SpanRef::operation_name), Some("root"));
    }

    #[test]
    fn the_threshold_itself_is_slow() {
        let made = trace(span("root").lasting(MS));
        assert!(made.view().is_slow(MS));
        assert!(!made.view().is_slow(MS + Duration::from_nanos(1)));
    }

    #[test]
    fn one_failed_span_is_enough_for_an_error() {
        let made = trace(span("root").child(span("child").error("")));
        assert!(made.view().has_errors());
    }

    #[test]
    fn it_is_decided_when_the_last_span_ended() {
        let made = trace(span("root").lasting(MS).child(span("straggler").lasting(MS * 9)));
        let last = made.spans().filter_map(SpanRef::end_tick).max();
        assert_eq!(Some(made.view().now()), last);
    }

    #[test]
    fn nothing_has_no_root_and_took_no_time() {
        let empty = super::super::Trace::new(TraceId::new());
        let view = empty.view();
        assert!(view.root().is_none() && view.spans().next().is_none());
        assert_eq!(view.duration(), Duration::ZERO);
        assert!(!view.has_errors() && view.is_slow(Duration::ZERO));
    }
}
