//! A span that is running, as the doors hold it.

use std::borrow::Cow;
use std::sync::Arc;

use super::local::LocalTrace;
use super::recorder::Recorder;
use super::unrecorded::{Fate, Unrecorded};
use crate::kit::Tick;
use crate::model::store::SpanStore;
use crate::model::{
    Baggage, Limits, Link, LogLevel, SpanId, SpanKind, Status, TagRef, TraceContext, TraceFlags,
    TraceId, TraceState,
};

/// A running span. Dropping it ends it.
#[derive(Debug)]
pub(crate) enum ActiveSpan {
    Recording(Recording),
    Unrecorded(Unrecorded),
}

/// A span in the buffer of a local trace.
#[derive(Debug)]
pub(crate) struct Recording {
    /// `None` only while it is being dropped.
    pub(super) trace: Option<Arc<LocalTrace>>,
    pub(super) id: SpanId,
    /// Where the span stood when it was added.
    pub(super) index: u32,
    pub(super) baggage: Baggage,
}

impl ActiveSpan {
    #[inline]
    pub(crate) fn is_recording(&self) -> bool {
        matches!(self, Self::Recording(_))
    }

    /// Whether what is written may be kept; false spares the caller the conversion. True for a span
    /// beyond the limit too, which an error puts on record.
    #[inline]
    pub(crate) fn may_write(&self) -> bool {
        match self {
            Self::Recording(_) => true,
            Self::Unrecorded(span) => span.beyond().is_some(),
        }
    }

    /// What this span tells the next.
    pub(crate) fn context(&self) -> TraceContext {
        match self {
            Self::Recording(span) => span.context(),
            Self::Unrecorded(span) => span.context(),
        }
    }

    pub(crate) fn span_id(&self) -> SpanId {
        match self {
            Self::Recording(span) => span.id,
            Self::Unrecorded(span) => span.id(),
        }
    }

    pub(crate) fn baggage(&self) -> &Baggage {
        match self {
            Self::Recording(span) => &span.baggage,
            Self::Unrecorded(span) => span.baggage(),
        }
    }

    /// Starts a child, which inherits the baggage.
    #[inline]
    pub(crate) fn child(&self, name: Cow<'static, str>) -> Self {
        match self {
            Self::Recording(span) => span.child(name),
            Self::Unrecorded(span) => span.child(name),
        }
    }

    pub(crate) fn set_tag(&self, key: Cow<'static, str>, value: TagRef<'_>) {
        self.write(|store, span, limits| {
            store.set_tag(span, key, value, limits);
        });
    }

    /// Adds a log entry that is said now; its number, for the fields.
    pub(crate) fn log(&self, level: LogLevel, message: &str) -> Option<u32> {
        let now = self.recorder()?.clock.now();
        self.write(|store, span, limits| store.push_log(span, now, level, message, limits))
            .flatten()
    }

    pub(crate) fn set_field(&self, log: u32, key: Cow<'static, str>, value: TagRef<'_>) {
        self.write(|store, _, limits| store.set_field(log, key, value, limits));
    }

    pub(crate) fn add_link(&self, link: Link) {
        self.write(|store, span, limits| store.push_link(span, link, limits));
    }

    pub(crate) fn rename(&self, name: Cow<'static, str>) {
        self.write(|store, span, limits| store.rename(span, name, limits));
    }

    /// Says how it went. An error makes the span worth recording even beyond the limit.
    pub(crate) fn set_status(&self, status: Status) {
        if status.is_error() {
            match self {
                Self::Recording(span) => {
                    if let Some((trace, _)) = span.parts() {
                        trace.mark_worth_keeping();
                    }
                }
                Self::Unrecorded(span) => span.rescue(),
            }
        }
        self.write(|store, span, limits| store.set_status(span, status, limits));
    }

    /// Ends the span at `end` or now; a span ends once.
    #[inline]
    pub(crate) fn finish(&self, end: Option<Tick>) {
        match self {
            Self::Recording(span) => span.finish(end),
            Self::Unrecorded(span) => span.finish(end),
        }
    }

    fn recorder(&self) -> Option<&Arc<Recorder>> {
        match self {
            Self::Recording(span) => span.parts().map(|(_, recorder)| recorder),
            Self::Unrecorded(span) => span
                .beyond()
                .and_then(|beyond| beyond.trace.recorder.as_ref()),
        }
    }

    /// Writes into the span's record; `None` when it has none or has ended.
    #[inline]
    fn write<R>(&self, write: impl FnOnce(&mut SpanStore, u32, &Limits) -> R) -> Option<R> {
        let (trace, guess, id) = match self {
            Self::Recording(span) => (span.trace.as_ref()?, span.index, span.id),
            Self::Unrecorded(span) => (&span.beyond()?.trace, u32::MAX, span.id()),
        };
        let recorder = trace.recorder.as_deref()?;
        let mut live = trace.live();
        let index = live.store.find_open(guess, id)?;
        let result = write(&mut live.store, index, &recorder.limits.span);
        recorder.unlock(trace, live, false);
        Some(result)
    }
}

impl Drop for Recording {
    #[inline]
    fn drop(&mut self) {
        self.end();
    }
}

impl Recording {
    #[inline]
    fn parts(&self) -> Option<(&Arc<LocalTrace>, &Arc<Recorder>)> {
        let trace = self.trace.as_ref()?;
        trace.recorder.as_ref().map(|recorder| (trace, recorder))
    }

    #[inline]
    fn finish(&self, end: Option<Tick>) {
        if let Some((trace, recorder)) = self.parts() {
            recorder.finish(trace, self.index, self.id, end);
        }
    }

    fn context(&self) -> TraceContext {
        let Some(trace) = &self.trace else {
            return TraceContext::new(TraceId::new(), self.id);
        };
        let live = trace.live();
        let index = live.store.find(self.index, self.id);
        let parent = index
            .and_then(|index| live.store.span(index))
            .and_then(|record| record.parent);
        drop(live);
        let mut context = trace.context(self.id, parent);
        context.baggage = self.baggage.clone();
        context
    }

    // Not inlined, so that the drop of a span that is not recorded stays a few instructions.
    #[inline(never)]
    fn end(&mut self) {
        self.finish(None);
        if let Some(trace) = self.trace.take()
            && Arc::strong_count(&trace) == 1
        {
            Recorder::recycle(trace);
        }
    }

    #[inline(never)]
    fn child(&self, name: Cow<'static, str>) -> ActiveSpan {
        let Some((trace, recorder)) = self.parts() else {
            return self.orphan();
        };
        let (start, baggage) = (recorder.clock.now(), self.baggage.clone());
        recorder.start_child(trace, self.id, start, name, SpanKind::Internal, baggage)
    }

    /// A child while the span is being dropped, which nobody can ask for.
    #[cold]
    fn orphan(&self) -> ActiveSpan {
        let trace_id = self
            .trace
            .as_ref()
            .map_or_else(TraceId::new, |trace| trace.head.trace_id);
        let fate = Fate::SampledOut(TraceFlags::default(), Arc::default());
        let (state, baggage) = (TraceState::default(), self.baggage.clone());
        ActiveSpan::Unrecorded(Unrecorded::new(trace_id, None, state, baggage, fate))
    }
}
