//! A span for which its trace has no room.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::active::ActiveSpan;
use super::complete::CompletedTrace;
use super::local::LocalTrace;
use super::unrecorded::UnrecordedSpan;
use crate::ledger::Reason;
use crate::model::{Baggage, SpanId, SpanKind, TraceContext};
use crate::time::Tick;
use crate::trace::store::NewSpan;

/// The span is not on record and has not ended.
const WAITING: u32 = u32::MAX;

/// The span has ended without a record.
const ENDED: u32 = u32::MAX - 1;

/// A span beyond its trace's limit. It is dropped when it ends, unless it fails: errors are kept
/// first, and a reserve is kept for them.
#[derive(Debug)]
pub(crate) struct OverLimitSpan {
    pub(super) trace: Arc<LocalTrace>,
    pub(super) id: SpanId,
    pub(super) baggage: Baggage,
    pub(super) limit: Reason,
    parent: Option<SpanId>,
    start: Tick,
    name: Cow<'static, str>,
    kind: SpanKind,
    /// Where it stands in the buffer, or that it does not. Written under the trace's lock.
    place: AtomicU32,
}

impl OverLimitSpan {
    pub(super) fn new(
        trace: Arc<LocalTrace>,
        span: NewSpan,
        baggage: Baggage,
        limit: Reason,
    ) -> Self {
        let NewSpan { id, parent, start, name, kind } = span;
        let place = AtomicU32::new(WAITING);
        Self { trace, id, baggage, limit, parent, start, name, kind, place }
    }

    pub(super) fn context(&self) -> TraceContext {
        let mut context = self.trace.context(self.id, self.parent);
        context.baggage = self.baggage.clone();
        context
    }

    #[cold]
    pub(super) fn child(&self, name: Cow<'static, str>) -> ActiveSpan {
        let Some(recorder) = self.trace.recorder.as_ref() else {
            return ActiveSpan::Unrecorded(UnrecordedSpan::nowhere(self.trace.head.trace_id));
        };
        let (start, baggage) = (recorder.clock.now(), self.baggage.clone());
        recorder.start_child(&self.trace, self.id, start, name, SpanKind::Internal, baggage)
    }

    pub(super) fn finish(&self, end: Option<Tick>) {
        if let Some(recorder) = self.trace.recorder.as_deref() {
            recorder.finish_over_limit(self, end, CompletedTrace::decide);
        }
    }

    pub(super) fn finish_with(&self, end: Option<Tick>, after: impl FnOnce(CompletedTrace)) {
        if let Some(recorder) = self.trace.recorder.as_deref() {
            recorder.finish_over_limit(self, end, after);
        }
    }

    /// Where it stood when it was put on record; `None` when it was not.
    pub(super) fn place(&self) -> Option<u32> {
        Some(self.place.load(Ordering::Relaxed)).filter(|place| *place < ENDED)
    }

    /// Marks a span that is not on record as ended; true the first time.
    pub(super) fn end_without_record(&self) -> bool {
        let (waiting, ended) = (WAITING, ENDED);
        self.place.compare_exchange(waiting, ended, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    /// Records the span after all, because it failed.
    pub(super) fn record_failed(&self) {
        let Some(recorder) = self.trace.recorder.as_deref() else { return };
        let limits = &recorder.limits;
        let reserve = (limits.spans_per_trace / 8).max(1);
        let most = limits.spans_per_trace.saturating_add(reserve) as usize;
        let mut live = self.trace.live();
        let is_waiting = self.place.load(Ordering::Relaxed) == WAITING && live.over_limit > 0;
        if !is_waiting || live.store.len() >= most {
            return;
        }
        self.trace.mark_worth_keeping();
        if let Ok(place) = live.store.push_failed_span(self.span(), &limits.span) {
            self.place.store(place, Ordering::Relaxed);
            live.over_limit -= 1;
        }
        recorder.unlock(&self.trace, live, false);
    }

    fn span(&self) -> NewSpan {
        let Self { id, parent, start, kind, .. } = self;
        let name = self.name.clone();
        NewSpan { id: *id, parent: *parent, start: *start, name, kind: *kind }
    }
}

impl Drop for OverLimitSpan {
    fn drop(&mut self) {
        self.finish(None);
    }
}
