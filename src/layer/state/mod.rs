//! The state of a layer.

mod context_bridge;
mod drafts;
mod own_spans;
mod records;
mod starts;

use std::sync::Arc;

use tracing::{Dispatch, span};

use super::blind_spots::BlindSpots;
use super::current_spans::CurrentSpans;
use super::deferred_decision::DeferredDecision;
use super::open_span::OpenSpan;
use super::options::RecordingOptions;
use super::recorders::Recorders;
use super::span_table::{SpanTable, is_own};
use super::subscriber_link::{self, SubscriberLink};
use crate::kit::internal_log::PendingWarnings;
use crate::record::{CarriedLimit, DraftHolder, Recorder, RecorderId, bridge};

/// What a layer, its handle and the look-up of spans share.
#[derive(Debug)]
pub(super) struct LayerState {
    pub(super) options: RecordingOptions,
    /// The spans of a registry, by its ids.
    spans: SpanTable,
    /// The spans that have ids of ours.
    own_spans: SpanTable,
    current: CurrentSpans,
    recorders: Recorders,
    subscriber: SubscriberLink,
    pub(super) blind_spots: BlindSpots,
}

impl LayerState {
    pub(super) fn new(
        recorder: Arc<Recorder>,
        options: RecordingOptions,
        warnings: Arc<PendingWarnings>,
    ) -> Arc<Self> {
        if options.inactivity {
            bridge::note_entering();
        }
        let state = Arc::new(Self {
            options,
            spans: SpanTable::default(),
            own_spans: SpanTable::default(),
            current: CurrentSpans::of_new_layer(),
            recorders: Recorders::new(Arc::clone(&recorder)),
            subscriber: SubscriberLink::default(),
            blind_spots: BlindSpots::new(warnings, &recorder),
        });
        state.register_drafts_with(&recorder);
        state
    }

    /// Lets the recorder settle the drafts of this layer when it shuts down.
    fn register_drafts_with(self: &Arc<Self>, recorder: &Recorder) {
        let this = Arc::downgrade(self);
        recorder.add_draft_holder(this);
    }

    pub(super) fn set_recorder(self: &Arc<Self>, recorder: Arc<Recorder>) {
        self.register_drafts_with(&recorder);
        self.recorders.replace(recorder);
    }

    /// How much of what requests say may be carried.
    pub(super) fn carried_limit(&self) -> CarriedLimit {
        CarriedLimit::of(&self.recorders.current().limits)
    }

    pub(super) fn set_dispatch(&self, dispatch: &Dispatch) {
        self.subscriber.set(dispatch);
    }

    /// Whether `dispatch` is known to be a subscriber that the layer is not part of, as `is_same` tells of two.
    pub(super) fn is_foreign(
        &self,
        dispatch: &Dispatch,
        is_same: impl Fn(&Dispatch, &Dispatch) -> bool,
    ) -> bool {
        self.subscriber.is_other(dispatch, is_same)
    }

    /// The table that a span with this id stands in.
    #[inline(always)]
    fn table_of(&self, id: u64) -> &SpanTable {
        if is_own(id) { &self.own_spans } else { &self.spans }
    }

    pub(super) fn contains(&self, id: u64) -> bool {
        self.table_of(id).contains(id)
    }

    /// Whether the thread is inside of a span of this layer.
    pub(super) fn is_entered(&self) -> bool {
        !self.current.is_empty()
    }

    /// Runs `work`, which must run no user code, on a span; `None` when the span is not open.
    #[inline]
    pub(super) fn with_span<R>(&self, id: u64, work: impl FnOnce(&mut OpenSpan) -> R) -> Option<R> {
        self.table_of(id).with(id, work)
    }

    /// The nearest open span among a span's ancestors, itself included, whatever filters say.
    pub(super) fn nearest(&self, id: &span::Id) -> Option<u64> {
        if self.contains(id.into_u64()) {
            return Some(id.into_u64());
        }
        self.subscriber.nearest(id, |id| self.contains(id))
    }

    /// The nearest open span among a span's ancestors, itself included, in the registry of `dispatch`.
    pub(super) fn nearest_in(&self, dispatch: &Dispatch, id: &span::Id) -> Option<u64> {
        subscriber_link::nearest_in(dispatch, id, |id| self.contains(id))
    }

    /// Marks a span as failed because a panic passes through it.
    #[cold]
    fn fail_by_panic(&self, id: u64) {
        self.with_span(id, OpenSpan::fail_by_panic);
    }

    /// Ends a span. A decision that its end calls for goes to `decision`.
    #[inline(always)]
    pub(super) fn close(&self, id: u64, decision: &mut Option<DeferredDecision>) {
        self.spans.close(id, decision);
    }
}

impl DraftHolder for LayerState {
    fn fail_by_panic(&self) {
        let fail = |id| {
            self.fail_by_panic(id);
            None::<()>
        };
        let _ = self.current.find_map(fail);
    }

    fn settle_drafts(&self, recorder: RecorderId) {
        for spans in [&self.spans, &self.own_spans] {
            for id in spans.ids_of(|span| span.is_draft_of(recorder)) {
                self.settle(id, None);
            }
        }
    }
}

impl Drop for LayerState {
    fn drop(&mut self) {
        // The thread that drops a layer may hold a lock that samplers and policies need, as `reload`
        // does, so they are asked later.
        for span in self.spans.drain().into_iter().chain(self.own_spans.drain()) {
            span.close_later();
        }
    }
}
