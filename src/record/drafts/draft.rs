//! A root whose parent may still change.

use std::borrow::Cow;
use std::sync::Arc;

use super::request::{DraftOutcome, DraftRequest};
use super::sampler_tags;
use crate::model::{Baggage, Incoming, SpanId, SpanKind, TraceContext};
use crate::record::local::{LocalTrace, Worth};
use crate::record::recorder::{Recorder, SpanStart, StartTime};
use crate::record::span::{ActiveSpan, RecordedSpan};
use crate::sampling::SamplingResult;
use crate::trace::SpanMut;
use crate::trace::header::TraceHeader;
use crate::trace::store::{NewSpan, SpanIndex};

/// A span that is recorded although no sampler was asked yet, because its parent, and with it
/// its trace, may still change.
///
/// It becomes an [`ActiveSpan`] in two steps, so that the sampler runs while the draft stays where
/// other threads find it: [`request`](Self::request), then [`settle`](Self::settle). Until then no
/// column of the ledger counts it; its memory counts as live.
#[derive(Debug)]
pub(crate) struct Draft {
    /// The local trace it will be the root of, to which only the draft refers.
    trace: Arc<LocalTrace<Recorder>>,
    id: SpanId,
}

/// What a root starts as.
#[derive(Debug)]
pub(crate) enum DraftStart {
    /// A draft.
    Draft(Draft),
    /// A span that is started already, because it is not recorded whatever its parent is.
    Started(ActiveSpan),
}

impl Draft {
    /// Starts a root whose parent may still change; where it would not be recorded whatever its parent
    /// is, it is no draft.
    pub(crate) fn start(recorder: &Arc<Recorder>, name: &'static str) -> DraftStart {
        if recorder.refusal().is_some() || recorder.drops_everything() {
            return DraftStart::Started(recorder.start(SpanStart::new(Cow::Borrowed(name))));
        }
        let header = recorder.header_of(None, recorder.clock.correction());
        let mut memory = recorder.traces.acquire(header.trace_id);
        let id = SpanId::random(&recorder.random);
        let root = NewSpan {
            id,
            parent: None,
            start: recorder.clock.now(),
            name: Cow::Borrowed(name),
            kind: SpanKind::Internal,
        };
        match memory.store.recorded_mut().push_span(root, &recorder.limits.span) {
            Ok(_) => DraftStart::Draft(Self::new(memory.into_trace(recorder, header), id)),
            // Only a limit that allows no trace at all refuses a root: starting it counts that.
            Err(root) => DraftStart::Started(recorder.start(SpanStart::new(root.name))),
        }
    }

    /// A draft that is the root of `trace`, to which nothing else refers.
    pub(super) fn new(trace: Arc<LocalTrace<Recorder>>, id: SpanId) -> Self {
        let traces = &trace.owner.traces;
        traces.count_trace();
        traces.count_bytes(&mut trace.lock());
        Self { trace, id }
    }

    /// Makes its trace outlive less valuable ones at a limit.
    pub(super) fn mark_worth_keeping(&self) {
        self.trace.mark_worth_keeping();
    }

    /// Writes into the draft. True when that took the recorder beyond its limits: the draft has to be
    /// settled, because only what is registered can be weighed and evicted.
    pub(crate) fn write(&mut self, write: impl FnOnce(&mut SpanMut<'_>)) -> bool {
        let recorder = &*self.trace.owner;
        let mut live = self.trace.lock();
        let correction = self.trace.header.correction;
        let mut span = SpanMut::new(
            live.store.recorded_mut(),
            correction,
            SpanIndex::FIRST,
            &recorder.limits.span,
        );
        write(&mut span);
        if span.has_failed() {
            self.trace.mark_worth_keeping();
        }
        let has_grown = live.has_uncounted_bytes();
        if has_grown {
            recorder.traces.count_bytes(&mut live);
        }
        has_grown && recorder.is_crowded()
    }

    pub(crate) fn recorder(&self) -> &Arc<Recorder> {
        &self.trace.owner
    }

    /// Its ids, for a caller that asks while the sampler is being asked about it: more is not known yet.
    pub(crate) fn provisional_context(&self) -> TraceContext {
        TraceContext::new(self.trace.trace_id(), self.id)
    }

    /// What is to be found out before it can start, under the parent or with the baggage that is
    /// `incoming`.
    pub(crate) fn request(&self, incoming: Option<&Incoming>) -> Option<DraftRequest> {
        let live = self.trace.lock();
        let records = live.store.outlines(self.trace.header.correction);
        let record = records.span(SpanIndex::FIRST)?;
        Some(DraftRequest {
            recorder: Arc::clone(&self.trace.owner),
            trace_id: self.trace.trace_id(),
            parent: incoming.and_then(|incoming| incoming.clone().into_context()),
            baggage: incoming.map(|incoming| incoming.baggage.clone()).unwrap_or_default(),
            name: records.owned_name(record),
            kind: record.kind,
            tags: sampler_tags::acquire(records.keyed_tags(record)),
            links: records.owned_links(SpanIndex::FIRST).collect(),
        })
    }

    /// Starts it as the outcome says. Asks no sampler.
    pub(crate) fn settle(mut self, outcome: DraftOutcome) -> ActiveSpan {
        match outcome {
            DraftOutcome::JoinParent(parent) => self.join(&parent),
            DraftOutcome::Unrecorded(header, reason, baggage) => {
                self.trace.owner.unrecorded_root(Some(self.id), reason, &header, baggage)
            }
            DraftOutcome::Record(mut header, answer, parent, baggage) => {
                if answer.is_sampled() {
                    header.sample(answer.threshold);
                }
                self.record(header, answer, parent, baggage)
            }
        }
    }

    fn join(&mut self, parent: &TraceContext) -> ActiveSpan {
        let recorder = &self.trace.owner;
        // Out of the lock of the draft, because the parent's is taken meanwhile.
        let store = recorder.traces.take_spans(&mut self.trace.lock());
        let records = store.outlines(self.trace.header.correction);
        let mut start = SpanStart::under(Cow::Borrowed(""), parent);
        if let Some(record) = records.span(SpanIndex::FIRST) {
            start.name = records.owned_name(record);
            start.kind = record.kind;
            start.start = Some(StartTime::At(record.start));
        }
        let span = recorder.start(start);
        if self.trace.is_worth_keeping() {
            span.record_failed();
        }
        span.write(|span| span.copy_details(records, SpanIndex::FIRST));
        self.trace.lock().store = store;
        span
    }

    fn record(
        &mut self,
        header: TraceHeader,
        answer: SamplingResult,
        parent: Option<TraceContext>,
        baggage: Baggage,
    ) -> ActiveSpan {
        let recorder = Arc::clone(&self.trace.owner);
        let is_remote = parent.as_ref().is_some_and(|parent| parent.is_remote);
        let parent = parent.map(|parent| parent.span_id);
        let mut worth = Worth::of_new(&header);
        worth.is_worth_keeping |= self.trace.is_worth_keeping();
        // The draft was counted itself, so there will be no trace more than now.
        if let Err(reason) = recorder.traces.make_room(worth, 0) {
            return recorder.unrecorded_root(Some(self.id), Some(reason), &header, baggage);
        }
        let trace = Arc::get_mut(&mut self.trace);
        debug_assert!(trace.is_some(), "only the draft refers to its trace");
        if let Some(trace) = trace {
            let records = trace.lock_mut().store.recorded_mut();
            records.set_parent(SpanIndex::FIRST, parent);
            records.set_parent_remote(SpanIndex::FIRST, is_remote);
            for (key, value) in answer.tags {
                let limits = &recorder.limits.span;
                records.set_tag(SpanIndex::FIRST, key, value.as_ref(), limits);
            }
            if header.is_sampled() {
                trace.mark_worth_keeping();
            }
            trace.header = header;
        }
        recorder.ledger.started(1);
        let span = RecordedSpan::new(Arc::clone(&self.trace), self.id, SpanIndex::FIRST, baggage);
        recorder.traces.register_draft(&self.trace);
        ActiveSpan::Recorded(span)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // The span that it has become refers to the trace; then the trace is registered and stays.
        let Some(trace) = Arc::get_mut(&mut self.trace) else { return };
        let id = trace.trace_id();
        let recorder = Arc::clone(&trace.owner);
        let store = recorder.traces.take_spans(trace.lock_mut());
        recorder.traces.uncount_trace();
        recorder.traces.release_store(id, store);
        self.trace.release();
    }
}
