//! A local trace as a tail policy sees it.

use std::fmt;
use std::sync::OnceLock;
use std::time::Duration;

use super::SpanRef;
use super::header::TraceHeader;
use super::store::{SpanIndex, SpanStore};
use crate::model::{Randomness, TraceId};
use crate::time::Tick;

/// The open spans above a part, which are copied when a policy asks for them.
pub(crate) struct OpenAncestors<'a> {
    copy: &'a (dyn Fn() -> SpanStore + Sync),
    copies: OnceLock<SpanStore>,
}

impl<'a> OpenAncestors<'a> {
    /// Ancestors that `copy` copies, the nearest first.
    pub(crate) fn new(copy: &'a (dyn Fn() -> SpanStore + Sync)) -> Self {
        Self { copy, copies: OnceLock::new() }
    }

    fn copies(&self) -> &SpanStore {
        self.copies.get_or_init(self.copy)
    }
}

impl fmt::Debug for OpenAncestors<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OpenAncestors").field(&self.copies.get().map(SpanStore::len)).finish()
    }
}

/// A local trace that is complete, or as complete as it will get, before it is decided.
///
/// It borrows the recorder's buffer: looking at it copies nothing. Outside of the recorder
/// [`Trace::view`](super::Trace::view) makes one, which is how policies are tested.
#[derive(Clone, Copy, Debug)]
pub struct TraceView<'a> {
    header: &'a TraceHeader,
    store: &'a SpanStore,
    now: Tick,
    is_part: bool,
    ancestors: Option<&'a OpenAncestors<'a>>,
}

impl<'a> TraceView<'a> {
    pub(crate) const fn new(header: &'a TraceHeader, store: &'a SpanStore, now: Tick) -> Self {
        Self { header, store, now, is_part: false, ancestors: None }
    }

    /// This view as one of a part of a trace that goes on.
    pub(crate) const fn as_part(self, is_part: bool) -> Self {
        Self { is_part, ..self }
    }

    /// This view as one of a part below these spans.
    pub(crate) const fn below(self, ancestors: &'a OpenAncestors<'a>) -> Self {
        Self { is_part: true, ancestors: Some(ancestors), ..self }
    }

    /// Whether these spans are a part of a trace, of which other spans are decided apart from them.
    ///
    /// A trace that stays open for long, or fills half of a limit, is decided in parts: each subtree that completes
    /// below a span that is open. [`root`](Self::root) is the top of that subtree, then, and
    /// [`duration`](Self::duration) how long that took.
    #[must_use]
    pub fn is_part(self) -> bool {
        self.is_part
    }

    /// The spans above a part that have not ended, with the names and tags they have so far: the parent of its top
    /// first, the root last. None for a trace that is decided as a whole.
    ///
    /// They are copied at the first call for a part, so that a policy that does not ask pays nothing.
    pub fn ancestors(self) -> impl Iterator<Item = SpanRef<'a>> {
        let Self { header, ancestors, .. } = self;
        let copies = ancestors.map(OpenAncestors::copies);
        let indices = (0..).map(SpanIndex::new);
        indices.map_while(move |index| SpanRef::new(header, copies?, index))
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

    /// The time from the first start to the last end; zero while no span has ended. Of a [part](Self::is_part), the
    /// time that its top took.
    #[must_use]
    pub fn duration(self) -> Duration {
        if self.is_part {
            return self.root().map(SpanRef::duration).unwrap_or_default();
        }
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
