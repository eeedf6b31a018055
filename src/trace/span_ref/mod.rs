//! Spans read where they stand.

mod link_ref;
mod log_ref;

use std::time::{Duration, SystemTime};

pub use link_ref::LinkRef;
pub use log_ref::LogRef;

use super::Span;
use super::header::TraceHeader;
use super::store::{RecordedSpans, SpanIndex, SpanRecord, SpanStore};
use crate::model::{SpanId, SpanKind, Status, TagRef, TraceContext, TraceId};
use crate::time::Tick;

/// A span of a trace, read in place: nothing is copied but by the methods that say so.
///
/// OpenTelemetry: `SpanData`. Policies and exporters get these from
/// [`TraceView::spans`](super::TraceView::spans) and [`Trace::spans`](super::Trace::spans).
#[derive(Clone, Copy, Debug)]
pub struct SpanRef<'a> {
    header: &'a TraceHeader,
    store: &'a SpanStore,
    record: &'a SpanRecord,
    index: SpanIndex,
}

impl<'a> SpanRef<'a> {
    pub(super) fn new(
        header: &'a TraceHeader,
        store: &'a SpanStore,
        index: SpanIndex,
    ) -> Option<Self> {
        let record = store.outlines(header.correction).span(index)?;
        Some(Self { header, store, record, index })
    }

    /// The records with their details, which spans of another tracer do not have before they are read.
    #[inline]
    fn records(self) -> &'a RecordedSpans {
        self.store.records(self.header.correction)
    }

    /// The records with their details, and the one of this span.
    #[inline]
    fn detailed(self) -> (&'a RecordedSpans, &'a SpanRecord) {
        let records = self.records();
        (records, records.span(self.index).unwrap_or(self.record))
    }

    /// The id of the span's trace.
    #[must_use]
    pub fn trace_id(self) -> TraceId {
        self.header.trace_id
    }

    /// The span's own id.
    #[must_use]
    pub fn span_id(self) -> SpanId {
        self.record.id
    }

    /// The id of the span's parent, which may be in another process; `None` for the root of the whole trace.
    #[must_use]
    pub fn parent_span_id(self) -> Option<SpanId> {
        self.record.parent
    }

    /// Whether the span's parent is a span of another process: one whose context came from there.
    #[must_use]
    pub fn is_parent_remote(self) -> bool {
        self.record.is_parent_remote
    }

    /// What the span did. OpenTelemetry: the span's name.
    #[must_use]
    pub fn operation_name(self) -> &'a str {
        self.store.outlines(self.header.correction).name(self.record)
    }

    /// The span's role in a call between processes.
    #[must_use]
    pub fn kind(self) -> SpanKind {
        self.record.kind
    }

    /// When the span started, by the wall clock.
    #[must_use]
    pub fn start_time(self) -> SystemTime {
        self.record.start.wall(self.header.correction)
    }

    /// When the span ended, by the wall clock; `None` while it has not.
    #[must_use]
    pub fn end_time(self) -> Option<SystemTime> {
        self.record.end().map(|end| end.wall(self.header.correction))
    }

    /// The time from the span's start to its end, by the monotonic clock; zero while it has not ended.
    #[must_use]
    pub fn duration(self) -> Duration {
        self.record.end().map_or(Duration::ZERO, |end| end.since(self.record.start))
    }

    /// Whether the span has ended.
    #[must_use]
    pub fn is_finished(self) -> bool {
        self.record.end().is_some()
    }

    /// Whether the span has failed: its status is an error, or an error was logged in it, or a panic passed through
    /// it.
    ///
    /// An entry of level error counts whichever door wrote it, also where the limit of log entries refused it, and whatever
    /// the status is: a span that ended well after it had logged an error has failed, and leaves with the status
    /// `Ok`. [`has_error_status`](Self::has_error_status) asks for the status alone.
    #[must_use]
    pub fn failed(self) -> bool {
        self.record.has_failed()
    }

    /// Whether the span has [`failed`](Self::failed).
    #[must_use]
    pub fn is_error(self) -> bool {
        self.failed()
    }

    /// Whether the span's status is an error.
    #[must_use]
    pub fn has_error_status(self) -> bool {
        self.record.has_error_status()
    }

    /// Whether the span has ended and took at least `threshold`.
    #[must_use]
    pub fn is_slow(self, threshold: Duration) -> bool {
        self.is_finished() && self.duration() >= threshold
    }

    /// The span's status. Copies the description; [`has_error_status`](Self::has_error_status) and
    /// [`status_description`](Self::status_description) do not.
    #[must_use]
    pub fn status(self) -> Status {
        self.records().status(self.index)
    }

    /// The description of the span's error; empty when it has none.
    #[must_use]
    pub fn status_description(self) -> &'a str {
        self.records().description(self.index)
    }

    /// The span's tags in the order their keys were first set. OpenTelemetry: attributes.
    pub fn tags(self) -> impl Iterator<Item = (&'a str, TagRef<'a>)> {
        let (records, record) = self.detailed();
        records.tags(record)
    }

    /// The value of one tag, for which the span's tags are searched; `None` when it was not set.
    #[must_use]
    pub fn tag(self, key: &str) -> Option<TagRef<'a>> {
        self.tags().find(|(known, _)| *known == key).map(|(_, value)| value)
    }

    /// The span's log entries in the order they were added. OpenTelemetry: events.
    pub fn logs(self) -> impl Iterator<Item = LogRef<'a>> {
        let (records, record) = self.detailed();
        let correction = self.header.correction;
        records.logs(record).map(move |log| LogRef::new(records, log, correction))
    }

    /// The span's links to other spans.
    pub fn links(self) -> impl Iterator<Item = LinkRef<'a>> {
        let records = self.records();
        records.links(self.index).map(move |link| LinkRef::new(records, link))
    }

    /// The number of tags that were dropped because of the limits; fields of log entries and tags of links count too.
    #[must_use]
    pub fn dropped_tags(self) -> u32 {
        self.records().dropped_of(self.index).tags
    }

    /// The number of log entries that were dropped because of the limits.
    #[must_use]
    pub fn dropped_logs(self) -> u32 {
        self.records().dropped_of(self.index).logs
    }

    /// The number of links that were dropped because of the limits.
    #[must_use]
    pub fn dropped_links(self) -> u32 {
        self.records().dropped_of(self.index).links
    }

    /// The span's identity with the trace's flags and state; the baggage is not kept with recorded spans.
    #[must_use]
    pub fn context(self) -> TraceContext {
        let mut context =
            TraceContext::new(self.header.trace_id, self.record.id).with_flags(self.header.flags());
        context.parent_span_id = self.record.parent;
        context.trace_state = self.header.trace_state.clone();
        context
    }

    /// Copies the span into one that stands on its own.
    #[must_use]
    pub fn to_span(self) -> Span {
        Span::copied(self.header, self.records(), self.index)
    }

    pub(crate) fn start_tick(self) -> Tick {
        self.record.start
    }

    pub(crate) fn end_tick(self) -> Option<Tick> {
        self.record.end()
    }

    /// When the span started, in nanoseconds since the Unix epoch.
    #[cfg(feature = "otlp")]
    pub(crate) fn start_nanos(self) -> u64 {
        self.record.start.wall_nanos(self.header.correction)
    }

    /// When the span ended, in nanoseconds since the Unix epoch.
    #[cfg(feature = "otlp")]
    pub(crate) fn end_nanos(self) -> Option<u64> {
        self.record.end().map(|end| end.wall_nanos(self.header.correction))
    }
}

#[cfg(test)]
mod tests;
