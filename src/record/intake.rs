//! The way in for spans that another tracer makes.

use std::fmt;
use std::sync::{Arc, MutexGuard};

use super::complete::CompletedTrace;
use super::foreign::{EndedForeignSpan, FirstForeignSpan, ForeignStart};
use super::local::{LiveSpans, LocalTrace, Phase};
use super::recorder::Recorder;
use crate::kit::guarded::{self, lock};
use crate::kit::own_work::{self, Asking};
use crate::ledger::Reason;
use crate::model::{Resource, SpanId, TraceContext, TraceId};
use crate::sampling::{SamplingDecision, SamplingRequest, SamplingResult};
use crate::time::Tick;
use crate::trace::Original;
use crate::trace::head::TraceHead;
use crate::trace::store::{Room, SpanStore};

/// Takes spans that another tracer makes through a pipeline: its head, its tail, its limits, its count_bytes.
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

    /// This intake for spans of another service than the pipeline's.
    #[must_use]
    pub fn with_resource(mut self, resource: impl Into<Arc<Resource>>) -> Self {
        self.resource = Some(resource.into());
        self
    }

    /// The service whose spans these are.
    #[must_use]
    pub fn resource(&self) -> &Arc<Resource> {
        self.resource.as_ref().unwrap_or(&self.recorder.resource)
    }

    /// The time by the pipeline's clock.
    #[must_use]
    pub fn now(&self) -> Tick {
        self.recorder.clock.now()
    }

    /// Asks the pipeline's head about a local root that another tracer is about to start.
    ///
    /// A trace that is to be kept is remembered as such until its root is [announced](Self::started). What
    /// is dropped is counted here and must not be announced.
    #[must_use]
    pub fn sample(&self, request: &SamplingRequest<'_>) -> SamplingResult {
        if self.reject() {
            return SamplingResult::drop();
        }
        let recorder = &*self.recorder;
        let decision = {
            let _asking = Asking::begin(recorder.owner());
            recorder.deciders.ask_head(request)
        };
        match decision.decision {
            SamplingDecision::Drop => self.sampled_out(),
            SamplingDecision::Record => {}
            SamplingDecision::Sample => recorder.foreign.note(request.trace_id, decision.threshold),
        }
        decision
    }

    /// Whether spans that start here and now are refused: on a thread of the pipeline, inside a sampler or a
    /// policy of it, after its shutdown. If so, one is counted as refused; or as sampled out, where the pipeline
    /// [records nothing](crate::pipeline::PipelineBuilder::with_recording) at all.
    ///
    /// For samplers that decide about a span by its parent. [`sample`](Self::sample) and
    /// [`started`](Self::started) ask by themselves.
    #[must_use]
    pub fn reject(&self) -> bool {
        if !self.recorder.records() {
            self.sampled_out();
            return true;
        }
        let refusal = self.recorder.refusal();
        if let Some(reason) = refusal {
            self.recorder.ledger.unrecorded(reason).add(1);
        }
        refusal.is_some()
    }

    /// Counts a span below a local root that the head dropped.
    pub fn sampled_out(&self) {
        self.recorder.ledger.sampled_out().mine().add(1);
    }

    /// Whether spans of this trace are, or were lately, recorded here.
    #[must_use]
    pub fn is_recorded(&self, trace_id: TraceId) -> bool {
        let found = self.recorder.foreign.find(trace_id);
        found.is_some_and(|trace| !matches!(trace.live().phase, Phase::Dropped(_)))
    }

    /// Whether this trace is, or was lately, one that was dropped here. If so, a span of it is counted with the
    /// others.
    #[must_use]
    pub fn count_if_dropped(&self, trace_id: TraceId) -> bool {
        let found = self.recorder.foreign.find(trace_id);
        let reason = found.and_then(|trace| match trace.live().phase {
            Phase::Dropped(reason) => Some(reason),
            _ => None,
        });
        if let Some(reason) = reason {
            self.recorder.ledger.unrecorded(reason).add(1);
        }
        reason.is_some()
    }

    /// Whether a sampler or a policy, of whichever pipeline, is being asked on this thread. Then somebody here
    /// may have locked the span that is just ending, so nobody must look at that.
    #[must_use]
    pub fn is_asking(&self) -> bool {
        own_work::is_asking()
    }

    /// Announces a span that another tracer records; `context` is asked for that of the first of a trace.
    ///
    /// Without a tail and without a word of the [head](Self::sample), the sampled flag of that context
    /// decides.
    pub fn started(&self, span: Started, context: impl FnOnce() -> TraceContext) {
        if self.reject() {
            return;
        }
        let recorder = &self.recorder;
        let Started { trace_id, span_id, is_local_root } = span;
        match recorder.foreign.join(trace_id, span_id, is_local_root) {
            ForeignStart::Counted => recorder.ledger.started(1),
            ForeignStart::Uncounted(trace) => recorder.expect_late(span_id, &trace),
            ForeignStart::NewTrace => recorder.expect_root(span_id, &context()),
        }
    }

    /// Hands over a span that has ended; the last one that was announced completes its trace, which asks
    /// the tail on this thread.
    #[inline]
    pub fn ended<S: Original>(&self, original: S) {
        let Some(told) = OriginalFacts::by(&original) else { return };
        let Some(member) = self.recorder.foreign.leave(told.trace_id, told.span_id) else { return };
        self.recorder.take_over(&member, original, &told, self.resource.as_ref());
        Recorder::release(member.trace);
    }
}

/// What an original says of itself when it is handed over.
struct OriginalFacts {
    trace_id: TraceId,
    span_id: SpanId,
    bytes: usize,
    is_error: bool,
}

impl OriginalFacts {
    /// `None` when the adapter panics before it has told the ids.
    #[inline(always)]
    fn by<S: Original>(original: &S) -> Option<Self> {
        let told = guarded::call(|| {
            let (trace_id, span_id) = original.ids();
            Self { trace_id, span_id, bytes: original.bytes(), is_error: original.is_error() }
        });
        if told.is_some() { told } else { Self::ids_alone(original) }
    }

    /// An adapter that panics after that costs the error its weight, not the trace its end.
    #[cold]
    #[inline(never)]
    fn ids_alone<S: Original>(original: &S) -> Option<Self> {
        let (trace_id, span_id) = guarded::call(|| original.ids())?;
        Some(Self { trace_id, span_id, bytes: size_of::<S>(), is_error: false })
    }
}

impl Recorder {
    /// A span of another tracer has started in a local trace in which none is open.
    #[inline(never)]
    fn expect_late(&self, span: SpanId, trace: &Arc<LocalTrace>) {
        let live = trace.live();
        if let Phase::Dropped(reason) = live.phase {
            drop(live);
            // It is waited for by nobody, and must not make a new local root one of this trace.
            drop(self.foreign.leave(trace.head.trace_id, span));
            return self.ledger.unrecorded(reason).add(1);
        }
        let was_empty = trace.spans(&live) == 0;
        self.ledger.started(1);
        trace.foreign_spans().enter(&live);
        self.unlock(trace, live, was_empty);
    }

    /// The first span of another tracer's local trace has started.
    #[inline(never)]
    fn expect_root(self: &Arc<Self>, span: SpanId, context: &TraceContext) {
        let note = self.foreign.take_note(context.trace_id);
        let mut head = self.head_of(Some(context), self.clock.correction());
        if let Some(threshold) = note {
            head.sample(threshold);
        } else if context.is_sampled() && !self.deciders.have_tail() {
            head.sample(context.trace_state.threshold());
        }
        let refused = self.make_room((head.is_sampled(), head.randomness()), 1).err();
        let trace = self.gathered(head, refused);
        let (id, is_refused) = (context.trace_id, refused.is_some());
        // Among the groups first: a trace that is not the one of its id must not be live.
        let joined =
            self.foreign.found(&FirstForeignSpan { id, span, trace: &trace, note, is_refused });
        match (joined, refused) {
            (ForeignStart::Counted, _) => self.ledger.started(1),
            (ForeignStart::Uncounted(other), _) => self.expect_late(span, &other),
            (ForeignStart::NewTrace, Some(reason)) => self.ledger.unrecorded(reason).add(1),
            (ForeignStart::NewTrace, None) => {
                self.ledger.started(1);
                self.register_new(&trace);
            }
        }
        Self::release(trace);
    }

    /// A local trace with one open span of another tracer, or one that is dropped from its beginning.
    fn gathered(self: &Arc<Self>, head: TraceHead, refused: Option<Reason>) -> Arc<LocalTrace> {
        let (shell, store) = {
            let mut shard = lock(self.shard(head.trace_id));
            (shard.take_shell(), shard.take_store())
        };
        let room = Room::new(self.limits.bytes_per_trace);
        let store = store.unwrap_or_else(|| SpanStore::with_room(room));
        let mut trace = self.fill(shell, head, store);
        if let Some(trace) = Arc::get_mut(&mut trace) {
            trace.gather(refused);
        }
        trace
    }

    /// A span of another tracer has ended.
    #[inline(always)]
    fn take_over<S: Original>(
        &self,
        member: &EndedForeignSpan,
        original: S,
        told: &OriginalFacts,
        resource: Option<&Arc<Resource>>,
    ) {
        let EndedForeignSpan { trace, is_root, .. } = member;
        let OriginalFacts { bytes, is_error, .. } = *told;
        let mut live = trace.live();
        if matches!(live.phase, Phase::Dropped(_)) {
            // Its trace was put out, and the span counted with it.
            return;
        }
        let (at, most) = (live.store.len(), self.most_spans(is_error));
        if is_error {
            trace.mark_worth_keeping();
        }
        let refused = if at >= most {
            Reason::SpansPerTrace
        } else if let Some((column, facts)) = live.store.room_for::<S>(bytes, is_error) {
            facts.note(at, *is_root, is_error, resource);
            // Moved once, into its place: such spans are large. That is what the inlining here is for.
            column.push(original);
            return self.taken(member, live);
        } else {
            Reason::BytesPerTrace
        };
        self.ledger.dropped(refused, 1);
        self.taken(member, live);
    }

    /// How many spans a trace may have when the next is, or is not, an error.
    fn most_spans(&self, is_error: bool) -> usize {
        let most = self.limits.spans_per_trace;
        let reserve = if is_error { (most / 8).max(1) } else { 0 };
        most.saturating_add(reserve) as usize
    }

    /// What follows when a span of another tracer has ended; the last to end completes its trace.
    fn taken(&self, member: &EndedForeignSpan, mut live: MutexGuard<'_, LiveSpans>) {
        let EndedForeignSpan { trace, is_last_root, .. } = member;
        let has_grown = live.store.bytes() != live.counted_bytes as usize;
        if has_grown {
            self.count_bytes(&mut live);
        }
        if trace.foreign_spans().leave(&live) == 0 {
            let completed = self.complete(trace, live, self.clock.now());
            completed.into_iter().for_each(CompletedTrace::decide);
        } else if *is_last_root && matches!(live.phase, Phase::Open) {
            drop(live);
            self.linger(trace, self.clock.now().after(self.limits.linger));
        } else {
            drop(live);
        }
        if has_grown {
            self.evict_surplus();
        }
    }
}

impl fmt::Debug for Intake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Intake")
            .field("resource", &self.resource)
            .field("remembered", &self.recorder.foreign.len())
            .finish_non_exhaustive()
    }
}
