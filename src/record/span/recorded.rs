//! A span in the buffer of a local trace.

use std::sync::Arc;
use std::thread;

use crate::kit::unwinding;
use crate::model::{Baggage, SpanId, TraceContext};
#[cfg(feature = "layer")]
use crate::record::completion::CompletedTrace;
use crate::record::local::{Due, LocalTrace, TraceOwner};
use crate::record::recorder::Recorder;
use crate::time::Tick;
use crate::trace::store::SpanIndex;

/// A span in the buffer of a local trace.
#[derive(Debug)]
pub(crate) struct RecordedSpan {
    pub(in crate::record) trace: Arc<LocalTrace<Recorder>>,
    pub(in crate::record) id: SpanId,
    /// Where the span stood when it was added. Spans before it may have left since.
    pub(in crate::record) index: SpanIndex,
    /// Whether the holder has ended it, so that its drop need not look for it.
    has_ended: bool,
    /// Whether its thread was panicking when it began: the panic does not pass through it then.
    began_in_panic: bool,
    pub(in crate::record) baggage: Baggage,
}

impl RecordedSpan {
    #[inline]
    pub(in crate::record) fn new(
        trace: Arc<LocalTrace<Recorder>>,
        id: SpanId,
        index: SpanIndex,
        baggage: Baggage,
    ) -> Self {
        let began_in_panic = thread::panicking();
        Self { trace, id, index, has_ended: false, began_in_panic, baggage }
    }

    #[cfg(any(feature = "layer", feature = "otel", test))]
    #[inline(always)]
    pub(super) fn finish(
        &self,
        end: Option<Tick>,
        after: impl FnOnce(&Arc<LocalTrace<Recorder>>, Due, Tick),
    ) {
        let now = self.trace.owner.clock.now();
        self.finish_at(end.unwrap_or(now), now, after);
    }

    /// Ends the span at `end`, which may be whatever the program says; a decision that follows is made `now`.
    #[inline(always)]
    fn finish_at(
        &self,
        end: Tick,
        now: Tick,
        after: impl FnOnce(&Arc<LocalTrace<Recorder>>, Due, Tick),
    ) {
        let recorder = &*self.trace.owner;
        let mut live = self.trace.lock();
        let ended = live.store.recorded_mut().finish(self.index, self.id, end);
        if ended.is_some() {
            let completion = &recorder.completion;
            completion.span_ended(&recorder.traces, &self.trace, live, ended, now, after);
        }
    }

    #[cfg(feature = "layer")]
    #[inline]
    pub(super) fn finish_with(
        &mut self,
        end: Option<Tick>,
        after: impl FnOnce(CompletedTrace<Recorder>),
    ) {
        self.finish(end, |trace, due, now| after(CompletedTrace::new(trace, due, now)));
        self.has_ended = true;
    }

    /// Marks the span as failed because a panic passes through it, unless it began while its thread was panicking.
    #[cold]
    pub(super) fn fail_by_panic(&self) {
        if !self.began_in_panic {
            let recorder = &*self.trace.owner;
            recorder.write(&self.trace, self.index, self.id, |span| span.fail_by_panic());
        }
    }

    pub(super) fn context(&self) -> TraceContext {
        let live = self.trace.lock();
        let records = live.store.outlines(self.trace.header.correction);
        let index = records.find(self.index, self.id);
        let parent = index.and_then(|index| records.span(index)).and_then(|span| span.parent);
        drop(live);
        let mut context = self.trace.context(self.id, parent);
        context.baggage = self.baggage.clone();
        context
    }

    // Out of line, so that what callers inline is the few instructions of a span that is not recorded.
    #[inline(never)]
    fn end(&mut self) {
        // Read first: what is known of panics need not be kept across the call.
        let now = self.trace.owner.clock.now();
        // A panic passes through the span: it has failed, though no status says so.
        if unwinding::passes_here() {
            self.fail_by_panic();
        }
        self.finish_at(now, now, decide);
    }
}

/// Decides what is complete of a trace where a span of it has ended.
pub(super) fn decide(trace: &Arc<LocalTrace<Recorder>>, due: Due, now: Tick) {
    trace.owner.decide(trace, due, now);
}

impl Drop for RecordedSpan {
    #[inline]
    fn drop(&mut self) {
        if !self.has_ended {
            self.end();
        }
    }
}
