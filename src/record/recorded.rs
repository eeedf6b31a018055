//! A span in the buffer of a local trace.

use std::borrow::Cow;
use std::sync::Arc;

use super::active::ActiveSpan;
use super::complete::CompletedTrace;
use super::local::LocalTrace;
use super::recorder::Recorder;
use super::unrecorded::UnrecordedSpan;
use crate::model::{Baggage, SpanId, SpanKind, TraceContext, TraceId};
use crate::time::Tick;

/// A span in the buffer of a local trace.
#[derive(Debug)]
pub(crate) struct RecordedSpan {
    /// `None` only while it is being dropped.
    pub(super) trace: Option<Arc<LocalTrace>>,
    pub(super) id: SpanId,
    /// Where the span stood when it was added.
    pub(super) index: u32,
    pub(super) baggage: Baggage,
}

impl RecordedSpan {
    #[inline]
    pub(super) fn parts(&self) -> Option<(&Arc<LocalTrace>, &Arc<Recorder>)> {
        let trace = self.trace.as_ref()?;
        trace.recorder.as_ref().map(|recorder| (trace, recorder))
    }

    #[inline]
    pub(super) fn finish(&self, end: Option<Tick>) {
        if let Some((trace, recorder)) = self.parts() {
            recorder.finish(trace, self.index, self.id, end, CompletedTrace::decide);
        }
    }

    #[inline]
    pub(super) fn finish_with(&mut self, end: Option<Tick>, after: impl FnOnce(CompletedTrace)) {
        if let Some((trace, recorder)) = self.parts() {
            recorder.finish(trace, self.index, self.id, end, after);
        }
        self.release();
    }

    pub(super) fn mark_worth_keeping(&self) {
        if let Some(trace) = &self.trace {
            trace.mark_worth_keeping();
        }
    }

    pub(super) fn context(&self) -> TraceContext {
        let Some(trace) = &self.trace else { return TraceContext::new(TraceId::new(), self.id) };
        let live = trace.live();
        let index = live.store.find(self.index, self.id);
        let parent = index.and_then(|index| live.store.span(index)).and_then(|span| span.parent);
        drop(live);
        let mut context = trace.context(self.id, parent);
        context.baggage = self.baggage.clone();
        context
    }

    #[inline]
    pub(super) fn child(&self, name: Cow<'static, str>) -> ActiveSpan {
        match self.parts() {
            Some((trace, recorder)) => {
                let (start, baggage) = (recorder.clock.now(), self.baggage.clone());
                recorder.start_child(trace, self.id, start, name, SpanKind::Internal, baggage)
            }
            None => ActiveSpan::Unrecorded(UnrecordedSpan::nowhere(TraceId::new())),
        }
    }

    // Out of line, so that what callers inline is the few instructions of a span that is not recorded.
    #[inline(never)]
    fn end(&mut self) {
        self.finish(None);
        self.release();
    }

    #[inline]
    fn release(&mut self) {
        if let Some(trace) = self.trace.take()
            && Arc::strong_count(&trace) == 1
        {
            Recorder::release_trace(trace);
        }
    }
}

impl Drop for RecordedSpan {
    #[inline]
    fn drop(&mut self) {
        if self.trace.is_some() {
            self.end();
        }
    }
}
