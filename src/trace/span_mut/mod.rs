//! The one type that writes to a span.
//!
//! A span that is running, that waits for its parent, that is over a limit, that another tracer made or that
//! stands on its own: all of them hand out a [`SpanMut`], which holds what is written to the span's limits.

mod error;

use std::borrow::Cow;
use std::error::Error;
use std::time::SystemTime;

pub(crate) use error::ErrorDetails;

#[cfg(feature = "layer")]
use super::store::PreparedTags;
use super::store::{LogIndex, RecordedSpans, SpanIndex};
use crate::model::{Limits, Link, LogLevel, SpanKind, Status, TagArg, TagKey, TagRef};
use crate::time::{ClockCorrection, Tick};

/// A span that is being written: one of a [`Trace`](super::Trace), or a [`Span`](super::Span).
///
/// It holds the span to the default [`Limits`]; see [`with_limits`](Self::with_limits). It reads no clock:
/// whatever has a time takes it as an argument.
///
/// The crate writes spans of its own through it while it holds the lock of their trace. Its callers inside the
/// crate convert what a program passes, which may run that program's code, before they take the lock.
#[derive(Debug)]
pub struct SpanMut<'a> {
    spans: &'a mut RecordedSpans,
    limits: &'a Limits,
    /// What leads from the ticks of the spans to the time of day.
    correction: ClockCorrection,
    index: SpanIndex,
    has_failed: bool,
}

impl<'a> SpanMut<'a> {
    /// Makes the writer of the span that stands at `index`, among spans that `correction` leads from
    /// ticks to the time of day.
    #[inline]
    pub(crate) fn new(
        spans: &'a mut RecordedSpans,
        correction: ClockCorrection,
        index: SpanIndex,
        limits: &'a Limits,
    ) -> Self {
        Self { spans, limits, correction, index, has_failed: false }
    }

    /// Holds what is written from here on to other limits: to [`Limits::NONE`] where the span was held to
    /// limits before.
    #[must_use]
    pub fn with_limits(mut self, limits: &'a Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets the span's name.
    pub fn set_name(&mut self, name: impl Into<Cow<'static, str>>) -> &mut Self {
        self.spans.set_name(self.index, name.into(), self.limits);
        self
    }

    /// Sets the span's role in a call between processes.
    pub fn set_kind(&mut self, kind: SpanKind) -> &mut Self {
        self.spans.set_kind(self.index, kind);
        self
    }

    /// Sets whether the span's parent is a span of another process.
    pub fn set_parent_remote(&mut self, is_remote: bool) -> &mut Self {
        self.spans.set_parent_remote(self.index, is_remote);
        self
    }

    /// Sets a tag; setting a key again replaces its value.
    #[inline]
    pub fn set_tag<'k, 'v>(
        &mut self,
        key: impl Into<TagKey<'k>>,
        value: impl Into<TagArg<'v>>,
    ) -> &mut Self {
        let key = key.into();
        value.into().read(|value| self.spans.set_tag_of(self.index, &key, value, self.limits));
        self
    }

    /// Sets a tag that the limit of tags does not count against those that are there: the scope of a library.
    #[cfg(feature = "otel")]
    pub(crate) fn set_scope_tag(&mut self, key: &TagKey<'_>, value: TagRef<'_>) {
        let limits = Limits { tags: u16::MAX, ..*self.limits };
        self.spans.set_tag_of(self.index, key, value, &limits);
    }

    /// Sets a tag like [`set_tag`](Self::set_tag), compiled into its caller: for the native guard alone, whose
    /// tags cost a tenth less that way.
    #[inline(always)]
    pub(crate) fn set_tag_inlined(&mut self, key: &'static str, value: TagRef<'_>) {
        self.spans.set_tag_inlined(self.index, Cow::Borrowed(key), value, self.limits);
    }

    /// Sets several tags that were read before.
    #[cfg(feature = "layer")]
    #[inline]
    pub(crate) fn set_tags(&mut self, tags: &PreparedTags) {
        self.spans.set_tags(self.index, tags, self.limits);
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
        let log = self.push_log(Tick::at_wall(time, self.correction), level, message.as_ref());
        for (key, value) in fields {
            if let Some(log) = log {
                self.set_field(log, key, value);
            }
        }
        self
    }

    /// Adds a log entry; its index, by which it gets its fields, or `None` when it was dropped.
    #[inline]
    pub(crate) fn push_log(
        &mut self,
        time: Tick,
        level: LogLevel,
        message: &str,
    ) -> Option<LogIndex> {
        // Also where the entry is refused.
        self.has_failed |= level >= LogLevel::Error;
        self.spans.push_log(self.index, time, level, message, self.limits)
    }

    /// Sets a field of a log entry of this span.
    #[inline]
    pub(crate) fn set_field<'k, 'v>(
        &mut self,
        log: LogIndex,
        key: impl Into<TagKey<'k>>,
        value: impl Into<TagArg<'v>>,
    ) {
        let key = key.into();
        value.into().read(|value| {
            self.spans.set_field_of(self.index, log, &key, value, self.limits);
        });
    }

    /// Sets several fields of a log entry of this span that were read before.
    #[cfg(feature = "layer")]
    #[inline]
    pub(crate) fn set_fields(&mut self, log: LogIndex, fields: &PreparedTags) {
        self.spans.set_fields(self.index, log, fields, self.limits);
    }

    /// Adds a link to another span.
    pub fn add_link(&mut self, link: impl Into<Link>) -> &mut Self {
        self.spans.push_link(self.index, link.into(), self.limits);
        self
    }

    /// Sets the span's status; [`Status`] says which status replaces which.
    pub fn set_status(&mut self, status: Status) -> &mut Self {
        let is_error = status.is_error();
        self.spans.set_status(self.index, status, self.limits);
        if is_error {
            self.note_failure();
        }
        self
    }

    /// Sets the span's status to an error with the error's text, and adds a log entry `exception` of `time` with
    /// the error's type, text and causes.
    ///
    /// OpenTelemetry: `record_error` and `set_status` together (semantic conventions, "exceptions").
    pub fn set_error_at<E: Error + ?Sized>(&mut self, time: SystemTime, error: &E) -> &mut Self {
        let details = ErrorDetails::of(error, self.limits.most_bytes());
        self.push_error(Tick::at_wall(time, self.correction), &details);
        self
    }

    /// Sets the span's status to an error, and adds the log entry of that error.
    pub(crate) fn push_error(&mut self, time: Tick, error: &ErrorDetails) {
        self.set_status(Status::error(error.message().to_owned()));
        self.push_exception(time, error);
    }

    /// Adds the log entry of an error, and leaves the span's status.
    pub(crate) fn push_exception(&mut self, time: Tick, error: &ErrorDetails) {
        if let Some(log) = self.push_log(time, LogLevel::Error, ErrorDetails::EVENT) {
            for (key, value) in error.fields() {
                self.set_field(log, key, value);
            }
        }
    }

    /// Sets the span's status to an error, with this description unless there is one.
    #[cfg(feature = "layer")]
    pub(crate) fn suggest_error(&mut self, description: &str) {
        self.spans.suggest_error(self.index, description, self.limits);
        self.note_failure();
    }

    /// Sets the span's status to an error, and leaves its description.
    #[cfg(feature = "layer")]
    pub(crate) fn fail(&mut self) {
        self.spans.fail(self.index);
        self.note_failure();
    }

    /// Marks the span as failed, and leaves its status: an error was logged of which no entry is made, or a panic
    /// passed through the span.
    pub(crate) fn mark_failed(&mut self) {
        self.spans.mark_failed(self.index);
        self.note_failure();
    }

    /// Marks the span as failed because a panic passes through it, with `exception.type` = `panic`, and leaves its
    /// status.
    pub(crate) fn fail_by_panic(&mut self) {
        self.set_tag("exception.type", "panic");
        self.mark_failed();
    }

    /// Notes for the owner of the span that it has failed, unless its status is final and says otherwise.
    fn note_failure(&mut self) {
        self.has_failed |= self.spans.has_failed(self.index);
    }

    /// Whether the span has failed by what was written through this writer.
    #[inline]
    pub(crate) fn has_failed(&self) -> bool {
        self.has_failed
    }

    /// Notes that the span started at this moment, which may be before the first span of its trace.
    pub(crate) fn note_start(&mut self, start: Tick) {
        self.spans.note_start(start);
    }

    /// Counts tags, log entries and links that were dropped before, on top of those that the limits drop.
    pub fn count_dropped(&mut self, tags: u32, logs: u32, links: u32) -> &mut Self {
        self.spans.count_dropped(self.index, tags, logs, links);
        self
    }

    /// Copies the tags, log entries, links, losses and status of a span of another buffer.
    #[cfg(feature = "layer")]
    pub(crate) fn copy_details(&mut self, from: &RecordedSpans, span: SpanIndex) {
        self.spans.copy_details(self.index, from, span, ClockCorrection::NONE);
        self.note_failure();
    }

    /// Ends the span at `end`, or at its start when that is later. A span ends once: a second end changes
    /// nothing.
    pub fn finish_at(&mut self, end: SystemTime) -> &mut Self {
        self.spans.finish_at(self.index, Tick::at_wall(end, self.correction));
        self
    }
}

#[cfg(test)]
mod tests;
