//! A span that is running, as the doors hold it.

use std::borrow::Cow;
use std::sync::Arc;

use super::complete::CompletedTrace;
use super::over_limit::OverLimitSpan;
use super::recorded::RecordedSpan;
use super::recorder::Recorder;
use super::unrecorded::UnrecordedSpan;
use crate::model::{
    Baggage, Limits, Link, LogLevel, SpanKind, Status, TagArg, TagRef, TraceContext, TraceId,
};
use crate::time::Tick;
use crate::trace::{ErrorDetails, SpanMut};

/// A detail of a log entry.
pub(crate) type Field<'v> = (Cow<'static, str>, TagArg<'v>);

/// A running span. Dropping it ends it.
#[derive(Debug)]
pub(crate) enum ActiveSpan {
    /// It stands in the buffer of a local trace.
    Recorded(RecordedSpan),
    /// Its trace is not recorded.
    Unrecorded(UnrecordedSpan),
    /// Its trace is full.
    OverLimit(Box<OverLimitSpan>),
}

impl ActiveSpan {
    #[inline]
    pub(crate) fn is_recording(&self) -> bool {
        matches!(self, Self::Recorded(_))
    }

    /// Whether what is written may be kept; false spares the caller the conversion. True for a span
    /// beyond the limit too, which an error puts on record.
    #[inline]
    pub(crate) fn may_write(&self) -> bool {
        matches!(self, Self::Recorded(_) | Self::OverLimit(_))
    }

    /// The trace of a span that is not recorded; `None` for others.
    #[cfg_attr(not(feature = "otel"), allow(dead_code))]
    pub(crate) fn dropped_trace(&self) -> Option<TraceId> {
        if let Self::Unrecorded(span) = self { Some(span.trace_id()) } else { None }
    }

    /// How long any text may be before it is cut.
    pub(crate) fn value_bytes(&self) -> usize {
        let limits = self.recorder().map_or_else(Limits::default, |recorder| recorder.limits.span);
        limits.most_bytes()
    }

    /// What this span tells the next.
    pub(crate) fn context(&self) -> TraceContext {
        match self {
            Self::Recorded(span) => span.context(),
            Self::Unrecorded(span) => span.context(),
            Self::OverLimit(span) => span.context(),
        }
    }

    pub(crate) fn baggage(&self) -> &Baggage {
        match self {
            Self::Recorded(span) => &span.baggage,
            Self::Unrecorded(span) => span.baggage(),
            Self::OverLimit(span) => &span.baggage,
        }
    }

    /// Starts a child, which inherits the baggage.
    // Inlined only as far as most traces of most services go.
    #[inline(always)]
    pub(crate) fn child(&self, name: Cow<'static, str>) -> Self {
        if let Self::Unrecorded(span) = self {
            return Self::Unrecorded(span.child());
        }
        self.child_with_record(name)
    }

    #[inline(never)]
    fn child_with_record(&self, name: Cow<'static, str>) -> Self {
        match self {
            Self::Recorded(span) => span.child(name),
            Self::Unrecorded(span) => Self::Unrecorded(span.child()),
            Self::OverLimit(span) => span.child(name),
        }
    }

    pub(crate) fn set_tag(&self, key: Cow<'static, str>, value: TagRef<'_>) {
        self.write(|span| span.set_tag_inlined(key, value));
    }

    /// Adds a log entry that is said now, with its fields; false when the span has no record.
    pub(crate) fn log(&self, level: LogLevel, message: &str, fields: Vec<Field<'_>>) -> bool {
        let Some(recorder) = self.recorder() else { return false };
        let now = recorder.clock.now();
        let written = self.write(|span| {
            let log = span.push_log(now, level, message);
            for (key, value) in fields {
                if let Some(log) = log {
                    span.set_field(log, key, value);
                }
            }
        });
        written.is_some()
    }

    pub(crate) fn add_link(&self, link: Link) {
        self.edit(|span| {
            span.add_link(link);
        });
    }

    pub(crate) fn set_name(&self, name: Cow<'static, str>) {
        self.edit(|span| {
            span.set_name(name);
        });
    }

    pub(crate) fn set_kind(&self, kind: SpanKind) {
        self.edit(|span| {
            span.set_kind(kind);
        });
    }

    /// Says how it went. An error makes the span worth recording even beyond the limit.
    pub(crate) fn set_status(&self, status: Status) {
        if status.is_error() {
            self.record_failed();
        }
        self.edit(|span| {
            span.set_status(status);
        });
    }

    /// Sets the status to an error, and adds the log entry of that error.
    pub(crate) fn set_error(&self, error: &ErrorDetails) {
        let Some(recorder) = self.recorder() else { return };
        let now = recorder.clock.now();
        self.record_failed();
        self.edit(|span| span.push_error(now, error));
    }

    /// Puts a span beyond the limit on record, because it is about to be said to have failed.
    pub(crate) fn record_failed(&self) {
        if let Self::OverLimit(span) = self {
            span.record_failed();
        }
    }

    /// Says several things under one lock; false when the span has no record or has ended.
    #[inline]
    pub(crate) fn edit(&self, edit: impl FnOnce(&mut SpanMut<'_>)) -> bool {
        let failed = self.write(|span| {
            edit(span);
            span.has_failed()
        });
        if let (Some(true), Self::Recorded(span)) = (failed, self) {
            span.mark_worth_keeping();
        }
        failed.is_some()
    }

    /// Ends the span at `end` or now; a span ends once.
    #[inline]
    pub(crate) fn finish(&self, end: Option<Tick>) {
        match self {
            Self::Recorded(span) => span.finish(end),
            Self::OverLimit(span) => span.finish(end),
            Self::Unrecorded(_) => {}
        }
    }

    /// Ends the span at `end` or now. When that completes its trace, the decision is left to `after`: for callers
    /// who must not run user code where they are.
    #[inline(always)]
    pub(crate) fn finish_with(&mut self, end: Option<Tick>, after: impl FnOnce(CompletedTrace)) {
        match self {
            Self::Recorded(span) => span.finish_with(end, after),
            Self::OverLimit(span) => span.finish_with(end, after),
            Self::Unrecorded(_) => {}
        }
    }

    #[inline(always)]
    pub(crate) fn recorder(&self) -> Option<&Arc<Recorder>> {
        match self {
            Self::Recorded(span) => span.parts().map(|(_, recorder)| recorder),
            Self::OverLimit(span) => span.trace.recorder.as_ref(),
            Self::Unrecorded(_) => None,
        }
    }

    /// Writes into the span's record; `None` when it has none or has ended.
    #[inline]
    fn write<R>(&self, write: impl FnOnce(&mut SpanMut<'_>) -> R) -> Option<R> {
        let (trace, guess, id) = match self {
            Self::Recorded(span) => (span.trace.as_ref()?, span.index, span.id),
            Self::OverLimit(span) => (&span.trace, span.place()?, span.id),
            Self::Unrecorded(_) => return None,
        };
        trace.write(guess, id, write)
    }
}
