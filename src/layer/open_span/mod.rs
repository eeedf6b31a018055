//! An open span, from the draft to its end.

mod ending;
mod settling;

use std::sync::Arc;

use tracing::Metadata;

use crate::layer::fields::ValueLimit;
use crate::layer::measurements::Measurements;
use crate::layer::options::RecordingOptions;
use crate::model::{Baggage, TraceContext, TraceId};
use crate::record::bridge::BridgedSpan;
use crate::record::{ActiveSpan, CompletedTrace, Draft, Recorder, RecorderId};
use crate::time::Tick;
use crate::trace::SpanMut;

/// A span that has not closed. All its methods may run under a lock: none runs user code.
#[derive(Debug)]
pub(in crate::layer) struct OpenSpan {
    state: SpanState,
    /// The callsite that the span comes from, which tells it from a span of another registry with the
    /// same id.
    metadata: &'static Metadata<'static>,
    /// Whether the span has children or its ids were read, so that its parent cannot change any more.
    is_parent_final: bool,
    /// How many handles the program has of a span with an id of ours; a registry counts those of its spans. The
    /// table counts those beyond the most that fit here.
    handles: u16,
    measurements: Option<Box<Measurements>>,
    /// What the table finds the span by, kept here because there is room.
    id_rest: u32,
}

/// What the recorder has of a span.
#[derive(Debug)]
enum SpanState {
    /// The sampler has not been asked.
    Draft(Draft),
    Started(ActiveSpan),
    /// A method is moving the span from one state to another, or the span has closed.
    Moving,
}

/// The moment of a write, and how much of a value is kept.
#[derive(Clone, Copy, Debug)]
pub(in crate::layer) struct WriteTerms {
    pub(in crate::layer) now: Tick,
    pub(in crate::layer) limit: ValueLimit,
}

/// What came of the attempt to take a span out of its trace.
pub(in crate::layer) enum Detachment {
    /// The span is a draft. The trace that it left may be complete.
    Draft(Option<CompletedTrace<Recorder>>),
    /// The span is not recorded and has to be started anew.
    Unrecorded,
    /// The span stays: its ids are known, or it is beyond its trace's limit.
    Refused,
}

/// What the contexts of OpenTelemetry are shown of a span.
pub(in crate::layer) enum ContextView {
    /// The span's ids are not settled.
    Draft,
    /// The thread is inside of the same dropped trace already, so showing this span changes nothing.
    Redundant,
    Span(BridgedSpan),
}

impl OpenSpan {
    #[inline(always)]
    fn new(state: SpanState, metadata: &'static Metadata<'static>) -> Self {
        Self { state, metadata, is_parent_final: false, handles: 1, measurements: None, id_rest: 0 }
    }

    #[inline]
    pub(in crate::layer) fn draft(draft: Draft, metadata: &'static Metadata<'static>) -> Self {
        Self::new(SpanState::Draft(draft), metadata)
    }

    #[inline(always)]
    pub(in crate::layer) fn started(
        span: ActiveSpan,
        metadata: &'static Metadata<'static>,
    ) -> Self {
        Self::new(SpanState::Started(span), metadata)
    }

    /// The part of the span's id that its place in the table does not say.
    #[inline(always)]
    pub(in crate::layer) fn id_rest(&self) -> u32 {
        self.id_rest
    }

    #[inline(always)]
    pub(in crate::layer) fn set_id_rest(&mut self, id_rest: u32) {
        self.id_rest = id_rest;
    }

    /// Counts one more handle; false, without counting it, when no more fit.
    #[inline(always)]
    pub(in crate::layer) fn add_handle(&mut self) -> bool {
        let (handles, is_over) = self.handles.overflowing_add(1);
        if !is_over {
            self.handles = handles;
        }
        !is_over
    }

    /// Takes one handle off, of two or more.
    pub(in crate::layer) fn remove_handle(&mut self) {
        debug_assert!(self.handles > 1, "the last handle ends the span");
        self.handles = self.handles.saturating_sub(1);
    }

    #[inline(always)]
    pub(in crate::layer) fn has_one_handle(&self) -> bool {
        self.handles == 1
    }

    #[inline(always)]
    pub(in crate::layer) fn metadata(&self) -> &'static Metadata<'static> {
        self.metadata
    }

    pub(in crate::layer) fn measurements(&mut self) -> Option<&mut Measurements> {
        self.measurements.as_deref_mut()
    }

    /// Refuses another parent from now on, because the span's ids are about to be read.
    pub(in crate::layer) fn finalize_parent(&mut self) {
        self.is_parent_final = true;
    }

    /// Starts a child, whose id has this rest; `None` when the span has to be settled first, or came with a fork: then
    /// the child's start runs code of the program.
    #[inline(always)]
    pub(in crate::layer) fn start_child(
        &mut self,
        metadata: &'static Metadata<'static>,
        id_rest: u32,
    ) -> Option<Self> {
        if matches!(self.state, SpanState::Draft(_)) {
            self.settle_unasked();
        }
        let SpanState::Started(span) = &self.state else { return None };
        self.is_parent_final = true;
        let child = Self::started(span.child_without_user_code(metadata.name())?, metadata);
        Some(Self { id_rest, ..child })
    }

    /// The context of a span that came with a fork and has started.
    pub(in crate::layer) fn inherited_context(&self) -> Option<TraceContext> {
        let SpanState::Started(span) = &self.state else { return None };
        span.recorder().filter(|recorder| recorder.is_inherited()).map(|_| span.context())
    }

    #[inline(always)]
    fn recorder(&self) -> Option<&Arc<Recorder>> {
        match &self.state {
            SpanState::Draft(draft) => Some(draft.recorder()),
            SpanState::Started(span) => span.recorder(),
            SpanState::Moving => None,
        }
    }

    /// How much of a value is kept; `None` when nothing is.
    #[inline(always)]
    pub(in crate::layer) fn value_limit(&self) -> Option<ValueLimit> {
        let recorder = self.recorder()?;
        Some(ValueLimit::of_bytes(recorder.limits.span.most_bytes()))
    }

    /// What a write needs to know before the lock is taken again; `None` when nothing is kept.
    #[inline]
    pub(in crate::layer) fn write_terms(&self) -> Option<WriteTerms> {
        let recorder = self.recorder()?;
        let limit = ValueLimit::of_bytes(recorder.limits.span.most_bytes());
        Some(WriteTerms { now: recorder.clock.now(), limit })
    }

    /// Writes into the span's record.
    #[inline]
    pub(in crate::layer) fn write(&mut self, write: impl FnOnce(&mut SpanMut<'_>)) {
        match &mut self.state {
            SpanState::Draft(draft) => draft.write(write),
            SpanState::Started(span) => _ = span.write(write),
            SpanState::Moving => {}
        }
    }

    /// The baggage that the span hands on.
    pub(in crate::layer) fn baggage(&self) -> Option<&Baggage> {
        if let SpanState::Started(span) = &self.state { Some(span.baggage()) } else { None }
    }

    /// Replaces the baggage of a span that has started.
    pub(in crate::layer) fn set_baggage(&mut self, baggage: Baggage) {
        if let SpanState::Started(span) = &mut self.state {
            span.set_baggage(baggage);
        }
    }

    /// Makes room for a span beyond its trace's limit, before a write that says that it has failed.
    pub(in crate::layer) fn record_failed(&self) {
        if let SpanState::Started(span) = &self.state {
            span.record_failed();
        }
    }

    /// Begins to measure the span, if it is recorded.
    #[cold]
    pub(in crate::layer) fn start_measurements(&mut self, options: &RecordingOptions) {
        if options.measures_spans()
            && let Some(WriteTerms { now, .. }) = self.write_terms()
        {
            self.measurements = Some(Box::new(Measurements::new(now, options)));
        }
    }

    /// What the span tells the next, without settling it: the ids of a draft are those it has while its
    /// sampler is being asked.
    pub(in crate::layer) fn context(&self) -> Option<TraceContext> {
        match &self.state {
            SpanState::Started(span) => Some(span.context()),
            SpanState::Draft(draft) => Some(draft.provisional_context()),
            SpanState::Moving => None,
        }
    }

    /// What the contexts of OpenTelemetry are shown. `is_in_dropped` says whether the thread is inside of
    /// this trace already, where it is not recorded.
    pub(in crate::layer) fn context_view(
        &self,
        is_in_dropped: impl FnOnce(TraceId) -> bool,
    ) -> ContextView {
        let SpanState::Started(span) = &self.state else { return ContextView::Draft };
        let dropped = span.dropped_trace();
        if dropped.is_some_and(is_in_dropped) {
            return ContextView::Redundant;
        }
        let context = span.context();
        let writer = span.writer();
        ContextView::Span(BridgedSpan { context, writer, is_dropped: dropped.is_some() })
    }

    /// Whether the span is a draft of this recorder.
    pub(in crate::layer) fn is_draft_of(&self, recorder: RecorderId) -> bool {
        match &self.state {
            SpanState::Draft(draft) => draft.recorder().id() == recorder,
            SpanState::Started(_) | SpanState::Moving => false,
        }
    }

    /// Whether the span is not recorded, so that a child need not be made; one that is a span is counted all the same.
    #[inline(always)]
    pub(in crate::layer) fn skips_child(&self, is_span: bool) -> bool {
        let SpanState::Started(ActiveSpan::Unrecorded(span)) = &self.state else { return false };
        if is_span {
            span.count_skipped_child();
        }
        true
    }

    /// Whether the span is not recorded.
    #[inline(always)]
    pub(in crate::layer) fn is_unrecorded(&self) -> bool {
        matches!(self.state, SpanState::Started(ActiveSpan::Unrecorded(_)))
    }
}
