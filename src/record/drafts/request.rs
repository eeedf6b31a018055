//! What a sampler is asked about a draft, and what becomes of the draft then.

use std::borrow::Cow;
use std::sync::Arc;

use super::sampler_tags;
use crate::ledger::Reason;
use crate::model::{Baggage, Link, SpanKind, TagValue, TraceContext, TraceId};
use crate::record::carrying::CarriedLimit;
use crate::record::deciders::FixedHead;
use crate::record::recorder::{Recorder, SpanStart};
use crate::sampling::{SamplingDecision, SamplingResult};
use crate::trace::header::TraceHeader;

/// What a sampler is asked about a draft.
#[derive(Debug)]
pub(crate) struct DraftRequest {
    pub(super) recorder: Arc<Recorder>,
    pub(super) trace_id: TraceId,
    /// Why the draft was evicted, if it was.
    pub(super) evicted: Option<Reason>,
    /// What the head answers, where it need not be asked.
    pub(super) fixed_head: FixedHead,
    pub(super) parent: Option<TraceContext>,
    /// The parent's baggage, or what came without a parent.
    pub(super) baggage: Baggage,
    pub(super) name: Cow<'static, str>,
    pub(super) kind: SpanKind,
    pub(super) tags: Vec<(Cow<'static, str>, TagValue)>,
    pub(super) links: Vec<Link>,
}

/// What becomes of a draft.
#[derive(Debug)]
pub(crate) enum DraftOutcome {
    /// It joins the local trace of this parent.
    JoinParent(TraceContext),
    /// It is the root of a local trace that is recorded.
    Record(TraceHeader, SamplingResult, Option<TraceContext>, Baggage),
    /// It is not recorded: by the head's decision, unless there is a reason.
    Unrecorded(TraceHeader, Option<Reason>, Baggage),
}

impl DraftRequest {
    /// Asks the sampler, where there is something to ask. `None` when it must not be asked on this
    /// thread, because it is being asked already.
    pub(crate) fn ask(self) -> Option<DraftOutcome> {
        match self.ask_now() {
            DraftOutcome::Unrecorded(_, Some(Reason::OwnWork), _) => None,
            outcome => Some(outcome),
        }
    }

    /// Asks for a draft that cannot wait any longer: where the sampler must not be asked, the draft is
    /// not recorded.
    pub(crate) fn ask_now(self) -> DraftOutcome {
        let Self {
            recorder,
            trace_id,
            evicted,
            fixed_head,
            parent,
            baggage,
            name,
            kind,
            tags,
            links,
        } = self;
        if let Some(parent) = parent.as_ref().filter(|parent| recorder.is_home_of(parent)) {
            return DraftOutcome::JoinParent(parent.clone());
        }
        let correction = recorder.clock.correction();
        let header = recorder.header_of(parent.as_ref(), correction, || trace_id);
        let baggage = CarriedLimit::of(&recorder.limits).baggage(baggage);
        if evicted.is_some() {
            return DraftOutcome::Unrecorded(header, evicted, baggage);
        }
        // Whether the thread is one of the pipeline's does not matter here: the draft is the application's,
        // whichever thread settles it.
        if recorder.is_decider_running() {
            return DraftOutcome::Unrecorded(header, Some(Reason::OwnWork), baggage);
        }
        if recorder.is_closed() {
            return DraftOutcome::Unrecorded(header, Some(Reason::ShutDown), baggage);
        }
        let from_baggage: Vec<_> = recorder.baggage_tags.of_root(&baggage).collect();
        if let Some(mut answer) = fixed_head.answer() {
            answer.tags.splice(..0, from_baggage);
            return DraftOutcome::Record(header, answer, parent, baggage);
        }
        let mut start = SpanStart::new(name);
        start.kind = kind;
        start.tags = tags;
        start.tags.extend(from_baggage.iter().cloned());
        start.links = links;
        start.parent = parent.as_ref();
        let mut answer = recorder.ask_head(&header, &start, recorder.clock.now());
        sampler_tags::release(start.tags);
        // The sampler may have shut the pipeline down itself.
        if recorder.is_closed() {
            return DraftOutcome::Unrecorded(header, Some(Reason::ShutDown), baggage);
        }
        if answer.decision == SamplingDecision::Drop {
            return DraftOutcome::Unrecorded(header, None, baggage);
        }
        answer.tags.splice(..0, from_baggage);
        DraftOutcome::Record(header, answer, parent, baggage)
    }
}
