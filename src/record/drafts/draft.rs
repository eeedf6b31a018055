//! A root whose parent may still change.

use std::borrow::Cow;
use std::sync::Arc;

use super::request::DraftRequest;
use super::sampler_tags;
use crate::ledger::Reason;
use crate::model::{Baggage, Incoming, SpanId, SpanKind, Threshold, TraceContext};
use crate::record::deciders::FixedHead;
use crate::record::local::{LiveSpans, LocalTrace, Phase};
use crate::record::recorder::{Recorder, SpanStart};
use crate::record::span::{ActiveSpan, RecordedSpan};
use crate::trace::SpanMut;
use crate::trace::store::{NewSpan, SpanIndex, SpanStore};

/// A span that is recorded although no sampler was asked yet, because its parent, and with it
/// its trace, may still change.
///
/// Its trace is live like any other: the ledger counts it, and at a limit it may be evicted, which its holder
/// finds out when it settles the draft. It becomes an [`ActiveSpan`] in two steps, so that the sampler runs while
/// the draft stays where other threads find it: [`request`](Self::request), then [`settle`](Self::settle).
#[derive(Debug)]
pub(crate) struct Draft {
    /// The local trace it is the root of, to which only the draft and the list of live traces refer.
    pub(super) trace: Arc<LocalTrace<Recorder>>,
    pub(super) id: SpanId,
    /// What the head answers, where that is known before it is asked.
    pub(super) fixed_head: FixedHead,
    /// Whether the trace is another's business already.
    pub(super) is_settled: bool,
}

/// What a root starts as.
#[derive(Debug)]
pub(crate) enum DraftStart {
    /// A draft.
    Draft(Draft),
    /// A span that is started already, because it is not recorded whatever its parent is.
    Started(ActiveSpan),
}

impl Draft {
    /// Starts a root whose parent may still change; where it would not be recorded whatever its parent
    /// is, it is no draft.
    pub(crate) fn start(recorder: &Arc<Recorder>, name: &'static str) -> DraftStart {
        let recorder = recorder.here();
        let is_recorded = recorder.refusal().is_none() && recorder.records();
        let fixed_head = recorder.deciders.fixed_head();
        if is_recorded && fixed_head == FixedHead::Drop {
            return DraftStart::Started(recorder.dropped_root());
        }
        if !is_recorded {
            return DraftStart::Started(recorder.start(SpanStart::new(Cow::Borrowed(name))));
        }
        let start = recorder.clock.now();
        let mut header =
            recorder.header_of(None, recorder.clock.correction(), || recorder.trace_id_at(start));
        if fixed_head == FixedHead::Sample {
            header.sample(Some(Threshold::ALWAYS));
        }
        let id = SpanId::random_at(&recorder.random, start.as_nanos());
        let limits = &recorder.limits.span;
        let fill = |store: &mut SpanStore| {
            let name = Cow::Borrowed(name);
            let root = NewSpan { id, parent: None, start, name, kind: SpanKind::Internal };
            // Only a limit that allows no trace at all refuses a root.
            let pushed = store.recorded_mut().push_span(root, limits);
            pushed.map(|_| ()).map_err(|_| Reason::BytesPerTrace)
        };
        let traces = &recorder.traces;
        let begun = match traces.make_room(&header) {
            Ok(()) => traces.begin(recorder, header, fill),
            Err(reason) => Err((reason, header)),
        };
        match begun {
            Ok(trace) => DraftStart::Draft(Self { trace, id, fixed_head, is_settled: false }),
            Err((reason, header)) => {
                let refused = recorder.unrecorded_root(None, Some(reason), &header, Baggage::new());
                DraftStart::Started(refused)
            }
        }
    }

    /// Writes into the draft, unless it was evicted.
    pub(crate) fn write(&mut self, write: impl FnOnce(&mut SpanMut<'_>)) {
        self.trace.owner.write(&self.trace, SpanIndex::FIRST, self.id, write);
    }

    /// Starts it as the root that it has begun as, where the head's answer is known without being asked; gives it
    /// back where it is not, or must not be used here and now.
    pub(crate) fn start_unasked(mut self) -> Result<ActiveSpan, Self> {
        let recorder = &*self.trace.owner;
        if self.fixed_head == FixedHead::None
            || recorder.is_closed()
            || recorder.is_decider_running()
        {
            return Err(self);
        }
        self.is_settled = true;
        let trace = Arc::clone(&self.trace);
        let span = RecordedSpan::new(trace, self.id, SpanIndex::FIRST, Baggage::new());
        Ok(ActiveSpan::Recorded(span))
    }

    pub(crate) fn recorder(&self) -> &Arc<Recorder> {
        &self.trace.owner
    }

    /// Its ids, for a caller that asks while the sampler is being asked about it: more is not known yet.
    pub(crate) fn provisional_context(&self) -> TraceContext {
        TraceContext::new(self.trace.trace_id(), self.id)
    }

    /// What is to be found out before it can start, under the parent or with the baggage that is
    /// `incoming`.
    pub(crate) fn request(&self, incoming: Option<&Incoming>) -> DraftRequest {
        let live = self.trace.lock();
        let records = live.store.outlines(self.trace.header.correction);
        // A draft that was evicted has no record, and there is nothing to be asked about it.
        let record = records.span(SpanIndex::FIRST);
        let is_asked = self.fixed_head == FixedHead::None;
        let shown = record.filter(|_| is_asked);
        let tags = shown.map(|record| sampler_tags::acquire(records.keyed_tags(record)));
        let links = shown.map(|_| records.owned_links(SpanIndex::FIRST).collect());
        DraftRequest {
            recorder: Arc::clone(&self.trace.owner),
            trace_id: self.trace.trace_id(),
            evicted: evicted(&live),
            fixed_head: self.fixed_head,
            parent: incoming.and_then(|incoming| incoming.clone().into_context()),
            baggage: incoming.map(|incoming| incoming.baggage.clone()).unwrap_or_default(),
            name: record.map(|record| records.owned_name(record)).unwrap_or_default(),
            kind: record.map_or(SpanKind::Internal, |record| record.kind),
            tags: tags.unwrap_or_default(),
            links: links.unwrap_or_default(),
        }
    }
}

/// Why a draft is not there any more, if it is not.
pub(super) fn evicted(live: &LiveSpans) -> Option<Reason> {
    if let Phase::Dropped(reason) = live.phase { Some(reason) } else { None }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.is_settled {
            let _ = self.take_store();
        }
    }
}
