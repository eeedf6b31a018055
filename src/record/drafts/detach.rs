//! Spans that were started and become drafts again.

use super::draft::Draft;
use crate::ledger::Reason;
use crate::record::completion::CompletedTrace;
use crate::record::deciders::FixedHead;
use crate::record::local::{Due, Phase};
use crate::record::recorder::Recorder;
use crate::record::span::{ActiveSpan, RecordedSpan};
use crate::trace::store::SpanIndex;

/// A running span that was taken out of its trace to be put under another parent.
pub(crate) enum DetachedSpan {
    /// It was recorded. What it leaves behind may be a complete trace.
    Draft(Draft, Option<CompletedTrace<Recorder>>),
    /// It is not recorded, so that there is nothing to take out.
    Unrecorded(ActiveSpan),
    /// It cannot be taken out.
    Refused(ActiveSpan),
}

impl Draft {
    /// Takes a span that has no children out of its trace, to put it under another parent.
    pub(crate) fn detach(span: ActiveSpan) -> DetachedSpan {
        match span {
            ActiveSpan::Recorded(span) => match detach_recorded(&span) {
                Some((draft, completed)) => DetachedSpan::Draft(draft, completed),
                None => DetachedSpan::Refused(ActiveSpan::Recorded(span)),
            },
            ActiveSpan::Unrecorded(_) => DetachedSpan::Unrecorded(span),
            ActiveSpan::OverLimit(_) => DetachedSpan::Refused(span),
        }
    }

    /// Makes the account as if a span that was shown to no other thread had never been started.
    pub(crate) fn cancel(span: ActiveSpan) {
        match Self::detach(span) {
            DetachedSpan::Unrecorded(ActiveSpan::Unrecorded(span)) => span.cancel(),
            // A draft that is dropped leaves nothing in the account.
            detached => drop(detached),
        }
    }
}

fn detach_recorded(span: &RecordedSpan) -> Option<(Draft, Option<CompletedTrace<Recorder>>)> {
    let trace = &span.trace;
    let recorder = &trace.owner;
    if recorder.is_inherited() {
        return None;
    }
    let mut live = trace.lock();
    let records = live.store.recorded_mut();
    let index = records.find_open(span.index, span.id)?;
    let is_parent = records.spans().iter().any(|other| other.parent == Some(span.id));
    if is_parent || !matches!(live.phase, Phase::Open) {
        return None;
    }
    let mut store = live.store.take_span(index);
    let records = store.recorded_mut();
    let has_failed = records.has_failed(SpanIndex::FIRST);
    records.forget_part(SpanIndex::FIRST);
    records.set_parent(SpanIndex::FIRST, None);
    records.set_parent_remote(SpanIndex::FIRST, false);
    live.open = live.open.saturating_sub(1);
    recorder.traces.count_bytes(trace, &mut live);
    recorder.ledger.not_started_yet(1);
    let completed = if live.spans() == 0 {
        live.phase = Phase::Dropped(Reason::NotKept);
        let unused = recorder.traces.unregister(trace, &mut live);
        drop(live);
        drop(unused);
        None
    } else if live.open == 0 {
        let store = recorder.completion.complete(&recorder.traces, trace, live);
        store.map(|store| CompletedTrace::new(trace, Due::Decide(store), recorder.clock.now()))
    } else {
        drop(live);
        None
    };
    let header = recorder.header_now(None);
    let begun = recorder.traces.acquire_around(recorder, header, store);
    if has_failed {
        begun.mark_worth_keeping();
    }
    recorder.ledger.started(1);
    recorder.traces.register(&begun);
    let draft = Draft { trace: begun, id: span.id, fixed_head: FixedHead::None, is_settled: false };
    Some((draft, completed))
}
