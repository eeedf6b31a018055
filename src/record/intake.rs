//! The way in for spans that another tracer makes.

use std::fmt;
use std::sync::Arc;

use super::complete::Completed;
use super::groups::Member;
use super::local::{LocalTrace, Phase};
use super::recorder::Recorder;
use crate::kit::Tick;
use crate::kit::guarded::lock;
use crate::kit::own_work::Asking;
use crate::ledger::Reason;
use crate::model::head::TraceHead;
use crate::model::store::{Room, SpanStore};
use crate::model::{Original, Resource, SpanId, TraceContext, TraceId};
use crate::sampling::{Decision, SamplingDecision, SamplingRequest};

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
    pub fn sample(&self, request: &SamplingRequest<'_>) -> SamplingDecision {
        if self.refuses() {
            return SamplingDecision::drop();
        }
        let recorder = &*self.recorder;
        let decision = {
            let _asking = Asking::begin(recorder.owner());
            recorder.deciders.ask_head(request)
        };
        match decision.decision {
            Decision::Drop => self.sampled_out(),
            Decision::Record => {}
            Decision::Sample => recorder.groups.note(request.trace_id, decision.threshold),
        }
        decision
    }

    /// Whether spans that start here and now are refused: on a thread of the pipeline, inside a sampler or a
    /// policy of it, after its shutdown. If so, one is counted as refused.
    ///
    /// For samplers that decide about a span by its parent. [`sample`](Self::sample) and
    /// [`started`](Self::started) ask by themselves.
    #[must_use]
    pub fn refuses(&self) -> bool {
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
        let found = self.recorder.groups.find(trace_id);
        found.is_some_and(|trace| !matches!(trace.live().phase, Phase::Dropped(_)))
    }

    /// Announces a span that another tracer records; `context` is asked for that of the first of a trace.
    ///
    /// Without a tail and without a word of the [head](Self::sample), the sampled flag of that context
    /// decides.
    pub fn started(&self, span: Started, context: impl FnOnce() -> TraceContext) {
        if self.refuses() {
            return;
        }
        let recorder = &self.recorder;
        let Started { trace_id, span_id, is_local_root } = span;
        match recorder.groups.join(trace_id, span_id, is_local_root) {
            Some(trace) => recorder.expect_in(&trace),
            None => recorder.expect_root(span_id, &context()),
        }
    }

    /// Hands over a span that has ended; the last one that was announced completes its trace, which asks
    /// the tail on this thread.
    #[inline]
    pub fn ended<S: Original>(&self, original: S) {
        let (trace_id, span_id) = original.ids();
        let Some(member) = self.recorder.groups.leave(trace_id, span_id) else { return };
        self.recorder.take_over(&member, original, self.resource.as_ref());
        Recorder::let_go(member.trace);
    }
}

impl Recorder {
    /// A span of another tracer has started in a local trace that is there.
    fn expect_in(&self, trace: &Arc<LocalTrace>) {
        let mut live = trace.live();
        if let Phase::Dropped(reason) = live.phase {
            return self.ledger.unrecorded(reason).add(1);
        }
        let was_empty = live.spans() == 0;
        self.ledger.started(1);
        live.open += 1;
        live.beyond_limit += 1;
        self.unlock(trace, live, was_empty);
    }

    /// The first span of another tracer's local trace has started.
    #[inline(never)]
    fn expect_root(self: &Arc<Self>, span: SpanId, context: &TraceContext) {
        let note = self.groups.take_note(context.trace_id);
        let mut head = self.head_of(Some(context), self.clock.correction());
        if let Some(threshold) = note {
            head.sample(threshold);
        } else if context.is_sampled() && !self.deciders.have_tail() {
            head.sample(context.trace_state.threshold());
        }
        let refused = self.make_room((head.is_sampled(), head.randomness()), 1).err();
        let trace = self.gathered(head, refused);
        if let Some(reason) = refused {
            self.ledger.unrecorded(reason).add(1);
            return self.groups.refuse(context.trace_id, trace);
        }
        self.ledger.started(1);
        self.admit(&trace);
        self.groups.found(context.trace_id, span, trace);
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
            trace.is_gathered = true;
            let live = trace.live_mut();
            match refused {
                None => live.beyond_limit = 1,
                Some(reason) => (live.open, live.phase) = (0, Phase::Dropped(reason)),
            }
        }
        trace
    }

    /// A span of another tracer has ended.
    #[inline(always)]
    fn take_over<S: Original>(
        &self,
        member: &Member,
        original: S,
        resource: Option<&Arc<Resource>>,
    ) {
        let Member { trace, is_root, is_last_root } = member;
        let limits = &self.limits;
        let (bytes, is_error) = (original.bytes(), original.is_error());
        let reserve = if is_error { (limits.spans_per_trace / 8).max(1) } else { 0 };
        let most = limits.spans_per_trace.saturating_add(reserve) as usize;
        let mut live = trace.live();
        if live.beyond_limit == 0 {
            // Its trace was put out, and the span counted with it.
            return;
        }
        if is_error {
            trace.mark_worth_keeping();
        }
        // It is counted as one beyond the records until it has its record, which is when the trace is decided.
        let refused = if live.store.unsettled() >= most {
            Some(Reason::SpansPerTrace)
        } else if live.store.reserve_original::<S>(bytes, is_error) {
            None
        } else {
            Some(Reason::BytesPerTrace)
        };
        match refused {
            None => {
                // Moved once, into its place: such spans are large. That is what the inlining here is for.
                let count = live.store.push_original(original);
                live.store.set_resource(resource);
                if *is_root {
                    live.store.move_to_front(count.saturating_sub(1));
                }
            }
            Some(reason) => {
                live.beyond_limit -= 1;
                self.ledger.dropped(reason, 1);
            }
        }
        let has_grown = live.store.bytes() != live.accounted as usize;
        if has_grown {
            self.account(&mut live);
        }
        // An index of zero says that the root has ended. Time is only asked where it counts.
        let index = if *is_last_root { 0 } else { u32::MAX };
        let counts = *is_last_root || live.open <= 1;
        let now = if counts { self.clock.now() } else { Tick::from_nanos(0) };
        self.ended(trace, live, index, now, Completed::decide);
        if has_grown {
            self.relieve();
        }
    }
}

impl fmt::Debug for Intake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Intake")
            .field("resource", &self.resource)
            .field("remembered", &self.recorder.groups.len())
            .finish_non_exhaustive()
    }
}
