//! The way in for spans that another tracer makes.

#[cfg(feature = "bridge")]
mod contexts;
mod ended;
mod ending;
mod starting;

use std::fmt;
use std::sync::Arc;

pub use self::ended::Ended;
use self::ending::span_ended;
use super::foreign::{EndedForeignSpan, ForeignStart};
use super::local::{LiveSpans, Phase};
use super::recorder::Recorder;
use crate::kit::reentrancy;
use crate::ledger::Reason;
use crate::model::{Limits, Resource, SpanId, TraceContext, TraceId};
use crate::sampling::{SamplingDecision, SamplingRequest, SamplingResult};
use crate::time::Tick;
use crate::trace::Original;
use crate::trace::header::HeadSample;
use crate::trace::store::OriginalSlot;

/// Takes spans that another tracer makes through a pipeline: its head, its tail, its limits, its account.
///
/// From [`Pipeline::intake`](crate::Pipeline::intake). For adapters such as the span processor in `otel`; it
/// finds the spans of a local trace by their trace id and decides when the last of them has ended. Clones
/// are handles to the same.
///
/// A span that starts is [announced](Self::started) and, when it has ended, handed over [as it
/// is](Original). Whatever belongs to no span that was announced is ignored.
#[derive(Clone)]
pub struct Intake {
    recorder: Arc<Recorder>,
    resource: Option<Arc<Resource>>,
}

/// What is known of a span that another tracer starts.
#[derive(Clone, Copy, Debug)]
pub struct Started {
    /// The trace it belongs to.
    pub trace_id: TraceId,
    /// Its id.
    pub span_id: SpanId,
    /// Whether its parent is in another process, or absent.
    pub is_local_root: bool,
}

impl Intake {
    pub(crate) fn new(recorder: Arc<Recorder>) -> Self {
        Self { recorder, resource: None }
    }

    /// The recorder of this process.
    #[inline]
    fn recorder(&self) -> &Arc<Recorder> {
        self.recorder.here()
    }

    /// This intake for spans of another service than the pipeline's.
    #[must_use]
    pub fn with_resource(mut self, resource: impl Into<Arc<Resource>>) -> Self {
        self.resource = Some(resource.into());
        self
    }

    /// The service whose spans these are.
    #[must_use]
    pub fn resource(&self) -> &Arc<Resource> {
        self.resource.as_ref().unwrap_or(self.recorder().completion.resource())
    }

    /// How much one span may hold. The lengths are for the adapter to apply to what its tracer hands over.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        // A process that was forked off has the same.
        &self.recorder.limits.span
    }

    /// Counts values that an adapter has cut to the [limits](Self::limits).
    pub fn count_cut_values(&self, values: u64) {
        self.recorder().ledger.cut_values(values);
    }

    /// The time by the pipeline's clock.
    #[must_use]
    pub fn now(&self) -> Tick {
        self.recorder().clock.now()
    }

    /// Asks the pipeline's head about a local root that another tracer is about to start.
    ///
    /// A trace that is to be kept is remembered as such until its root is [announced](Self::started). What
    /// is dropped is counted here and must not be announced.
    #[must_use]
    pub fn sample(&self, request: &SamplingRequest<'_>) -> SamplingResult {
        let recorder = self.recorder();
        if Self::reject_by(recorder) {
            return SamplingResult::drop();
        }
        let answer = recorder.deciders.ask_head(request);
        match answer.decision {
            SamplingDecision::Drop => self.sampled_out(),
            SamplingDecision::Record => {}
            SamplingDecision::Sample => {
                let sample = HeadSample { threshold: answer.threshold };
                recorder.traces.foreign.remember_sample(request.trace_id, sample);
            }
        }
        answer
    }

    /// Counts a span that would start here and now as refused, and returns true, where it is: on a thread of the
    /// pipeline, inside a sampler or a policy of it, after its shutdown. Where the pipeline
    /// [records nothing](crate::pipeline::PipelineBuilder::with_recording) at all, the span is counted as sampled out.
    ///
    /// For samplers that decide about a span by its parent. [`sample`](Self::sample) and
    /// [`started`](Self::started) do this by themselves.
    #[must_use]
    pub fn reject(&self) -> bool {
        Self::reject_by(self.recorder())
    }

    #[inline]
    fn reject_by(recorder: &Recorder) -> bool {
        if !recorder.records() {
            count_sampled_out(recorder);
            return true;
        }
        let refusal = recorder.refusal();
        if let Some(reason) = refusal {
            recorder.ledger.unrecorded(reason).add(1);
        }
        refusal.is_some()
    }

    /// Counts a span below a local root that the head dropped.
    pub fn sampled_out(&self) {
        count_sampled_out(self.recorder());
    }

    /// Whether spans of this trace are, or were lately, recorded here.
    #[must_use]
    pub fn is_recorded(&self, trace_id: TraceId) -> bool {
        self.recorded_as_kept(trace_id).is_some()
    }

    /// Whether it is known of a running trace that it is kept, be its spans ours or those of another tracer. Costs a few short locks.
    ///
    /// For propagators, as [`recorded_as_kept`](Self::recorded_as_kept) is for samplers.
    #[must_use]
    pub fn is_known_kept(&self, trace_id: TraceId) -> bool {
        let is_kept = self.recorded_as_kept(trace_id);
        is_kept.unwrap_or_else(|| self.recorder().traces.is_keep_requested(trace_id))
    }

    /// Whether it is known of a trace that it is kept when it is complete: a person asked for it, or another service told
    /// that it kept the trace. `None` where its spans neither are, nor were lately, recorded here.
    ///
    /// For samplers: a span of such a trace takes the sampled flag to whom it calls.
    #[must_use]
    pub fn recorded_as_kept(&self, trace_id: TraceId) -> Option<bool> {
        let found = self.recorder().traces.foreign.find(trace_id)?;
        let is_dropped = matches!(found.lock().phase, Phase::Dropped(_));
        (!is_dropped).then(|| found.is_keep_requested())
    }

    /// Counts a span of a trace that is, or was lately, dropped here with the rest of that trace, and returns
    /// true. Returns false, and counts nothing, for any other trace.
    #[must_use]
    pub fn count_if_dropped(&self, trace_id: TraceId) -> bool {
        let found = self.recorder().traces.foreign.find(trace_id);
        let reason = found.and_then(|trace| match trace.lock().phase {
            Phase::Dropped(reason) => Some(reason),
            _ => None,
        });
        if let Some(reason) = reason {
            self.recorder().ledger.unrecorded(reason).add(1);
        }
        reason.is_some()
    }

    /// Whether a sampler or a policy, of any pipeline, is being asked on this thread. Then a caller further up
    /// may have locked the span that is just ending, so that must not be looked at here.
    #[must_use]
    pub fn is_any_decider_running(&self) -> bool {
        reentrancy::is_any_user_call_running()
    }

    /// Announces a span that another tracer records; `context` is asked for that of the first of a trace.
    ///
    /// Without a tail, and where the [head](Self::sample) was not asked, the sampled flag of that context
    /// decides.
    #[inline]
    pub fn started(&self, span: Started, context: impl FnOnce() -> TraceContext) {
        let recorder = self.recorder();
        if Self::reject_by(recorder) {
            return;
        }
        let Started { trace_id, span_id, is_local_root } = span;
        match recorder.traces.foreign.start_span(trace_id, span_id, is_local_root) {
            ForeignStart::Counted => recorder.ledger.started(1),
            ForeignStart::CountedRoot(trace) => self.start_root_in(&trace),
            ForeignStart::Uncounted(trace) => self.start_late(span_id, &trace),
            ForeignStart::NewTrace => self.start_trace(span_id, &context()),
        }
    }

    /// Hands over a span that has ended; the last one that was announced completes its trace, which asks
    /// the tail on this thread.
    #[inline]
    pub fn ended<S: Original>(&self, original: S) {
        if let Some(facts) = Ended::ask(&original) {
            self.ended_as(facts, original, |original| original);
        }
    }

    /// [`ended`](Self::ended) with the answers of the original, which is made of the finished span at the end.
    #[inline(always)]
    pub fn ended_as<F, S: Original>(
        &self,
        facts: Ended,
        finished: F,
        original: impl FnOnce(F) -> S,
    ) {
        let recorder = self.recorder();
        let ended = recorder.traces.foreign.end_span(facts.trace_id, facts.span_id);
        let Some(ended) = ended else { return };
        let mut live = ended.trace.lock();
        if matches!(live.phase, Phase::Dropped(_)) {
            // Its trace was evicted, and the span counted with it.
            drop(live);
        } else {
            let max_spans = recorder.limits.max_spans(facts.is_error);
            match self.slot(&mut live, &ended, &facts, max_spans) {
                // Moved once, for such spans are large: the inlining is for that, and no other function sees it.
                Ok(column) => column.push(original(finished)),
                Err(refused) => recorder.ledger.dropped(refused, 1),
            }
            span_ended(recorder, &ended, live, facts.is_error);
        }
    }

    /// The column of a trace's buffer into which the caller pushes a span that has ended; why it must not, where
    /// there is no room.
    #[inline(always)]
    fn slot<'l, S: Original>(
        &self,
        live: &'l mut LiveSpans,
        ended: &EndedForeignSpan<Recorder>,
        facts: &Ended,
        max_spans: usize,
    ) -> Result<&'l mut Vec<S>, Reason> {
        let EndedForeignSpan { trace, is_root, .. } = ended;
        let Ended { bytes, is_error, .. } = *facts;
        if is_error {
            trace.mark_worth_keeping();
        }
        match live.store.original_slot::<S>(bytes, is_error, max_spans) {
            OriginalSlot::Free(column, summary) => {
                summary.add(*is_root, is_error, self.resource.as_ref());
                Ok(column)
            }
            OriginalSlot::TooManySpans => Err(Reason::SpansPerTrace),
            OriginalSlot::NoMemory => Err(Reason::BytesPerTrace),
        }
    }
}

impl fmt::Debug for Intake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Intake")
            .field("resource", &self.resource)
            .field("remembered", &self.recorder().traces.foreign.len())
            .finish_non_exhaustive()
    }
}

#[inline]
fn count_sampled_out(recorder: &Recorder) {
    recorder.ledger.sampled_out().of_this_thread().add(1);
}
