//! Roots whose parent may still change.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::active::ActiveSpan;
use super::complete::CompletedTrace;
use super::local::{LocalTrace, Phase, SHELL_BYTES};
use super::recorded::RecordedSpan;
use super::recorder::Recorder;
use super::sampler_tags;
use super::start::{SpanStart, StartTime};
use super::unrecorded::{UnrecordedSpan, UnrecordedTrace};
use crate::kit::guarded::lock;
use crate::kit::own_work::Asking;
use crate::ledger::Reason;
use crate::model::{Baggage, Link, SpanId, SpanKind, TagValue, TraceContext, TraceId};
use crate::sampling::{SamplingDecision, SamplingResult};
use crate::trace::SpanMut;
use crate::trace::head::TraceHead;
use crate::trace::store::{NewSpan, Room, SpanStore};

/// A span that is recorded although nobody has asked a sampler yet, because its parent, and with it
/// its trace, may still change.
///
/// It becomes an [`ActiveSpan`] in two steps, so that the sampler runs while the draft stays where
/// everybody finds it: [`request`](Self::request), then [`settle`](Self::settle). Until then no
/// column of the ledger counts it; its memory counts as live.
#[derive(Debug)]
pub(crate) struct Draft {
    recorder: Arc<Recorder>,
    /// The local trace it will be the root of, which nobody else knows yet. `None` only while it is being
    /// dropped.
    trace: Option<Arc<LocalTrace>>,
    id: SpanId,
}

/// What a sampler is asked about a draft.
#[derive(Debug)]
pub(crate) struct DraftRequest {
    recorder: Arc<Recorder>,
    trace_id: TraceId,
    parent: Option<TraceContext>,
    name: Cow<'static, str>,
    kind: SpanKind,
    tags: Vec<(Cow<'static, str>, TagValue)>,
    links: Vec<Link>,
}

/// What becomes of a draft.
#[derive(Debug)]
pub(crate) enum DraftOutcome {
    /// It joins the local trace of this parent.
    JoinParent(TraceContext),
    /// It is the root of a local trace that is recorded.
    Record(TraceHead, SamplingResult, Option<TraceContext>),
    /// It is not recorded: by the head's decision, unless there is a reason.
    Unrecorded(TraceHead, Option<Reason>, Baggage),
}

impl Recorder {
    /// Begins a root whose parent may still change; where it would not be recorded whatever its parent
    /// is, it is started at once.
    pub(crate) fn draft(self: &Arc<Self>, name: &'static str) -> Result<Draft, ActiveSpan> {
        if self.refusal().is_some() || self.drops_everything() {
            return Err(self.start(SpanStart::new(Cow::Borrowed(name))));
        }
        let head = self.head_of(None, self.clock.correction());
        let (shell, store) = {
            let mut shard = lock(self.shard(head.trace_id));
            (shard.take_shell(), shard.take_store())
        };
        let room = Room::new(self.limits.bytes_per_trace);
        let mut store = store.unwrap_or_else(|| SpanStore::with_room(room));
        let (id, start) = (SpanId::random(&self.random), self.clock.now());
        let (name, kind) = (Cow::Borrowed(name), SpanKind::Internal);
        let root = NewSpan { id, parent: None, start, name, kind };
        match store.push_span(root, &self.limits.span) {
            Ok(_) => Ok(Draft::new(self, shell, head, id, store)),
            // Only a limit that allows no trace at all refuses a root: starting it says so.
            Err(root) => Err(self.start(SpanStart::new(root.name))),
        }
    }
}

impl Draft {
    fn new(
        recorder: &Arc<Recorder>,
        shell: Option<Arc<LocalTrace>>,
        head: TraceHead,
        id: SpanId,
        store: SpanStore,
    ) -> Self {
        recorder.live_traces.fetch_add(1, Ordering::Relaxed);
        recorder.live_bytes.fetch_add(SHELL_BYTES, Ordering::Relaxed);
        let mut trace = recorder.fill(shell, head, store);
        if let Some(trace) = Arc::get_mut(&mut trace) {
            recorder.count_bytes(trace.live_mut());
        }
        Self { recorder: Arc::clone(recorder), trace: Some(trace), id }
    }

    /// Its trace. Nobody else refers to it, so there is nothing to lock.
    #[inline]
    fn trace(&mut self) -> Option<&mut LocalTrace> {
        self.trace.as_mut().and_then(Arc::get_mut)
    }

    /// Says several things about it. True when that took it beyond the recorder's limits: it has to be
    /// settled, because only what is registered can be weighed against others and put out.
    pub(crate) fn edit(&mut self, edit: impl FnOnce(&mut SpanMut<'_>)) -> bool {
        let Self { recorder, trace, .. } = self;
        let Some(trace) = trace.as_mut().and_then(Arc::get_mut) else { return false };
        let correction = trace.head.correction;
        let live = trace.live_mut();
        let mut span = SpanMut::new(&mut live.store, correction, 0, &recorder.limits.span);
        edit(&mut span);
        let failed = span.has_failed();
        let has_grown = live.store.bytes() != live.counted_bytes as usize;
        if has_grown {
            recorder.count_bytes(live);
        }
        if failed {
            trace.mark_worth_keeping();
        }
        has_grown && recorder.is_crowded()
    }

    pub(crate) fn recorder(&self) -> &Arc<Recorder> {
        &self.recorder
    }

    /// Its ids for whoever asks while its sampler is being asked, which cannot be told more.
    pub(crate) fn provisional_context(&self) -> Option<TraceContext> {
        Some(TraceContext::new(self.trace.as_ref()?.head.trace_id, self.id))
    }

    /// What is to be found out before it can start under `parent`.
    pub(crate) fn request(&self, parent: Option<&TraceContext>) -> Option<DraftRequest> {
        let trace = self.trace.as_ref()?;
        let live = trace.live();
        let record = live.store.spans().first()?;
        Some(DraftRequest {
            recorder: Arc::clone(&self.recorder),
            trace_id: trace.head.trace_id,
            parent: parent.cloned(),
            name: live.store.owned_name(record),
            kind: record.kind,
            tags: sampler_tags::copy(live.store.keyed_tags(record)),
            links: live.store.owned_links(0).collect(),
        })
    }

    /// Starts it as the answer says. Runs no user code.
    pub(crate) fn settle(mut self, answer: DraftOutcome) -> ActiveSpan {
        match answer {
            DraftOutcome::JoinParent(parent) => self.join(&parent),
            DraftOutcome::Unrecorded(head, reason, baggage) => {
                self.recorder.unrecorded_root_with_id(Some(self.id), reason, &head, baggage)
            }
            DraftOutcome::Record(mut head, decision, parent) => {
                if decision.is_sampled() {
                    head.sample(decision.threshold);
                }
                self.record(head, decision, parent)
            }
        }
    }

    fn join(&mut self, parent: &TraceContext) -> ActiveSpan {
        let recorder = Arc::clone(&self.recorder);
        let Some(trace) = self.trace() else {
            return recorder.start(SpanStart::under(Cow::Borrowed(""), parent));
        };
        let failed = trace.is_worth_keeping();
        let store = &trace.live_mut().store;
        let mut start = SpanStart::under(Cow::Borrowed(""), parent);
        if let Some(record) = store.spans().first() {
            start.name = store.owned_name(record);
            (start.kind, start.start) = (record.kind, Some(StartTime::At(record.start)));
        }
        let span = recorder.start(start);
        if failed {
            span.record_failed();
        }
        span.edit(|span| span.copy_details(store, 0));
        span
    }

    fn record(
        &mut self,
        head: TraceHead,
        decision: SamplingResult,
        parent: Option<TraceContext>,
    ) -> ActiveSpan {
        let (recorder, id) = (Arc::clone(&self.recorder), self.id);
        let (parent, is_remote, baggage) = match parent {
            Some(parent) => (Some(parent.span_id), parent.is_remote, parent.baggage),
            None => (None, false, Baggage::default()),
        };
        let has_failed = self.trace.as_ref().is_some_and(|trace| trace.is_worth_keeping());
        let worth = (head.is_sampled() || has_failed, head.randomness());
        // It was counted itself.
        if let Err(reason) = recorder.make_room(worth, 0) {
            return recorder.unrecorded_root_with_id(Some(id), Some(reason), &head, baggage);
        }
        if let Some(trace) = self.trace() {
            let store = &mut trace.live_mut().store;
            store.set_parent(0, parent);
            store.set_parent_remote(0, is_remote);
            for (key, value) in decision.tags {
                store.set_tag(0, key, value.as_ref(), &recorder.limits.span);
            }
            if head.is_sampled() {
                trace.mark_worth_keeping();
            }
            trace.head = head;
        }
        let Some(trace) = self.trace.take() else {
            return ActiveSpan::Unrecorded(UnrecordedSpan::nowhere(TraceId::new()));
        };
        recorder.uncount_draft();
        recorder.ledger.started(1);
        recorder.register_new(&trace);
        ActiveSpan::Recorded(RecordedSpan { trace: Some(trace), id, index: 0, baggage })
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        let recorder = Arc::clone(&self.recorder);
        let Some(mut trace) = self.trace.take() else { return };
        recorder.uncount_draft();
        if let Some(trace) = Arc::get_mut(&mut trace) {
            let store = recorder.take(trace.live_mut());
            recorder.release_buffer(&trace.head, store);
        }
        Recorder::release_trace(trace);
    }
}

impl Recorder {
    /// A draft is none any more: it is live as others are, or gone. Its bytes are counted with its buffer.
    fn uncount_draft(&self) {
        self.live_bytes.fetch_sub(SHELL_BYTES, Ordering::Relaxed);
        self.live_traces.fetch_sub(1, Ordering::Relaxed);
    }
}

impl DraftRequest {
    /// Asks the sampler, where there is something to ask. `None` when it must not be asked on this
    /// thread, because it is being asked already.
    pub(crate) fn ask(self) -> Option<DraftOutcome> {
        match self.ask_now() {
            DraftOutcome::Unrecorded(_, Some(Reason::OwnWork), _) => None,
            answer => Some(answer),
        }
    }

    /// The same for a draft that cannot wait any longer: what must not be asked is left out.
    pub(crate) fn ask_now(self) -> DraftOutcome {
        let Self { recorder, trace_id, parent, name, kind, tags, links } = self;
        if let Some(parent) = parent.as_ref().filter(|parent| recorder.is_home_of(parent)) {
            return DraftOutcome::JoinParent(parent.clone());
        }
        let mut head = recorder.head_of(parent.as_ref(), recorder.clock.correction());
        if parent.is_none() {
            head.trace_id = trace_id;
        }
        let baggage = || parent.as_ref().map(|parent| parent.baggage.clone()).unwrap_or_default();
        // It is the application's, whichever thread settles it.
        if Asking::is_under_way(recorder.owner()) {
            return DraftOutcome::Unrecorded(head, Some(Reason::OwnWork), baggage());
        }
        if recorder.is_closed() {
            return DraftOutcome::Unrecorded(head, Some(Reason::ShutDown), baggage());
        }
        let mut start = SpanStart::new(name);
        (start.kind, start.tags, start.links) = (kind, tags, links);
        start.parent = parent.as_ref();
        let decision = recorder.ask_head(&head, &start, recorder.clock.now());
        sampler_tags::give_back(start.tags);
        if recorder.is_closed() {
            return DraftOutcome::Unrecorded(head, Some(Reason::ShutDown), baggage());
        }
        if decision.decision == SamplingDecision::Drop {
            return DraftOutcome::Unrecorded(head, None, baggage());
        }
        DraftOutcome::Record(head, decision, parent)
    }
}

/// A running span that was taken out of its trace to be put under another parent.
pub(crate) enum DetachedSpan {
    /// It was recorded. What it leaves behind may be a complete trace.
    Draft(Draft, Option<CompletedTrace>),
    /// It is not recorded, so that there is nothing to take out.
    Unrecorded(ActiveSpan),
    /// It cannot be taken out.
    Refused(ActiveSpan),
}

impl ActiveSpan {
    /// Takes a span that has no children out of its trace, to put it under another parent.
    pub(crate) fn detach(self) -> DetachedSpan {
        match self {
            Self::Recorded(span) => match span.detach() {
                Some((draft, completed)) => DetachedSpan::Draft(draft, completed),
                None => DetachedSpan::Refused(Self::Recorded(span)),
            },
            Self::Unrecorded(_) => DetachedSpan::Unrecorded(self),
            Self::OverLimit(span) => DetachedSpan::Refused(Self::OverLimit(span)),
        }
    }

    /// Makes the count_bytes as if a span that nobody knows of had never been started.
    pub(crate) fn cancel(self) {
        match self.detach() {
            DetachedSpan::Unrecorded(Self::Unrecorded(span)) => span.cancel(),
            // A draft that is dropped was none.
            taken => drop(taken),
        }
    }
}

impl RecordedSpan {
    fn detach(&self) -> Option<(Draft, Option<CompletedTrace>)> {
        let (trace, recorder) = self.parts()?;
        let mut live = trace.live();
        let index = live.store.find_open(self.index, self.id)?;
        let is_parent = live.store.spans().iter().any(|span| span.parent == Some(self.id));
        if is_parent || !matches!(live.phase, Phase::Open) {
            return None;
        }
        let mut store = live.store.take_span(index);
        let failed = store.spans().first().is_some_and(|span| span.is_error());
        store.set_parent(0, None);
        store.set_parent_remote(0, false);
        live.open = live.open.saturating_sub(1);
        recorder.count_bytes(&mut live);
        recorder.ledger.not_started_yet(1);
        let completed = if live.spans() == 0 {
            live.phase = Phase::Dropped(Reason::NotKept);
            drop(recorder.unregister(trace, &live));
            drop(live);
            None
        } else if live.open == 0 {
            let now = recorder.clock.now();
            recorder.complete(trace, live, now)
        } else {
            drop(live);
            None
        };
        let head = recorder.head_of(None, recorder.clock.correction());
        let shell = lock(recorder.shard(head.trace_id)).take_shell();
        let draft = Draft::new(recorder, shell, head, self.id, store);
        if let (true, Some(trace)) = (failed, &draft.trace) {
            trace.mark_worth_keeping();
        }
        Some((draft, completed))
    }
}

impl Recorder {
    /// Whether a context leads to a local trace of this recorder, recorded or not.
    pub(crate) fn is_home_of(self: &Arc<Self>, context: &TraceContext) -> bool {
        let Some(local) = context.local() else { return false };
        match local.downcast::<LocalTrace>() {
            Some(trace) => {
                trace.recorder.as_ref().is_some_and(|recorder| Arc::ptr_eq(recorder, self))
            }
            None => local
                .downcast::<UnrecordedTrace>()
                .is_some_and(|common| common.is_counted_in(&self.ledger)),
        }
    }
}
