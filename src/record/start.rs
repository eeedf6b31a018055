//! Starting spans.

use std::borrow::Cow;
use std::sync::{Arc, MutexGuard};
use std::time::SystemTime;

use super::active::ActiveSpan;
use super::local::{LiveSpans, LocalTrace, Phase};
use super::over_limit::OverLimitSpan;
use super::recorded::RecordedSpan;
use super::recorder::Recorder;
use super::unrecorded::{UnrecordedSpan, UnrecordedTrace};
use crate::kit::guarded;
use crate::kit::own_work::{self, Asking};
use crate::ledger::Reason;
use crate::model::{
    Baggage, Link, SpanId, SpanKind, TagValue, TraceContext, TraceFlags, TraceId, TraceState,
};
use crate::sampling::{SamplingDecision, SamplingRequest, SamplingResult};
use crate::time::Tick;
use crate::trace::head::TraceHead;
use crate::trace::store::{NewSpan, Room, SpanStore};

/// What a span starts with.
#[derive(Debug)]
pub(crate) struct SpanStart<'a> {
    pub(crate) name: Cow<'static, str>,
    pub(crate) kind: SpanKind,
    pub(crate) parent: Option<&'a TraceContext>,
    pub(crate) start: Option<StartTime>,
    pub(crate) tags: Vec<(Cow<'static, str>, TagValue)>,
    pub(crate) links: Vec<Link>,
    pub(crate) baggage: Baggage,
}

/// When a span that did not start now has started.
#[derive(Clone, Copy, Debug)]
pub(crate) enum StartTime {
    Wall(SystemTime),
    At(Tick),
}

impl StartTime {
    fn tick(self, correction: i64) -> Tick {
        match self {
            Self::Wall(time) => Tick::at_wall(time, correction),
            Self::At(tick) => tick,
        }
    }
}

impl<'a> SpanStart<'a> {
    #[inline]
    pub(crate) fn new(name: Cow<'static, str>) -> Self {
        Self {
            name,
            kind: SpanKind::Internal,
            parent: None,
            start: None,
            tags: Vec::new(),
            links: Vec::new(),
            baggage: Baggage::default(),
        }
    }

    #[inline]
    pub(crate) fn under(name: Cow<'static, str>, parent: &'a TraceContext) -> Self {
        Self { parent: Some(parent), baggage: parent.baggage.clone(), ..Self::new(name) }
    }
}

impl Recorder {
    /// A span that only stands for its caller, whose decision goes on as it came.
    #[cold]
    fn pass_on(&self, new: SpanStart<'_>) -> ActiveSpan {
        let Some(caller) = new.parent else {
            let head = self.head_of(None, self.clock.correction());
            return self.unrecorded_root(None, &head, new.baggage);
        };
        let common = UnrecordedTrace::of_caller(&self.ledger, caller, new.baggage);
        ActiveSpan::Unrecorded(UnrecordedSpan::new(caller.trace_id, common))
    }

    /// Starts a span: in the local trace of its parent, or as the root of a new one.
    pub(crate) fn start(self: &Arc<Self>, new: SpanStart<'_>) -> ActiveSpan {
        if let Some(parent) = new.parent
            && let Some(local) = parent.local()
        {
            if let Some(trace) = local.downcast::<LocalTrace>()
                && trace.recorder.as_ref().is_some_and(|recorder| Arc::ptr_eq(recorder, self))
            {
                return self.start_in(&trace, parent.span_id, new);
            }
            if let Some(common) = local.downcast::<UnrecordedTrace>()
                && self.records()
                && common.is_counted_in(&self.ledger)
            {
                let (lost, state) = (common.lost(), parent.trace_state.clone());
                let common = self.bare.common(lost, parent.flags, state, new.baggage);
                return ActiveSpan::Unrecorded(UnrecordedSpan::new(parent.trace_id, common));
            }
        }
        self.start_root(new)
    }

    fn start_root(self: &Arc<Self>, new: SpanStart<'_>) -> ActiveSpan {
        if !self.records() {
            return self.pass_on(new);
        }
        let correction = self.clock.correction();
        let mut head = self.head_of(new.parent, correction);
        if let Some(reason) = self.refusal() {
            return self.unrecorded_root(Some(reason), &head, new.baggage);
        }
        let now = self.clock.now();
        let decision = self.ask_head(&head, &new, now);
        // The sampler may have taken its time, or shut the pipeline down itself.
        if self.is_closed() {
            return self.unrecorded_root(Some(Reason::ShutDown), &head, new.baggage);
        }
        if decision.decision == SamplingDecision::Drop {
            return self.unrecorded_root(None, &head, new.baggage);
        }
        if decision.is_sampled() {
            head.sample(decision.threshold);
        }
        if let Err(reason) = self.make_room((head.is_sampled(), head.randomness()), 1) {
            return self.unrecorded_root(Some(reason), &head, new.baggage);
        }
        let start = new.start.map_or(now, |begin| begin.tick(correction));
        self.record_root(head, start, new, decision)
    }

    /// A span that is not recorded: by the head's decision, unless `lost` says otherwise.
    fn unrecorded_root(
        &self,
        lost: Option<Reason>,
        head: &TraceHead,
        baggage: Baggage,
    ) -> ActiveSpan {
        self.unrecorded_root_with_id(None, lost, head, baggage)
    }

    /// The same for a span that may have told its id.
    pub(super) fn unrecorded_root_with_id(
        &self,
        id: Option<SpanId>,
        lost: Option<Reason>,
        head: &TraceHead,
        baggage: Baggage,
    ) -> ActiveSpan {
        // Whoever continues a trace that is not sampled is promised no probability for it.
        let state = head.outgoing_state();
        let common = self.bare.common(lost, head.flags(), state, baggage);
        ActiveSpan::Unrecorded(UnrecordedSpan::new(head.trace_id, common).with_id(id))
    }

    pub(super) fn refusal(&self) -> Option<Reason> {
        if own_work::is_own_thread() || Asking::is_under_way(self.owner()) {
            Some(Reason::OwnWork)
        } else if self.is_closed() {
            Some(Reason::ShutDown)
        } else {
            None
        }
    }

    pub(super) fn head_of(&self, parent: Option<&TraceContext>, correction: i64) -> TraceHead {
        let (trace_id, flags, state) = match parent {
            Some(parent) => {
                let flags = parent.flags.with_sampled(false);
                (parent.trace_id, flags, parent.trace_state.clone())
            }
            None => (TraceId::random(&self.random), TraceFlags::RANDOM, TraceState::default()),
        };
        TraceHead::new(trace_id, flags, state, correction)
    }

    pub(super) fn ask_head(
        &self,
        head: &TraceHead,
        new: &SpanStart<'_>,
        now: Tick,
    ) -> SamplingResult {
        let mut request = SamplingRequest::new(head.trace_id, &new.name, now)
            .with_kind(new.kind)
            .with_tags(&new.tags)
            .with_links(&new.links);
        if let Some(parent) = new.parent {
            request = request.with_parent(parent);
        }
        let _asking = Asking::begin(self.owner());
        self.deciders.ask_head(&request)
    }

    fn record_root(
        self: &Arc<Self>,
        head: TraceHead,
        start: Tick,
        new: SpanStart<'_>,
        decision: SamplingResult,
    ) -> ActiveSpan {
        let (limits, id) = (&self.limits.span, SpanId::random(&self.random));
        let (shell, store) = {
            let mut shard = guarded::lock(self.shard(head.trace_id));
            (shard.take_shell(), shard.take_store())
        };
        let room = Room::new(self.limits.bytes_per_trace);
        let mut store = store.unwrap_or_else(|| SpanStore::with_room(room));
        let parent = new.parent.map(|parent| parent.span_id);
        let root = NewSpan { id, parent, start, name: new.name, kind: new.kind };
        // Only a limit that allows no trace at all refuses a root.
        if store.push_span(root, limits).is_err() {
            return self.unrecorded_root(Some(Reason::BytesPerTrace), &head, new.baggage);
        }
        if new.parent.is_some_and(|parent| parent.is_remote) {
            store.set_parent_remote(0, true);
        }
        for (key, value) in new.tags.into_iter().chain(decision.tags) {
            store.set_tag(0, key, value.as_ref(), limits);
        }
        for link in new.links {
            store.push_link(0, link, limits);
        }
        let trace = self.fill(shell, head, store);
        self.ledger.started(1);
        self.register_new(&trace);
        ActiveSpan::Recorded(RecordedSpan {
            trace: Some(trace),
            id,
            index: 0,
            baggage: new.baggage,
        })
    }

    /// A local trace around a buffer that holds its root.
    pub(super) fn fill(
        self: &Arc<Self>,
        shell: Option<Arc<LocalTrace>>,
        head: TraceHead,
        store: SpanStore,
    ) -> Arc<LocalTrace> {
        if let Some(mut shell) = shell
            && let Some(trace) = Arc::get_mut(&mut shell)
        {
            trace.reset(Arc::clone(self), head, store);
            return shell;
        }
        Arc::new(LocalTrace::new(Arc::clone(self), head, store))
    }

    /// Starts a span in a local trace that is there.
    fn start_in(&self, trace: &Arc<LocalTrace>, parent: SpanId, new: SpanStart<'_>) -> ActiveSpan {
        let start = match new.start {
            None => self.clock.now(),
            Some(begin) => begin.tick(trace.head.correction),
        };
        let span = self.start_child(trace, parent, start, new.name, new.kind, new.baggage);
        for (key, value) in new.tags {
            span.set_tag(key, value.as_ref());
        }
        for link in new.links {
            span.add_link(link);
        }
        span
    }

    /// Starts a span in a local trace that is there, with no more than every span has.
    #[inline(always)]
    pub(super) fn start_child(
        &self,
        trace: &Arc<LocalTrace>,
        parent: SpanId,
        start: Tick,
        name: Cow<'static, str>,
        kind: SpanKind,
        baggage: Baggage,
    ) -> ActiveSpan {
        let mut live = trace.live();
        let id = live.child_id(parent);
        let span = NewSpan { id, parent: Some(parent), start, name, kind };
        let fits = live.store.len() < self.limits.spans_per_trace as usize;
        let was_empty = live.spans() == 0;
        let is_refused = matches!(live.phase, Phase::Dropped(_))
            || own_work::is_own_thread()
            || (was_empty && self.is_closed());
        if !fits || is_refused {
            return self.start_without_record(trace, live, span, baggage, Reason::SpansPerTrace);
        }
        match live.store.push_span(span, &self.limits.span) {
            Ok(index) => {
                live.open += 1;
                self.ledger.started(1);
                self.unlock(trace, live, was_empty);
                let trace = Some(Arc::clone(trace));
                ActiveSpan::Recorded(RecordedSpan { trace, id, index, baggage })
            }
            Err(span) => {
                self.start_without_record(trace, live, span, baggage, Reason::BytesPerTrace)
            }
        }
    }

    /// Starts a span for which its trace has no room, or which comes after the trace was dropped.
    #[cold]
    fn start_without_record(
        &self,
        trace: &Arc<LocalTrace>,
        mut live: MutexGuard<'_, LiveSpans>,
        span: NewSpan,
        baggage: Baggage,
        limit: Reason,
    ) -> ActiveSpan {
        let was_empty = live.spans() == 0;
        let refused = match live.phase {
            Phase::Dropped(reason) => Some(reason),
            _ if own_work::is_own_thread() => Some(Reason::OwnWork),
            _ if was_empty && self.is_closed() => Some(Reason::ShutDown),
            _ => None,
        };
        if refused.is_some() {
            drop(live);
            return self.unrecorded_root(refused, &trace.head, baggage);
        }
        self.ledger.started(1);
        live.open += 1;
        live.over_limit += 1;
        self.unlock(trace, live, was_empty);
        ActiveSpan::OverLimit(Box::new(OverLimitSpan::new(Arc::clone(trace), span, baggage, limit)))
    }
}
