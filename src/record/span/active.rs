//! A span that is running, as a guard or the layer holds it.

use std::sync::Arc;
#[cfg(feature = "otel")]
use std::time::SystemTime;

use super::over_limit::OverLimitSpan;
use super::recorded::RecordedSpan;
#[cfg(any(feature = "otel", test))]
use super::recorded::decide;
use super::unrecorded::UnrecordedSpan;
#[cfg(feature = "layer")]
use super::writer::SpanWriter;
#[cfg(feature = "otel")]
use crate::kit::unwinding;
#[cfg(feature = "layer")]
use crate::model::TraceId;
use crate::model::{Baggage, Limits, LogLevel, Status, TagArg, TagKey, TagRef, TraceContext};
#[cfg(feature = "layer")]
use crate::record::completion::CompletedTrace;
use crate::record::recorder::Recorder;
#[cfg(any(feature = "layer", feature = "otel", test))]
use crate::time::Tick;
use crate::trace::{ErrorDetails, SpanMut};

/// A detail of a log entry.
pub(crate) type Field<'k, 'v> = (TagKey<'k>, TagArg<'v>);

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
    /// over the limit too, which an error puts on record.
    #[inline]
    pub(crate) fn may_write(&self) -> bool {
        matches!(self, Self::Recorded(_) | Self::OverLimit(_))
    }

    /// The trace of a span that is not recorded; `None` for a span with a record.
    #[cfg(feature = "layer")]
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

    /// Replaces the baggage, which children that start from now on inherit.
    #[cfg(feature = "layer")]
    pub(crate) fn set_baggage(&mut self, baggage: Baggage) {
        let (trace, old) = match self {
            Self::Recorded(span) => (&span.trace, &mut span.baggage),
            Self::OverLimit(span) => (&span.trace, &mut span.baggage),
            Self::Unrecorded(span) => return span.set_baggage(baggage),
        };
        trace.owner.traces.replace_baggage(trace, old, baggage);
    }

    /// Writes into the span under one lock; false when it has no record or has ended.
    ///
    /// A caller that is about to write an error calls [`record_failed`](Self::record_failed) first.
    #[inline]
    pub(crate) fn write(&self, write: impl FnOnce(&mut SpanMut<'_>)) -> bool {
        let (trace, guess, id) = match self {
            Self::Recorded(span) => (&span.trace, span.index, span.id),
            Self::OverLimit(span) => match span.index() {
                Some(index) => (&span.trace, index, span.id),
                None => return false,
            },
            Self::Unrecorded(_) => return false,
        };
        trace.owner.write(trace, guess, id, write)
    }

    #[inline]
    pub(crate) fn set_tag(&self, key: TagKey<'_>, value: TagRef<'_>) {
        match key.as_static() {
            Some(key) => self.set_static_tag(key, value),
            None => self.set_other_tag(key, value),
        }
    }

    // What a program sets nearly always: its key is two words, and leaves nothing to be dropped.
    #[inline(never)]
    fn set_static_tag(&self, key: &'static str, value: TagRef<'_>) {
        self.write(|span| span.set_tag_inlined(key, value));
    }

    #[inline(never)]
    fn set_other_tag(&self, key: TagKey<'_>, value: TagRef<'_>) {
        self.write(|span| {
            span.set_tag(key, value);
        });
    }

    /// Adds a log entry of this moment, with its fields; false when the span has no record.
    pub(crate) fn log(&self, level: LogLevel, message: &str, fields: Vec<Field<'_, '_>>) -> bool {
        let Some(recorder) = self.recorder() else { return false };
        let now = recorder.clock.now();
        if level >= LogLevel::Error {
            self.record_failed();
        }
        self.write(|span| {
            let log = span.push_log(now, level, message);
            for (key, value) in fields {
                if let Some(log) = log {
                    span.set_field(log, key, value);
                }
            }
        })
    }

    /// Sets the span's status. An error puts a span on record even over the limit.
    pub(crate) fn set_status(&self, status: Status) {
        if status.is_error() {
            self.record_failed();
        }
        self.write(|span| {
            span.set_status(status);
        });
    }

    /// Sets the status to an error, and adds the log entry of that error.
    pub(crate) fn set_error(&self, error: &ErrorDetails) {
        let Some(recorder) = self.recorder() else { return };
        let now = recorder.clock.now();
        self.record_failed();
        self.write(|span| span.push_error(now, error));
    }

    /// Marks the span, which is about to be ended by name, as failed where a panic passes through it. A span that is
    /// dropped does so itself.
    #[cfg(feature = "otel")]
    pub(crate) fn note_panic(&self) {
        if unwinding::passes_here() {
            match self {
                Self::Recorded(span) => span.fail_by_panic(),
                Self::OverLimit(span) => span.fail_by_panic(),
                Self::Unrecorded(_) => {}
            }
        }
    }

    /// Puts a span over the limit on record, because the caller is about to write that it has failed.
    pub(crate) fn record_failed(&self) {
        if let Self::OverLimit(span) = self {
            span.record_failed();
        }
    }

    /// Ends the span at `end` or now; a span ends once.
    #[cfg(any(feature = "otel", test))]
    #[inline]
    pub(crate) fn finish(&self, end: Option<Tick>) {
        match self {
            Self::Recorded(span) => span.finish(end, decide),
            Self::OverLimit(span) => span.finish(end, decide),
            Self::Unrecorded(_) => {}
        }
    }

    /// Ends the span at `end` or now. When that completes its trace, the decision is left to `after`: for callers
    /// who must not run user code where they are.
    #[cfg(feature = "layer")]
    #[inline(always)]
    pub(crate) fn finish_with(
        &mut self,
        end: Option<Tick>,
        after: impl FnOnce(CompletedTrace<Recorder>),
    ) {
        match self {
            Self::Recorded(span) => span.finish_with(end, after),
            Self::OverLimit(span) => {
                span.finish(end, |trace, due, now| after(CompletedTrace::new(trace, due, now)));
            }
            Self::Unrecorded(_) => {}
        }
    }

    #[inline(always)]
    pub(crate) fn recorder(&self) -> Option<&Arc<Recorder>> {
        match self {
            Self::Recorded(span) => Some(&span.trace.owner),
            Self::OverLimit(span) => Some(&span.trace.owner),
            Self::Unrecorded(_) => None,
        }
    }

    /// A way to this span for another holder; `None` when it is not on record.
    #[cfg(feature = "layer")]
    pub(crate) fn writer(&self) -> Option<SpanWriter> {
        match self {
            Self::Recorded(span) => Some(SpanWriter::new(&span.trace, span.id, span.index)),
            Self::OverLimit(_) | Self::Unrecorded(_) => None,
        }
    }

    /// The moment at which the wall clock shows `time`, if what is written into the span may be kept.
    #[cfg(feature = "otel")]
    pub(crate) fn tick_at(&self, time: SystemTime) -> Option<Tick> {
        let header = match self {
            Self::Recorded(span) => &span.trace.header,
            Self::OverLimit(span) => &span.trace.header,
            Self::Unrecorded(_) => return None,
        };
        Some(Tick::at_wall(time, header.correction))
    }
}
