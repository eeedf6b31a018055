//! Starting spans.

use std::borrow::Cow;
use std::sync::Arc;

use super::span_start::SpanStart;
use super::{LocalParent, Recorder};
use crate::kit::reentrancy;
use crate::ledger::Reason;
use crate::model::{Baggage, SpanId, SpanKind, TraceContext, TraceFlags, TraceId, TraceState};
use crate::record::carrying::CarriedLimit;
use crate::record::local::{LocalTrace, Phase};
use crate::record::span::{ActiveSpan, RecordedSpan, UnrecordedSpan, UnrecordedTrace};
use crate::sampling::{SamplingDecision, SamplingRequest, SamplingResult};
use crate::time::{ClockCorrection, Tick};
use crate::trace::header::TraceHeader;
use crate::trace::store::{NewSpan, RecordedSpans, SpanIndex};

impl Recorder {
    /// Starts a span: in the local trace of its parent, or as the root of a new one.
    pub(crate) fn start(self: &Arc<Self>, new: SpanStart<'_>) -> ActiveSpan {
        if let Some(parent) = new.parent {
            match self.local_parent(parent) {
                Some(LocalParent::Recorded(trace)) => {
                    return self.start_in(&trace, parent.span_id, new);
                }
                Some(LocalParent::Unrecorded(unrecorded)) if self.records() => {
                    let state = parent.trace_state.clone();
                    let reason = unrecorded.reason();
                    let same = self.unrecorded.trace(reason, parent.flags, state, new.baggage);
                    return ActiveSpan::Unrecorded(UnrecordedSpan::new(parent.trace_id, same));
                }
                _ => {}
            }
        }
        self.start_root(new)
    }

    fn start_root(self: &Arc<Self>, mut new: SpanStart<'_>) -> ActiveSpan {
        if !new.baggage.is_empty() {
            new.baggage = CarriedLimit::of(&self.limits).baggage(new.baggage);
        }
        if !self.records() {
            return self.pass_on(new);
        }
        if !new.baggage.is_empty() {
            new.tags.extend(self.baggage_tags.of_root(&new.baggage));
        }
        let correction = self.clock.correction();
        let mut header = self.header_of(new.parent, correction);
        if let Some(reason) = self.refusal() {
            return self.unrecorded_root(None, Some(reason), &header, new.baggage);
        }
        let now = self.clock.now();
        let answer = self.ask_head(&header, &new, now);
        // The sampler may have taken its time, or shut the pipeline down itself.
        if self.is_closed() {
            return self.unrecorded_root(None, Some(Reason::ShutDown), &header, new.baggage);
        }
        if answer.decision == SamplingDecision::Drop {
            return self.unrecorded_root(None, None, &header, new.baggage);
        }
        if answer.is_sampled() {
            header.sample(self.claims.checked(answer.threshold, new.parent, &self.ledger));
            if new.parent.is_some_and(|parent| parent.is_remote && parent.is_sampled()) {
                header.mark_followed();
            }
        }
        if let Err(reason) = self.traces.make_room(&header) {
            return self.unrecorded_root(None, Some(reason), &header, new.baggage);
        }
        let start = new.start.map_or(now, |start| start.tick(correction));
        self.record_root(header, start, new, answer)
    }

    /// A span that only stands for its caller, whose decision goes on as it came.
    #[cold]
    fn pass_on(&self, new: SpanStart<'_>) -> ActiveSpan {
        let Some(caller) = new.parent else {
            let header = self.header_of(None, self.clock.correction());
            return self.unrecorded_root(None, None, &header, new.baggage);
        };
        let unrecorded = UnrecordedTrace::of_caller(&self.ledger, caller, new.baggage);
        ActiveSpan::Unrecorded(UnrecordedSpan::new(caller.trace_id, unrecorded))
    }

    /// A span that is not recorded, because it belongs to what is not to be traced. What it causes
    /// elsewhere stays in its parent's trace, unsampled.
    #[cfg(any(feature = "layer", feature = "otel"))]
    pub(crate) fn start_refused(&self, parent: Option<&TraceContext>) -> ActiveSpan {
        let header = self.header_of(parent, self.clock.correction());
        let baggage = parent.map(|parent| parent.baggage.clone()).unwrap_or_default();
        self.unrecorded_root(None, Some(Reason::OwnWork), &header, baggage)
    }

    /// A span that is not recorded: by the head's decision, unless there is a `reason`. It keeps an `id` that
    /// was propagated already.
    pub(in crate::record) fn unrecorded_root(
        &self,
        id: Option<SpanId>,
        reason: Option<Reason>,
        header: &TraceHeader,
        baggage: Baggage,
    ) -> ActiveSpan {
        // A service that continues a trace that is not sampled is promised no probability for it.
        let state = header.outgoing_state();
        let unrecorded = self.unrecorded.trace(reason, header.flags(), state, baggage);
        ActiveSpan::Unrecorded(UnrecordedSpan::new(header.trace_id, unrecorded).with_id(id))
    }

    pub(in crate::record) fn header_of(
        &self,
        parent: Option<&TraceContext>,
        correction: ClockCorrection,
    ) -> TraceHeader {
        let (trace_id, flags, state) = match parent {
            Some(parent) => {
                let flags = parent.flags.with_sampled(false);
                (parent.trace_id, flags, CarriedLimit::of(&self.limits).state(&parent.trace_state))
            }
            None => (TraceId::random(&self.random), TraceFlags::RANDOM, TraceState::default()),
        };
        TraceHeader::new(trace_id, flags, state, correction)
    }

    pub(in crate::record) fn ask_head(
        &self,
        header: &TraceHeader,
        new: &SpanStart<'_>,
        now: Tick,
    ) -> SamplingResult {
        if let Some(answer) = self.deciders.fixed_head().answer() {
            return answer;
        }
        let mut request = SamplingRequest::new(header.trace_id, &new.name, now)
            .with_kind(new.kind)
            .with_tags(&new.tags)
            .with_links(&new.links);
        if let Some(parent) = new.parent {
            request = request.with_parent(parent);
        }
        self.deciders.ask_head(&request)
    }

    fn record_root(
        self: &Arc<Self>,
        header: TraceHeader,
        start: Tick,
        new: SpanStart<'_>,
        answer: SamplingResult,
    ) -> ActiveSpan {
        let limits = &self.limits.span;
        let id = SpanId::random(&self.random);
        let parent = new.parent.map(|parent| parent.span_id);
        let is_parent_remote = new.parent.is_some_and(|parent| parent.is_remote);
        let SpanStart { name, kind, tags, links, baggage, .. } = new;
        let begun = self.traces.begin(self, header.clone(), |store| {
            let records = store.recorded_mut();
            let root = NewSpan { id, parent, start, name, kind };
            // Only a limit that allows no trace at all refuses a root.
            records.push_span(root, limits).map_err(|_| Reason::BytesPerTrace)?;
            if is_parent_remote {
                records.set_parent_remote(SpanIndex::FIRST, true);
            }
            if !(tags.is_empty() && answer.tags.is_empty() && links.is_empty()) {
                for (key, value) in tags.into_iter().chain(answer.tags) {
                    records.set_tag(SpanIndex::FIRST, key, value.as_ref(), limits);
                }
                for link in links {
                    records.push_link(SpanIndex::FIRST, link, limits);
                }
            }
            Ok(())
        });
        match begun {
            Ok(trace) => {
                self.traces.count_baggage_of(&trace, &baggage);
                ActiveSpan::Recorded(RecordedSpan::new(trace, id, SpanIndex::FIRST, baggage))
            }
            Err(reason) => self.unrecorded_root(None, Some(reason), &header, baggage),
        }
    }

    /// Starts a span in a local trace that is there.
    fn start_in(
        &self,
        trace: &Arc<LocalTrace<Self>>,
        parent: SpanId,
        new: SpanStart<'_>,
    ) -> ActiveSpan {
        let explicit = new.start.map(|start| start.tick(trace.header.correction));
        let start = explicit.unwrap_or_else(|| self.clock.now());
        let span = self.start_child(trace, parent, start, new.name, new.kind, new.baggage);
        if let Some(start) = explicit {
            span.write(|span| span.note_start(start));
        }
        for (key, value) in new.tags {
            span.set_tag(key.into(), value.as_ref());
        }
        for link in new.links {
            span.write(|span| {
                span.add_link(link);
            });
        }
        span
    }

    /// Starts a span in a local trace that is there, with no more than every span has.
    #[inline(always)]
    pub(in crate::record) fn start_child(
        &self,
        trace: &Arc<LocalTrace<Self>>,
        parent: SpanId,
        start: Tick,
        name: Cow<'static, str>,
        kind: SpanKind,
        baggage: Baggage,
    ) -> ActiveSpan {
        let mut live = trace.lock();
        let id = live.child_id(parent);
        let span = NewSpan { id, parent: Some(parent), start, name, kind };
        let fits = live.store.len() < live.most_spans as usize;
        let was_empty = live.spans() == 0;
        let is_refused = matches!(live.phase, Phase::Dropped(_))
            || reentrancy::is_own_thread()
            || (was_empty && self.is_closed());
        if !fits || is_refused {
            return self.start_in_full(trace, live, span, baggage, is_refused);
        }
        match live.store.recorded_mut().push_span(span, &self.limits.span) {
            Ok(index) => {
                live.open += 1;
                live.started += 1;
                if !baggage.is_empty() {
                    self.tag_child(live.store.recorded_mut(), index, &baggage);
                    self.traces.count_baggage(trace, &mut live, &baggage);
                }
                self.traces.unlock(trace, live, was_empty);
                ActiveSpan::Recorded(RecordedSpan::new(Arc::clone(trace), id, index, baggage))
            }
            Err(span) => {
                self.start_without_record(trace, live, span, baggage, Reason::BytesPerTrace)
            }
        }
    }

    /// Writes what its baggage says of a span below a local root.
    #[cold]
    pub(super) fn tag_child(
        &self,
        records: &mut RecordedSpans,
        index: SpanIndex,
        baggage: &Baggage,
    ) {
        for (key, value) in self.baggage_tags.of_child(baggage) {
            records.set_tag(index, key, value.as_ref(), &self.limits.span);
        }
    }
}
