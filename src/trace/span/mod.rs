//! A span that stands on its own.

use std::borrow::Cow;
use std::error::Error;
use std::time::{Duration, SystemTime};

use super::header::TraceHeader;
use super::store::{NewSpan, RecordedSpans, SpanIndex, SpanStore};
use super::{SpanMut, SpanRef};
use crate::model::{
    Limits, Link, LogLevel, SpanId, SpanKind, Status, TagArg, TagKey, TagRef, TraceContext,
};
use crate::time::{ClockCorrection, Tick, wall_now};

/// A span that stands on its own: made by hand, or copied out of a trace.
///
/// OpenTelemetry: `SpanData`. To trace a program use a [`Tracer`](crate::Tracer), which records into
/// a shared buffer; this type is for building traces in tests, in converters and in tools.
///
/// ```
/// use std::time::Duration;
/// use tailtrace::{LogLevel, Span, SpanId, TraceContext, TraceId};
/// let mut span = Span::new("read_row", TraceContext::new(TraceId::new(), SpanId::new()));
/// span.set_tag("table", "orders");
/// span.log(LogLevel::Info, "one row");
/// span.finish();
/// assert!(!span.is_error() && !span.is_slow(Duration::from_secs(60)));
/// ```
#[derive(Clone, Debug)]
pub struct Span {
    header: TraceHeader,
    store: SpanStore,
    context: TraceContext,
}

impl Span {
    /// Makes a span that starts at the present time.
    ///
    /// This, [`log`](Self::log), [`log_with_fields`](Self::log_with_fields), [`set_error`](Self::set_error) and
    /// [`finish`](Self::finish) read the machine's clock; [`started_at`](Self::started_at) and the methods that end in
    /// `_at` take the time as an argument.
    pub fn new(operation_name: impl Into<Cow<'static, str>>, context: TraceContext) -> Self {
        Self::started_at(operation_name, context, wall_now())
    }

    /// Makes a span that started at `start`.
    pub fn started_at(
        operation_name: impl Into<Cow<'static, str>>,
        context: TraceContext,
        start: SystemTime,
    ) -> Self {
        let mut header = TraceHeader::made_by_hand(context.trace_id);
        header.set_flags(context.flags);
        header.trace_state = context.trace_state.clone();
        let mut store = SpanStore::default();
        let span = NewSpan {
            id: context.span_id,
            parent: context.parent_span_id,
            start: Tick::at_wall(start, header.correction),
            name: operation_name.into(),
            kind: SpanKind::Internal,
        };
        // One span always fits a buffer without a limit.
        let pushed = store.recorded_mut().push_span(span, &Limits::DEFAULT);
        debug_assert!(pushed.is_ok(), "a store without a limit takes every span");
        Self { header, store, context }
    }

    /// Copies a span out of a trace.
    pub(super) fn copied(header: &TraceHeader, from: &RecordedSpans, index: SpanIndex) -> Self {
        let header = header.clone();
        let mut store = SpanStore::default();
        let records = store.recorded_mut();
        records.copy_span(from, index, ClockCorrection::NONE);
        let record = records.span(SpanIndex::FIRST);
        let id = record.map_or_else(SpanId::new, |record| record.id);
        let mut context = TraceContext::new(header.trace_id, id).with_flags(header.flags());
        context.parent_span_id = record.and_then(|record| record.parent);
        context.trace_state = header.trace_state.clone();
        Self { header, store, context }
    }

    /// Reads the span: its name, times, tags, logs, links and status.
    ///
    /// `None` does not occur for a span made by this crate's constructors.
    #[must_use]
    pub fn as_ref(&self) -> Option<SpanRef<'_>> {
        SpanRef::new(&self.header, &self.store, SpanIndex::FIRST)
    }

    /// The span's name: what it did.
    #[must_use]
    pub fn operation_name(&self) -> &str {
        self.as_ref().map_or("", SpanRef::operation_name)
    }

    /// The span's identity, with the baggage it was made with.
    #[must_use]
    pub fn context(&self) -> &TraceContext {
        &self.context
    }

    /// The value of one tag; `None` when it was not set.
    #[must_use]
    pub fn tag(&self, key: &str) -> Option<TagRef<'_>> {
        self.as_ref().and_then(|span| span.tag(key))
    }

    /// Lends the writer of the span, which writes more than the span's own setters.
    pub fn as_mut(&mut self) -> SpanMut<'_> {
        let correction = self.header.correction;
        SpanMut::new(self.store.recorded_mut(), correction, SpanIndex::FIRST, &Limits::DEFAULT)
    }

    /// Sets the span's name.
    pub fn set_name(&mut self, name: impl Into<Cow<'static, str>>) -> &mut Self {
        self.as_mut().set_name(name);
        self
    }

    /// Sets the span's role in a call between processes.
    pub fn set_kind(&mut self, kind: SpanKind) -> &mut Self {
        self.as_mut().set_kind(kind);
        self
    }

    /// Sets a tag; setting a key again replaces its value.
    pub fn set_tag<'k, 'v>(
        &mut self,
        key: impl Into<TagKey<'k>>,
        value: impl Into<TagArg<'v>>,
    ) -> &mut Self {
        self.as_mut().set_tag(key, value);
        self
    }

    /// Adds a log entry of the present time.
    pub fn log(&mut self, level: LogLevel, message: impl AsRef<str>) -> &mut Self {
        self.log_with_fields(level, message, std::iter::empty::<(&'static str, bool)>())
    }

    /// Adds a log entry of the present time with its fields.
    pub fn log_with_fields<'k, 'v, K, V>(
        &mut self,
        level: LogLevel,
        message: impl AsRef<str>,
        fields: impl IntoIterator<Item = (K, V)>,
    ) -> &mut Self
    where
        K: Into<TagKey<'k>>,
        V: Into<TagArg<'v>>,
    {
        self.log_at(wall_now(), level, message, fields)
    }

    /// Adds a log entry of `time` with its fields.
    pub fn log_at<'k, 'v, K, V>(
        &mut self,
        time: SystemTime,
        level: LogLevel,
        message: impl AsRef<str>,
        fields: impl IntoIterator<Item = (K, V)>,
    ) -> &mut Self
    where
        K: Into<TagKey<'k>>,
        V: Into<TagArg<'v>>,
    {
        self.as_mut().log_at(time, level, message, fields);
        self
    }

    /// Adds a link to another span.
    pub fn add_link(&mut self, link: impl Into<Link>) -> &mut Self {
        self.as_mut().add_link(link);
        self
    }

    /// Sets the span's status; [`Status`] says which status replaces which.
    pub fn set_status(&mut self, status: Status) -> &mut Self {
        self.as_mut().set_status(status);
        self
    }

    /// Sets the span's status to an error with the error's text, and adds a log entry `exception` of the present
    /// time with the error's type, text and causes.
    ///
    /// OpenTelemetry: `record_error` and `set_status` together (semantic conventions, "exceptions").
    pub fn set_error<E: Error + ?Sized>(&mut self, error: &E) -> &mut Self {
        self.set_error_at(wall_now(), error)
    }

    /// Sets the span's status to an error, as [`set_error`](Self::set_error) does, with a log entry of `time`.
    pub fn set_error_at<E: Error + ?Sized>(&mut self, time: SystemTime, error: &E) -> &mut Self {
        self.as_mut().set_error_at(time, error);
        self
    }

    /// Ends the span at the present time. A span ends once: a second end changes nothing.
    pub fn finish(&mut self) {
        self.finish_at(wall_now());
    }

    /// Ends the span at `end`, or at its start when that is later. A span ends once: a second end changes
    /// nothing.
    pub fn finish_at(&mut self, end: SystemTime) {
        self.as_mut().finish_at(end);
    }

    /// The time from the span's start to its end; zero while it has not ended.
    #[must_use]
    pub fn duration(&self) -> Duration {
        self.as_ref().map_or(Duration::ZERO, SpanRef::duration)
    }

    /// Whether the span has failed: its status is an error, or an error was logged in it, as
    /// [`SpanRef::failed`](SpanRef::failed) says.
    ///
    /// A `Status::Ok` that came before or after takes back what the status says, and not what was logged.
    #[must_use]
    pub fn failed(&self) -> bool {
        self.as_ref().is_some_and(SpanRef::failed)
    }

    /// Whether the span has [`failed`](Self::failed).
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.failed()
    }

    /// Whether the span has ended and took at least `threshold`.
    #[must_use]
    pub fn is_slow(&self, threshold: Duration) -> bool {
        self.as_ref().is_some_and(|span| span.is_slow(threshold))
    }

    pub(super) fn header(&self) -> &TraceHeader {
        &self.header
    }

    pub(super) fn records(&self) -> &RecordedSpans {
        self.store.records(self.header.correction)
    }
}

#[cfg(test)]
mod tests;
