//! A span for which its trace has no room.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use super::recorded::decide;
use crate::kit::unwinding;
use crate::ledger::Reason;
use crate::model::{Baggage, SpanId, SpanKind, TraceContext};
use crate::record::local::{Due, LiveSpans, LocalTrace};
use crate::record::recorder::Recorder;
use crate::time::Tick;
use crate::trace::store::{NewSpan, SpanIndex};

/// The span is not on record and has not ended.
const WAITING: u32 = u32::MAX;

/// The span has ended without a record.
const ENDED: u32 = u32::MAX - 1;

/// A span over its trace's limit. It is dropped when it ends, unless it fails: errors are kept
/// first, and a reserve is kept for them.
#[derive(Debug)]
pub(crate) struct OverLimitSpan {
    pub(super) trace: Arc<LocalTrace<Recorder>>,
    pub(super) id: SpanId,
    pub(super) baggage: Baggage,
    limit: Reason,
    parent: Option<SpanId>,
    start: Tick,
    name: Cow<'static, str>,
    kind: SpanKind,
    /// Whether its thread was panicking when it began: the panic does not pass through it then.
    began_in_panic: bool,
    /// Where it stands in the buffer, or that it does not.
    // Relaxed: it is written under the trace's lock. A reader without the lock that misses a record just
    // made writes nothing, as a moment before.
    index: AtomicU32,
}

impl OverLimitSpan {
    pub(in crate::record) fn new(
        trace: Arc<LocalTrace<Recorder>>,
        span: NewSpan,
        baggage: Baggage,
        limit: Reason,
    ) -> Self {
        let NewSpan { id, parent, start, name, kind } = span;
        let index = AtomicU32::new(WAITING);
        let began_in_panic = thread::panicking();
        Self { trace, id, baggage, limit, parent, start, name, kind, began_in_panic, index }
    }

    pub(super) fn context(&self) -> TraceContext {
        let mut context = self.trace.context(self.id, self.parent);
        context.baggage = self.baggage.clone();
        context
    }

    pub(super) fn finish(
        &self,
        end: Option<Tick>,
        after: impl FnOnce(&Arc<LocalTrace<Recorder>>, Due, Tick),
    ) {
        let Recorder { clock, traces, completion, ledger, .. } = &*self.trace.owner;
        let now = clock.now();
        let end = end.unwrap_or(now);
        let mut live = self.trace.lock();
        if let Some(index) = self.index() {
            let ended = live.store.recorded_mut().finish(index, self.id, end);
            if ended.is_some() {
                completion.span_ended(traces, &self.trace, live, ended, now, after);
            }
        } else if live.over_limit() > 0 && self.end_without_record() {
            ledger.dropped(self.limit, 1);
            traces.change_parts(&self.trace, &mut live, LiveSpans::remove_over_limit);
            completion.span_ended(traces, &self.trace, live, None, now, after);
        }
    }

    /// Where it stood when it was put on record; `None` when it was not.
    pub(super) fn index(&self) -> Option<SpanIndex> {
        let index = self.index.load(Ordering::Relaxed);
        (index < ENDED).then_some(SpanIndex::new(index))
    }

    /// Marks a span that is not on record as ended; true the first time.
    fn end_without_record(&self) -> bool {
        self.index.compare_exchange(WAITING, ENDED, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    /// Puts the span on record after all, because it failed.
    pub(super) fn record_failed(&self) {
        let recorder = &*self.trace.owner;
        let limits = &recorder.limits;
        let mut live = self.trace.lock();
        let is_waiting = self.index.load(Ordering::Relaxed) == WAITING && live.over_limit() > 0;
        if !is_waiting || live.store.len() >= limits.max_spans(true) {
            return;
        }
        self.trace.mark_worth_keeping();
        if let Ok(index) = live.store.recorded_mut().push_failed_span(self.span(), &limits.span) {
            self.index.store(index.get(), Ordering::Relaxed);
            recorder.traces.change_parts(&self.trace, &mut live, LiveSpans::remove_over_limit);
        }
        recorder.traces.unlock(&self.trace, live, false);
    }

    /// Marks the span as failed because a panic passes through it, unless it began while its thread was panicking.
    #[cold]
    pub(super) fn fail_by_panic(&self) {
        if !self.began_in_panic {
            self.record_failed();
            if let Some(index) = self.index() {
                let recorder = &*self.trace.owner;
                recorder.write(&self.trace, index, self.id, |span| span.fail_by_panic());
            }
        }
    }

    fn span(&self) -> NewSpan {
        let Self { id, parent, start, kind, .. } = self;
        let name = self.name.clone();
        NewSpan { id: *id, parent: *parent, start: *start, name, kind: *kind }
    }
}

impl Drop for OverLimitSpan {
    fn drop(&mut self) {
        if unwinding::passes_here() {
            self.fail_by_panic();
        }
        self.finish(None, decide);
    }
}
