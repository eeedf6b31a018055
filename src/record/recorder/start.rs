//! Starting spans.

use std::sync::Arc;

use super::span_start::SpanStart;
use super::{LocalParent, Recorder};
use crate::ledger::Reason;
use crate::model::{Baggage, SpanId, Threshold, TraceContext, TraceFlags, TraceId, TraceState};
use crate::record::carrying::CarriedLimit;
use crate::record::local::LocalTrace;
use crate::record::span::{ActiveSpan, RecordedSpan, UnrecordedSpan, UnrecordedTrace};
use crate::sampling::{SamplingDecision, SamplingRequest, SamplingResult};
use crate::time::{ClockCorrection, Tick};
use crate::trace::header::TraceHeader;
use crate::trace::store::{NewSpan, SpanIndex};

impl Recorder {
    /// Starts a span: in the local trace of its parent, or as the root of a new one.
    pub(crate) fn start(self: &Arc<Self>, new: SpanStart<'_>) -> ActiveSpan {
        if self.is_inherited() {
            return self.start_in_child(new);
        }
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
        let now = self.clock.now();
        let mut header = self.header_of(new.parent, correction, || self.trace_id_at(now));
        if let Some(reason) = self.refusal() {
            return self.unrecorded_root(None, Some(reason), &header, new.baggage);
        }
        let answer = self.ask_head(&header, &new, now);
        // The sampler may have taken its time, or shut the pipeline down itself.
        if self.is_closed() {
            return self.unrecorded_root(None, Some(Reason::ShutDown), &header, new.baggage);
        }
        if answer.decision == SamplingDecision::Drop {
            return self.unrecorded_root(None, None, &header, new.baggage);
        }
        if answer.is_sampled() {
            self.mark_sampled(&mut header, answer.threshold, new.parent);
        }
        if let Err(reason) = self.traces.make_room(&header) {
            return self.unrecorded_root(None, Some(reason), &header, new.baggage);
        }
        let start = new.start.map_or(now, |start| start.tick(correction));
        let id = SpanId::random_at(&self.random, now.as_nanos());
        self.record_root(header, id, start, new, answer)
    }

    /// A span that only stands for its caller, whose decision goes on as it came.
    #[cold]
    fn pass_on(&self, new: SpanStart<'_>) -> ActiveSpan {
        let Some(caller) = new.parent else {
            let header = self.header_now(None);
            return self.unrecorded_root(None, None, &header, new.baggage);
        };
        let unrecorded = UnrecordedTrace::of_caller(&self.ledger, caller, new.baggage);
        ActiveSpan::Unrecorded(UnrecordedSpan::new(caller.trace_id, unrecorded))
    }

    /// A span that is not recorded, because it belongs to what is not to be traced. What it causes
    /// elsewhere stays in its parent's trace, unsampled.
    #[cfg(any(feature = "layer", feature = "otel"))]
    pub(crate) fn start_refused(&self, parent: Option<&TraceContext>) -> ActiveSpan {
        let header = self.header_now(parent);
        let baggage = parent.map(|parent| parent.baggage.clone()).unwrap_or_default();
        self.unrecorded_root(None, Some(Reason::OwnWork), &header, baggage)
    }

    /// The root of a trace of its own that the head drops without being asked.
    #[cfg(feature = "layer")]
    pub(in crate::record) fn dropped_root(&self) -> ActiveSpan {
        self.unrecorded_root(None, None, &self.header_now(None), Baggage::new())
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

    /// What the spans of a local root share: below its parent, or in a trace of its own, for which `own_id` is asked.
    pub(in crate::record) fn header_of(
        &self,
        parent: Option<&TraceContext>,
        correction: ClockCorrection,
        own_id: impl FnOnce() -> TraceId,
    ) -> TraceHeader {
        match parent {
            Some(parent) => self.header_below(parent, correction),
            None => {
                let state = TraceState::default();
                TraceHeader::new(own_id(), TraceFlags::RANDOM, state, correction)
            }
        }
    }

    /// As [`header_of`](Self::header_of), for a root that begins now and asks for no moment itself.
    pub(in crate::record) fn header_now(&self, parent: Option<&TraceContext>) -> TraceHeader {
        self.header_of(parent, self.clock.correction(), || self.trace_id_at(self.clock.now()))
    }

    /// What the spans of a local root below this parent share.
    pub(in crate::record) fn header_below(
        &self,
        parent: &TraceContext,
        correction: ClockCorrection,
    ) -> TraceHeader {
        let flags = parent.flags.with_sampled(false);
        let state = CarriedLimit::of(&self.limits).state(&parent.trace_state);
        TraceHeader::new(parent.trace_id, flags, state, correction)
    }

    /// The id of a trace that begins now.
    pub(in crate::record) fn trace_id_at(&self, now: Tick) -> TraceId {
        TraceId::random_at(&self.random, now.as_nanos())
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
        id: SpanId,
        start: Tick,
        new: SpanStart<'_>,
        answer: SamplingResult,
    ) -> ActiveSpan {
        let limits = &self.limits.span;
        let parent = new.parent.map(|parent| parent.span_id);
        let is_parent_remote = new.parent.is_some_and(|parent| parent.is_remote);
        let SpanStart { name, kind, tags, links, baggage, .. } = new;
        let begun = self.traces.begin(self, header, |store| {
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
            Err((reason, header)) => self.unrecorded_root(None, Some(reason), &header, baggage),
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

    /// Marks a trace that the head samples, after a caller or by itself.
    pub(in crate::record) fn mark_sampled(
        &self,
        header: &mut TraceHeader,
        threshold: Option<Threshold>,
        parent: Option<&TraceContext>,
    ) {
        header.sample(self.claims.checked(threshold, parent, || self.seen()));
        if parent.is_some_and(|parent| parent.is_remote && parent.is_sampled()) {
            header.mark_followed();
        }
    }

    /// How much has started here, or was not recorded: at least as much as there were requests.
    #[cold]
    fn seen(&self) -> u64 {
        let counted = self.ledger.counters();
        counted.started + counted.sampled_out + self.traces.started()
    }
}
