//! A span that is running, as the doors hold it.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::Start;
use super::local::{Live, LocalTrace};
use super::recorder::Recorder;
use crate::kit::Tick;
use crate::kit::stripe::Stripe;
use crate::ledger::{Ledger, Reason};
use crate::model::store::NewSpan;
use crate::model::{
    Baggage, Limits, Link, LocalHandle, LogLevel, SpanId, SpanKind, Status, TagRef, TraceContext,
    TraceFlags, TraceId, TraceState,
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

/// A span of which only the identity exists.
#[derive(Debug)]
pub(crate) struct Unrecorded {
    pub(super) trace_id: TraceId,
    pub(super) id: SpanId,
    pub(super) parent: Option<SpanId>,
    pub(super) flags: TraceFlags,
    pub(super) trace_state: TraceState,
    pub(super) baggage: Baggage,
    pub(super) fate: Fate,
}

/// Why a span is not recorded, and who counts its children.
#[derive(Debug)]
pub(super) enum Fate {
    /// The head dropped the trace. Children count in the same stripe.
    SampledOut(Arc<Stripe>),
    /// It came too late or from the wrong thread. Counted already.
    Refused(Arc<Ledger>, Reason),
    /// Its trace is full. Counted when it ends, unless it fails and is recorded after all.
    Beyond(Box<Beyond>),
}

/// What is needed to record a span beyond the limit after all.
#[derive(Debug)]
pub(super) struct Beyond {
    pub(super) trace: Arc<LocalTrace>,
    pub(super) reason: Reason,
    id: SpanId,
    parent: Option<SpanId>,
    start: Tick,
    name: Cow<'static, str>,
    kind: SpanKind,
    ended: AtomicBool,
}

impl Beyond {
    pub(super) fn new(trace: Arc<LocalTrace>, span: NewSpan, reason: Reason) -> Self {
        let NewSpan {
            id,
            parent,
            start,
            name,
            kind,
        } = span;
        Self {
            trace,
            reason,
            id,
            parent,
            start,
            name,
            kind,
            ended: AtomicBool::new(false),
        }
    }

    /// True the first time it is asked.
    pub(super) fn end_once(&self) -> bool {
        !self.ended.swap(true, Ordering::Relaxed)
    }

    fn span(&self) -> NewSpan {
        let Self {
            id,
            parent,
            start,
            kind,
            ..
        } = self;
        NewSpan {
            id: *id,
            parent: *parent,
            start: *start,
            name: self.name.clone(),
            kind: *kind,
        }
    }
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
        matches!(
            self,
            Self::Recording(_)
                | Self::Unrecorded(Unrecorded {
                    fate: Fate::Beyond(_),
                    ..
                })
        )
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
            Self::Unrecorded(span) => span.id,
        }
    }

    pub(crate) fn baggage(&self) -> &Baggage {
        match self {
            Self::Recording(span) => &span.baggage,
            Self::Unrecorded(span) => &span.baggage,
        }
    }

    /// Starts a child; what `new` says about a parent does not count.
    #[inline]
    pub(crate) fn child(&self, new: Start<'_>) -> Self {
        match self {
            Self::Recording(span) => match span.parts() {
                Some((trace, recorder)) => recorder.start_in(trace, span.id, new),
                None => Self::Unrecorded(span.orphan(new.baggage)),
            },
            Self::Unrecorded(span) => span.child(new),
        }
    }

    #[inline]
    pub(crate) fn set_tag(&self, key: Cow<'static, str>, value: TagRef<'_>) {
        self.write(|live, span, limits| {
            live.store.set_tag(span, key, value, limits);
        });
    }

    /// Adds a log entry that is said now; its number, for the fields.
    pub(crate) fn log(&self, level: LogLevel, message: &str) -> Option<u32> {
        let now = self.recorder()?.clock.now();
        self.write(|live, span, limits| {
            live.store
                .push_log(span, now, level, message.into(), limits)
        })
        .flatten()
    }

    pub(crate) fn set_field(&self, log: u32, key: Cow<'static, str>, value: TagRef<'_>) {
        self.write(|live, _, limits| live.store.set_field(log, key, value, limits));
    }

    pub(crate) fn add_link(&self, link: Link) {
        self.write(|live, span, limits| live.store.push_link(span, link, limits));
    }

    pub(crate) fn rename(&self, name: Cow<'static, str>) {
        self.write(|live, span, limits| live.store.rename(span, name, limits));
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
        self.write(|live, span, limits| live.store.set_status(span, status, limits));
    }

    /// Ends the span at `end` or now; a span ends once.
    #[inline]
    pub(crate) fn finish(&self, end: Option<Tick>) {
        match self {
            Self::Recording(span) => {
                if let Some((trace, recorder)) = span.parts() {
                    recorder.finish(trace, span.index, span.id, end);
                }
            }
            Self::Unrecorded(span) => {
                if let Fate::Beyond(beyond) = &span.fate
                    && let Some(recorder) = beyond.trace.recorder.as_deref()
                {
                    recorder.finish_beyond(beyond, span.id, end);
                }
            }
        }
    }

    fn recorder(&self) -> Option<&Arc<Recorder>> {
        match self {
            Self::Recording(span) => span.parts().map(|(_, recorder)| recorder),
            Self::Unrecorded(Unrecorded {
                fate: Fate::Beyond(beyond),
                ..
            }) => beyond.trace.recorder.as_ref(),
            Self::Unrecorded(_) => None,
        }
    }

    /// Writes into the span's record; `None` when it has none or has ended.
    #[inline]
    fn write<R>(&self, write: impl FnOnce(&mut Live, u32, &Limits) -> R) -> Option<R> {
        let (trace, guess, id) = match self {
            Self::Recording(span) => (span.trace.as_ref()?, span.index, span.id),
            Self::Unrecorded(Unrecorded {
                fate: Fate::Beyond(beyond),
                id,
                ..
            }) => (&beyond.trace, u32::MAX, *id),
            Self::Unrecorded(_) => return None,
        };
        let recorder = trace.recorder.as_deref()?;
        let mut live = trace.live();
        let index = live.store.find(guess, id)?;
        if !live.store.is_open(index) {
            return None;
        }
        let result = write(&mut live, index, &recorder.limits.span);
        recorder.unlock(trace, live, false);
        Some(result)
    }
}

impl Drop for ActiveSpan {
    #[inline]
    fn drop(&mut self) {
        self.finish(None);
        if let Self::Recording(span) = self
            && let Some(trace) = span.trace.take()
            && Arc::strong_count(&trace) == 1
        {
            Recorder::recycle(trace);
        }
    }
}

impl Recording {
    #[inline]
    fn parts(&self) -> Option<(&Arc<LocalTrace>, &Arc<Recorder>)> {
        let trace = self.trace.as_ref()?;
        trace.recorder.as_ref().map(|recorder| (trace, recorder))
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

    /// A child while the span is being dropped, which nobody can ask for.
    #[cold]
    fn orphan(&self, baggage: Baggage) -> Unrecorded {
        let (trace_id, flags) = match &self.trace {
            Some(trace) => (trace.head.trace_id, trace.head.flags()),
            None => (TraceId::new(), TraceFlags::default()),
        };
        let (id, parent, fate) = (
            SpanId::new(),
            Some(self.id),
            Fate::SampledOut(Arc::default()),
        );
        Unrecorded {
            trace_id,
            id,
            parent,
            flags,
            trace_state: TraceState::default(),
            baggage,
            fate,
        }
    }
}

impl Unrecorded {
    fn context(&self) -> TraceContext {
        let mut context = TraceContext::new(self.trace_id, self.id).with_flags(self.flags);
        context.parent_span_id = self.parent;
        context.trace_state = match self.fate {
            // Whoever continues a trace that is not sampled must not promise a probability for it.
            Fate::SampledOut(_) | Fate::Refused(..) => self.trace_state.with_threshold(None),
            Fate::Beyond(_) => self.trace_state.clone(),
        };
        context.baggage = self.baggage.clone();
        match &self.fate {
            Fate::SampledOut(stripe) => {
                let stripe: Arc<Stripe> = Arc::clone(stripe);
                context.with_local(LocalHandle::new(stripe))
            }
            Fate::Refused(..) => context,
            Fate::Beyond(beyond) => {
                let trace: Arc<LocalTrace> = Arc::clone(&beyond.trace);
                context.with_local(LocalHandle::new(trace))
            }
        }
    }

    #[inline]
    fn child(&self, new: Start<'_>) -> ActiveSpan {
        let fate = match &self.fate {
            Fate::SampledOut(stripe) => {
                stripe.add(1);
                Fate::SampledOut(Arc::clone(stripe))
            }
            Fate::Refused(ledger, reason) => {
                ledger.started(1);
                ledger.dropped(*reason, 1);
                Fate::Refused(Arc::clone(ledger), *reason)
            }
            Fate::Beyond(beyond) => {
                return match beyond.trace.recorder.as_ref() {
                    Some(recorder) => recorder.start_in(&beyond.trace, self.id, new),
                    None => ActiveSpan::Unrecorded(
                        self.identity(new.baggage, Fate::SampledOut(Arc::default())),
                    ),
                };
            }
        };
        ActiveSpan::Unrecorded(self.identity(new.baggage, fate))
    }

    #[inline]
    fn identity(&self, baggage: Baggage, fate: Fate) -> Self {
        Self {
            trace_id: self.trace_id,
            id: SpanId::new(),
            parent: Some(self.id),
            flags: self.flags,
            trace_state: self.trace_state.clone(),
            baggage,
            fate,
        }
    }

    /// Records a span beyond the limit after all, because it failed.
    fn rescue(&self) {
        let Fate::Beyond(beyond) = &self.fate else {
            return;
        };
        let Some(recorder) = beyond.trace.recorder.as_deref() else {
            return;
        };
        beyond.trace.mark_worth_keeping();
        let limits = &recorder.limits;
        let reserve = (limits.spans_per_trace / 8).max(1);
        let mut live = beyond.trace.live();
        let known = live.store.find(u32::MAX, self.id).is_some();
        let fits = live.store.len() < limits.spans_per_trace.saturating_add(reserve) as usize;
        if !known
            && fits
            && live.beyond_limit > 0
            && live.store.push_span(beyond.span(), &limits.span).is_ok()
        {
            live.beyond_limit -= 1;
        }
        recorder.unlock(&beyond.trace, live, false);
    }
}
