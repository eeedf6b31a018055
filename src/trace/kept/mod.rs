//! The spans of one trace that finished in this process.

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::head::TraceHead;
use super::store::SpanStore;
use super::{Span, SpanMut, SpanRef, TraceView};
use crate::model::{
    Limits, Randomness, Resource, SpanId, Threshold, TraceContext, TraceId, TraceState,
};
use crate::time::{Tick, wall_now};

/// The spans of one trace id that finished in this process together.
///
/// Exporters receive traces from the pipeline; tests and tools make them by hand. Cloning one copies
/// a pointer; changing one that is shared copies it first.
///
/// ```
/// use tailtrace::{Span, SpanId, Trace, TraceContext, TraceId};
/// let id = TraceId::new();
/// let mut trace = Trace::new(id);
/// trace.add_span(Span::new("checkout", TraceContext::new(id, SpanId::new())));
/// trace.finish();
/// assert_eq!(trace.span_count(), 1);
/// assert_eq!(trace.root().map(|root| root.operation_name()), Some("checkout"));
/// ```
#[derive(Clone)]
pub struct Trace(Arc<Inner>);

#[derive(Clone)]
struct Inner {
    head: TraceHead,
    store: SpanStore,
    /// The order of the spans by start time, where it is not the order they stand in.
    order: OnceLock<Option<Box<[u32]>>>,
    resource: Arc<Resource>,
    kept: Kept,
}

/// Why a trace was kept, and what that says about its likes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Kept {
    /// The policy that kept it.
    pub(crate) by: Cow<'static, str>,
    /// With which threshold it was kept; `None` when its probability is not known.
    pub(crate) threshold: Option<Threshold>,
    /// Whether the rest of the trace had been decided before.
    pub(crate) late: bool,
}

impl Inner {
    fn order(&self) -> Option<&[u32]> {
        let outlined = self.store.outlined(self.head.correction);
        self.order.get_or_init(|| order_of(outlined)).as_deref()
    }
}

impl Trace {
    /// A trace without spans, of a service without a name.
    #[must_use]
    pub fn new(trace_id: TraceId) -> Self {
        let resource = Arc::new(Resource::new("unknown_service"));
        let (head, store) = (TraceHead::made_by_hand(trace_id), SpanStore::default());
        let (order, kept) = (OnceLock::from(None), Kept::default());
        Self(Arc::new(Inner { head, store, order, resource, kept }))
    }

    /// Freezes what a recorder recorded.
    pub(crate) fn frozen(
        mut head: TraceHead,
        store: SpanStore,
        resource: Arc<Resource>,
        kept: Kept,
    ) -> Self {
        head.set_flags(head.flags().with_sampled(true));
        head.trace_state = head.trace_state.with_threshold(kept.threshold);
        // Spans of another tracer are not looked at before somebody asks for them.
        let order =
            if store.has_originals() { OnceLock::new() } else { OnceLock::from(order_of(&store)) };
        Self(Arc::new(Inner { head, store, order, resource, kept }))
    }

    /// This trace as made by another service.
    #[must_use]
    pub fn with_resource(mut self, resource: impl Into<Arc<Resource>>) -> Self {
        Arc::make_mut(&mut self.0).resource = resource.into();
        self
    }

    /// This trace with the flags and the trace state of a context, usually that of one of its spans.
    ///
    /// For traces that come from elsewhere. The threshold that the state carries is the one it was kept
    /// with; the ids and the baggage of the context are not looked at.
    #[must_use]
    pub fn with_context(mut self, context: &TraceContext) -> Self {
        let inner = Arc::make_mut(&mut self.0);
        inner.head.set_flags(context.flags);
        inner.head.trace_state = context.trace_state.clone();
        inner.kept.threshold = context.trace_state.threshold();
        self
    }

    /// This trace as if a policy had kept it.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn kept_as(
        mut self,
        by: Cow<'static, str>,
        threshold: Option<Threshold>,
        late: bool,
    ) -> Self {
        Arc::make_mut(&mut self.0).kept = Kept { by, threshold, late };
        self
    }

    /// The id its spans share.
    #[must_use]
    pub fn trace_id(&self) -> TraceId {
        self.0.head.trace_id
    }

    /// The service that made it.
    #[must_use]
    pub fn resource(&self) -> &Arc<Resource> {
        &self.0.resource
    }

    /// The name of the policy that kept it; empty for a trace made by hand.
    #[must_use]
    pub fn kept_by(&self) -> &str {
        &self.0.kept.by
    }

    /// The threshold it was kept with, from which a backend scales counts back up; `None` when its
    /// probability is not known.
    #[must_use]
    pub fn threshold(&self) -> Option<Threshold> {
        self.0.kept.threshold
    }

    /// Whether these are spans that ended after the rest of their trace had been decided.
    #[must_use]
    pub fn is_late(&self) -> bool {
        self.0.kept.late
    }

    /// The trace state its spans leave with.
    #[must_use]
    pub fn trace_state(&self) -> &TraceState {
        &self.0.head.trace_state
    }

    /// The bits every probabilistic decision about it compares with a threshold.
    #[must_use]
    pub fn randomness(&self) -> Randomness {
        self.0.head.randomness()
    }

    /// Adds a copy of a span; whichever trace id the span was made with, it now belongs here.
    pub fn add_span(&mut self, span: Span) {
        let inner = Arc::make_mut(&mut self.0);
        inner.store.own(inner.head.correction);
        let order = inner.order.take().unwrap_or_else(|| order_of(&inner.store));
        let (head, store) = span.parts();
        let shift = head.correction.saturating_sub(inner.head.correction);
        inner.store.copy_span(store, 0, shift);
        inner.order = OnceLock::from(order_with_last(&inner.store, order));
    }

    /// The span with this id.
    #[must_use]
    pub fn span(&self, id: SpanId) -> Option<SpanRef<'_>> {
        let index = self.0.store.outlined(self.0.head.correction).find(u32::MAX, id)?;
        SpanRef::new(&self.0.head, &self.0.store, index)
    }

    /// The span with this id, to be changed.
    pub fn span_mut(&mut self, id: SpanId) -> Option<SpanMut<'_>> {
        let inner = Arc::make_mut(&mut self.0);
        inner.store.own(inner.head.correction);
        let index = inner.store.find(u32::MAX, id)?;
        Some(SpanMut::new(&mut inner.store, inner.head.correction, index, &Limits::DEFAULT))
    }

    /// Its spans in the order they started.
    pub fn spans(&self) -> impl Iterator<Item = SpanRef<'_>> {
        let inner = &*self.0;
        let order = inner.order();
        let at = move |position: u32| match order {
            Some(order) => order.get(position as usize).copied(),
            None => Some(position),
        };
        (0..).map_while(move |position| SpanRef::new(&inner.head, &inner.store, at(position)?))
    }

    /// The first span whose parent is not among its spans.
    #[must_use]
    pub fn root(&self) -> Option<SpanRef<'_>> {
        self.view().root()
    }

    /// How many spans it has.
    #[must_use]
    pub fn span_count(&self) -> usize {
        self.0.store.len()
    }

    /// From the first start to the last end.
    #[must_use]
    pub fn total_duration(&self) -> Duration {
        self.view().duration()
    }

    /// Whether any span ended in an error.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.view().has_errors()
    }

    /// Whether it took at least `threshold` in all.
    #[must_use]
    pub fn is_slow(&self, threshold: Duration) -> bool {
        self.total_duration() >= threshold
    }

    /// Ends, now, every span that has not ended.
    pub fn finish(&mut self) {
        let inner = Arc::make_mut(&mut self.0);
        let now = Tick::at_wall(wall_now(), inner.head.correction);
        for index in (0..).take(inner.store.len()) {
            inner.store.finish_at(index, now);
        }
    }

    /// Its spans as another tracer made them, in no particular order; `None` when they were not made by the
    /// tracer whose spans are of this type, or the trace was changed since.
    ///
    /// For exporters that want such spans as they were: see [`Original`](super::Original).
    #[must_use]
    pub fn originals<S: super::Original>(&self) -> Option<&[S]> {
        self.0.store.originals_of()
    }

    /// The trace as a tail policy sees it, decided when its last span ended.
    #[must_use]
    pub fn view(&self) -> TraceView<'_> {
        let inner = &*self.0;
        let end = inner.store.times(inner.head.correction).map_or(Tick::default(), |(_, end)| end);
        TraceView::new(&inner.head, &inner.store, end)
    }

    /// The memory it takes, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        size_of::<Inner>()
            + self.0.store.bytes()
            + self.0.order.get().map_or(0, |order| order.as_deref().map_or(0, size_of_val))
    }
}

impl fmt::Debug for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trace")
            .field("trace_id", &self.trace_id())
            .field("root", &self.root().map(SpanRef::operation_name))
            .field("span_count", &self.span_count())
            .field("total_duration", &self.total_duration())
            .field("has_errors", &self.has_errors())
            .finish_non_exhaustive()
    }
}

/// The order by start time with the span that was added last, from the order of those before it. Traces
/// of many spans are added to span by span, and their spans may come children first.
fn order_with_last(store: &SpanStore, order: Option<Box<[u32]>>) -> Option<Box<[u32]>> {
    let spans = store.spans();
    let start = |index: u32| spans.get(index as usize).map(|span| span.start);
    let last = u32::try_from(spans.len().checked_sub(1)?).ok()?;
    if order.is_none() && start(last) >= last.checked_sub(1).and_then(start) {
        return None;
    }
    let mut order = order.map_or_else(|| (0..last).collect(), Vec::from);
    let at = order.partition_point(|index| start(*index) <= start(last));
    order.insert(at, last);
    Some(order.into_boxed_slice())
}

/// The order by start time, unless that is the order the spans stand in.
fn order_of(store: &SpanStore) -> Option<Box<[u32]>> {
    let spans = store.spans();
    if spans.is_sorted_by_key(|span| span.start) {
        return None;
    }
    let mut order: Box<[u32]> = (0..).take(spans.len()).collect();
    order.sort_by_key(|index| spans.get(*index as usize).map(|span| span.start));
    Some(order)
}

#[cfg(test)]
mod tests;
