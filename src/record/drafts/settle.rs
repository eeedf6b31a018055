//! What becomes of a draft once that is known.

use std::borrow::Cow;
use std::sync::Arc;

use super::draft::{Draft, evicted};
use super::request::DraftOutcome;
use crate::ledger::Reason;
use crate::model::{Baggage, Limits, SpanId, TagValue, TraceContext};
use crate::record::local::{LocalTrace, Phase};
use crate::record::recorder::{Recorder, SpanStart, StartTime};
use crate::record::span::{ActiveSpan, RecordedSpan};
use crate::sampling::SamplingResult;
use crate::trace::header::TraceHeader;
use crate::trace::store::{RecordedSpans, SpanIndex, SpanStore};

impl Draft {
    /// Starts it as the outcome says. Asks no sampler.
    pub(crate) fn settle(mut self, outcome: DraftOutcome) -> ActiveSpan {
        match outcome {
            DraftOutcome::JoinParent(parent) => self.join(&parent),
            DraftOutcome::Unrecorded(header, reason, baggage) => match self.take_store() {
                Err(Gone::Sent) => self.sent(),
                Err(Gone::Evicted(evicted)) => self.unrecorded(Some(evicted), &header, baggage),
                Ok(_) => self.unrecorded(reason, &header, baggage),
            },
            DraftOutcome::Record(mut header, answer, parent, baggage) => {
                if answer.is_sampled() {
                    let recorder = &self.trace.owner;
                    recorder.mark_sampled(&mut header, answer.threshold, parent.as_ref());
                }
                self.record(header, answer, parent, baggage)
            }
        }
    }

    /// Takes it out of the account and off the list, as if it had never started, and gives its record to the caller. Where
    /// it was evicted, its span stands in the account already, until a span that is not recorded stands there for it.
    pub(super) fn take_store(&mut self) -> Result<SpanStore, Gone> {
        self.is_settled = true;
        let recorder = &*self.trace.owner;
        if recorder.is_inherited() {
            return Err(Gone::Evicted(Reason::ShutDown));
        }
        let mut live = self.trace.lock();
        if matches!(live.phase, Phase::Kept(_)) {
            return Err(Gone::Sent);
        }
        recorder.ledger.not_started_yet(1);
        if let Some(reason) = evicted(&live) {
            recorder.ledger.not_dropped(reason, 1);
            return Err(Gone::Evicted(reason));
        }
        live.store.recorded_mut().forget_part(SpanIndex::FIRST);
        let store = recorder.traces.take_spans(&mut live);
        live.open = 0;
        live.phase = Phase::Dropped(Reason::NotKept);
        let unused = recorder.traces.unregister(&self.trace, &mut live);
        drop(live);
        drop(unused);
        Ok(store)
    }

    /// The span of a draft that was sent: a root that has ended.
    fn sent(&self) -> ActiveSpan {
        let trace = Arc::clone(&self.trace);
        let span = RecordedSpan::new(trace, self.id, SpanIndex::FIRST, Baggage::new());
        ActiveSpan::Recorded(span)
    }

    fn unrecorded(
        &self,
        reason: Option<Reason>,
        header: &TraceHeader,
        baggage: Baggage,
    ) -> ActiveSpan {
        self.trace.owner.unrecorded_root(Some(self.id), reason, header, baggage)
    }

    fn join(&mut self, parent: &TraceContext) -> ActiveSpan {
        let recorder = Arc::clone(&self.trace.owner);
        let store = match self.take_store() {
            Ok(store) => store,
            Err(Gone::Sent) => return self.sent(),
            Err(Gone::Evicted(reason)) => {
                let header = recorder.header_below(parent, self.trace.header.correction);
                return self.unrecorded(Some(reason), &header, parent.baggage.clone());
            }
        };
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
        recorder.traces.release_store(&self.trace, store);
        span
    }

    fn record(
        &mut self,
        header: TraceHeader,
        answer: SamplingResult,
        parent: Option<TraceContext>,
        baggage: Baggage,
    ) -> ActiveSpan {
        let root = RootDetails {
            parent: parent.as_ref().map(|parent| parent.span_id),
            is_remote: parent.as_ref().is_some_and(|parent| parent.is_remote),
            tags: answer.tags,
        };
        // What the draft began with holds for most roots: they have no parent, and the head answers as expected.
        let is_as_begun = parent.is_none() && header.sampled() == self.trace.header.sampled();
        let settled =
            if is_as_begun { self.record_here(root) } else { self.move_to(&header, root) };
        match settled {
            Ok(trace) => {
                let id = self.id;
                trace.owner.traces.count_baggage_of(&trace, &baggage);
                ActiveSpan::Recorded(RecordedSpan::new(trace, id, SpanIndex::FIRST, baggage))
            }
            Err(reason) => self.unrecorded(Some(reason), &header, baggage),
        }
    }

    /// Goes on in the trace that it has begun.
    fn record_here(&mut self, root: RootDetails) -> Result<Arc<LocalTrace<Recorder>>, Reason> {
        let recorder = Arc::clone(&self.trace.owner);
        let mut live = self.trace.lock();
        if let Some(reason) = evicted(&live) {
            drop(live);
            // The caller enters a span that is not recorded in its place.
            let _ = self.take_store();
            return Err(reason);
        }
        self.is_settled = true;
        root.write(live.store.recorded_mut(), &recorder.limits.span);
        recorder.traces.unlock(&self.trace, live, false);
        Ok(Arc::clone(&self.trace))
    }

    /// Goes on in a trace with another header.
    fn move_to(
        &mut self,
        header: &TraceHeader,
        root: RootDetails,
    ) -> Result<Arc<LocalTrace<Recorder>>, Reason> {
        let recorder = Arc::clone(&self.trace.owner);
        let mut store = match self.take_store() {
            Ok(store) => store,
            Err(Gone::Evicted(reason)) => return Err(reason),
            Err(Gone::Sent) => return Ok(Arc::clone(&self.trace)),
        };
        root.write(store.recorded_mut(), &recorder.limits.span);
        let trace = recorder.traces.acquire_around(&recorder, header.clone(), store);
        if self.trace.is_worth_keeping() {
            trace.mark_worth_keeping();
        }
        recorder.ledger.started(1);
        recorder.traces.register(&trace);
        Ok(trace)
    }
}

/// Why a draft has no record any more.
pub(super) enum Gone {
    Evicted(Reason),
    /// A request to send what is open has sent the draft's span as well, as a root, which the account counts.
    Sent,
}

/// What a root that settles has besides what its draft had.
struct RootDetails {
    parent: Option<SpanId>,
    is_remote: bool,
    tags: Vec<(Cow<'static, str>, TagValue)>,
}

impl RootDetails {
    fn write(self, records: &mut RecordedSpans, limits: &Limits) {
        records.set_parent(SpanIndex::FIRST, self.parent);
        records.set_parent_remote(SpanIndex::FIRST, self.is_remote);
        for (key, value) in self.tags {
            records.set_tag(SpanIndex::FIRST, key, value.as_ref(), limits);
        }
    }
}
