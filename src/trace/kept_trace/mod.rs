//! The spans of one trace that finished in this process.

pub(crate) mod notes;
mod order;
mod outgoing_state;
pub(crate) mod packed;
mod parts;
mod redacted;

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::header::TraceHeader;
use super::store::{SpanIndex, SpanStore};
use super::{Original, Span, SpanMut, SpanRef, TraceView};
use crate::model::{
    Limits, Randomness, Resource, SpanId, Threshold, TraceContext, TraceId, TraceState,
};
use crate::time::{Tick, wall_now};
use order::SpanOrder;
use outgoing_state::{outgoing_state, state_bytes};

/// The memory of a trace beside its data: what counts the references to it, and its place in a queue.
// A burst of a hundred thousand traces of one bare span fits the default limit of a queue with this.
const PLACE: usize = 10 * size_of::<usize>();

/// The spans of one trace id that finished in this process together.
///
/// Exporters receive traces from the pipeline; tests and tools make them by hand. Cloning a trace copies a pointer;
/// changing a trace that is shared copies its spans first.
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
pub struct Trace(Arc<TraceData>);

#[derive(Clone)]
struct TraceData {
    header: TraceHeader,
    store: SpanStore,
    /// Found at the first look at the spans, which is the delivery's: the thread that ends the last of a million
    /// spans does not look at them all.
    order: OnceLock<SpanOrder>,
    resource: Arc<Resource>,
    reason: KeepReason,
}

/// Why a trace was kept, and what that says about traces like it.
#[derive(Clone, Debug, Default)]
pub(crate) struct KeepReason {
    /// The name of the policy that kept the trace.
    pub(crate) policy: Cow<'static, str>,
    /// The threshold with which the trace was kept; `None` when its probability is not known.
    pub(crate) threshold: Option<Threshold>,
    /// Whether the rest of the trace had been decided before.
    pub(crate) is_late: bool,
    /// Whether other spans of the trace were decided, or are sent, apart from these.
    pub(crate) is_part: bool,
    /// Whether some of these spans had not ended when they were sent.
    pub(crate) is_unfinished: bool,
    /// Whether backends are told nothing of all this.
    pub(crate) is_hidden: bool,
}

impl TraceData {
    fn order(&self) -> &SpanOrder {
        let outlines = self.store.outlines(self.header.correction);
        self.order.get_or_init(|| SpanOrder::of(outlines))
    }
}

impl Trace {
    /// Makes a trace without spans, of a service without a name.
    #[must_use]
    pub fn new(trace_id: TraceId) -> Self {
        Self(Arc::new(TraceData {
            header: TraceHeader::made_by_hand(trace_id),
            store: SpanStore::default(),
            order: OnceLock::from(SpanOrder::default()),
            resource: Arc::new(Resource::new("unknown_service")),
            reason: KeepReason::default(),
        }))
    }

    /// Freezes the spans of a recorder.
    pub(crate) fn frozen(
        mut header: TraceHeader,
        store: SpanStore,
        resource: Arc<Resource>,
        reason: KeepReason,
    ) -> Self {
        header.set_flags(header.flags().with_sampled(true));
        header.trace_state = outgoing_state(&header.trace_state, reason.threshold);
        let order = OnceLock::new();
        let data = TraceData { header, store, order, resource, reason };
        Self(Arc::new(data))
    }

    /// Sets the service that made the trace.
    #[must_use]
    pub fn with_resource(mut self, resource: impl Into<Arc<Resource>>) -> Self {
        Arc::make_mut(&mut self.0).resource = resource.into();
        self
    }

    /// Sets the trace's flags and trace state to those of a context, usually that of one of its spans.
    ///
    /// For traces that come from elsewhere. The threshold in the state becomes the one the trace was kept with; the
    /// ids and the baggage of the context are not looked at.
    #[must_use]
    pub fn with_context(mut self, context: &TraceContext) -> Self {
        let data = Arc::make_mut(&mut self.0);
        data.header.set_flags(context.flags);
        data.header.trace_state = context.trace_state.clone();
        data.reason.threshold = context.trace_state.threshold();
        self
    }

    /// Makes the trace one that a policy kept.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn with_reason(mut self, reason: KeepReason) -> Self {
        Arc::make_mut(&mut self.0).reason = reason;
        self
    }

    /// The trace id that the spans share.
    #[must_use]
    pub fn trace_id(&self) -> TraceId {
        self.0.header.trace_id
    }

    /// The service that made the trace.
    #[must_use]
    pub fn resource(&self) -> &Arc<Resource> {
        &self.0.resource
    }

    /// The trace state with which the spans leave.
    #[must_use]
    pub fn trace_state(&self) -> &TraceState {
        &self.0.header.trace_state
    }

    /// The bits that every probabilistic decision about the trace compares with a threshold.
    #[must_use]
    pub fn randomness(&self) -> Randomness {
        self.0.header.randomness()
    }

    /// Adds a copy of a span. The trace id that the span was made with does not matter: it belongs to this trace now.
    pub fn add_span(&mut self, span: Span) {
        let data = Arc::make_mut(&mut self.0);
        let correction = data.header.correction;
        let records = data.store.make_recorded(correction);
        let order = data.order.take().unwrap_or_else(|| SpanOrder::of(records));
        let shift = span.header().correction.since(correction);
        records.copy_span(span.records(), SpanIndex::FIRST, shift);
        data.order = OnceLock::from(order.with_last(records));
    }

    /// Reads the span with this id.
    #[must_use]
    pub fn span(&self, id: SpanId) -> Option<SpanRef<'_>> {
        let data = &*self.0;
        let index = data.store.outlines(data.header.correction).find(SpanIndex::LAST, id)?;
        SpanRef::new(&data.header, &data.store, index)
    }

    /// Lends the writer of the span with this id.
    pub fn span_mut(&mut self, id: SpanId) -> Option<SpanMut<'_>> {
        let data = Arc::make_mut(&mut self.0);
        let correction = data.header.correction;
        let records = data.store.make_recorded(correction);
        let index = records.find(SpanIndex::LAST, id)?;
        Some(SpanMut::new(records, correction, index, &Limits::DEFAULT))
    }

    /// Reads the spans in the order they started.
    pub fn spans(&self) -> impl Iterator<Item = SpanRef<'_>> {
        let data = &*self.0;
        let order = data.order();
        (0..)
            .map_while(move |position| SpanRef::new(&data.header, &data.store, order.at(position)?))
    }

    /// The first span whose parent is not a span of the trace.
    #[must_use]
    pub fn root(&self) -> Option<SpanRef<'_>> {
        self.view().root()
    }

    /// The number of spans.
    #[must_use]
    pub fn span_count(&self) -> usize {
        self.0.store.len()
    }

    /// The time from the first start to the last end.
    #[must_use]
    pub fn duration(&self) -> Duration {
        self.view().duration()
    }

    /// Whether any span has [failed](SpanRef::failed).
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.0.store.has_errors()
    }

    /// Whether the trace's [`duration`](Self::duration) is at least `threshold`.
    #[must_use]
    pub fn is_slow(&self, threshold: Duration) -> bool {
        self.duration() >= threshold
    }

    /// Ends every span that has not ended, at the present time.
    pub fn finish(&mut self) {
        let data = Arc::make_mut(&mut self.0);
        let now = Tick::at_wall(wall_now(), data.header.correction);
        // Spans of another tracer have ended when they arrive.
        data.store.recorded_mut().finish_all_at(now);
    }

    /// The spans as another tracer made them, in no particular order; `None` when they are not of this type, or the
    /// trace was changed since.
    ///
    /// For exporters that take such spans as they were: see [`Original`].
    #[must_use]
    pub fn originals<S: Original>(&self) -> Option<&[S]> {
        self.0.store.originals()
    }

    /// Takes the spans out as another tracer made them, in no particular order. They are moved where nothing else refers
    /// to the trace, and copied otherwise.
    ///
    /// # Errors
    /// Gives the trace back when its spans are not of this type, or it was changed since.
    pub fn into_originals<S: Original>(mut self) -> Result<Vec<S>, Self> {
        let alone = Arc::get_mut(&mut self.0).and_then(|data| data.store.take_originals());
        let taken = alone.or_else(|| self.originals().map(<[S]>::to_vec));
        taken.ok_or(self)
    }

    /// The trace as a tail policy sees it, decided when its last span ended.
    #[must_use]
    pub fn view(&self) -> TraceView<'_> {
        let data = &*self.0;
        let times = data.store.times(data.header.correction);
        let end = times.map_or(Tick::default(), |(_, end)| end);
        TraceView::new(&data.header, &data.store, end).as_part(data.reason.is_part)
    }

    /// The memory that the trace takes, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let order = self.0.order.get().map_or(0, SpanOrder::bytes);
        let state = state_bytes(&self.0.header.trace_state);
        PLACE + size_of::<TraceData>() + self.0.store.bytes() + state + order
    }
}

impl fmt::Debug for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trace")
            .field("trace_id", &self.trace_id())
            .field("root", &self.root().map(SpanRef::operation_name))
            .field("span_count", &self.span_count())
            .field("duration", &self.duration())
            .field("has_errors", &self.has_errors())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
