//! Spans read where they stand.

use std::time::{Duration, SystemTime};

use super::Span;
use super::head::TraceHead;
use super::store::{LinkRecord, LogRecord, SpanRecord, SpanStore};
use crate::model::{LogEntry, LogLevel, SpanId, SpanKind, Status, TagRef, TraceContext, TraceId};
use crate::time::Tick;

/// A span of a trace, read in place: nothing is copied until you ask for it.
///
/// OpenTelemetry: `SpanData`. Policies and exporters get these from
/// [`TraceView::spans`](super::TraceView::spans) and [`Trace::spans`](super::Trace::spans).
#[derive(Clone, Copy, Debug)]
pub struct SpanRef<'a> {
    head: &'a TraceHead,
    store: &'a SpanStore,
    record: &'a SpanRecord,
    index: u32,
}

impl<'a> SpanRef<'a> {
    pub(super) fn new(head: &'a TraceHead, store: &'a SpanStore, index: u32) -> Option<Self> {
        let record = store.outlined(head.correction).span(index)?;
        Some(Self { head, store, record, index })
    }

    /// The span with its details, which spans that another tracer made do not have until they are read.
    #[inline]
    fn full(self) -> Self {
        let store = self.store.full(self.head.correction);
        let record = store.span(self.index).unwrap_or(self.record);
        Self { store, record, ..self }
    }

    /// The trace the span belongs to.
    #[must_use]
    pub fn trace_id(self) -> TraceId {
        self.head.trace_id
    }

    /// The span's own id.
    #[must_use]
    pub fn span_id(self) -> SpanId {
        self.record.id
    }

    /// The id of its parent, which may be in another process; `None` for the root of the whole trace.
    #[must_use]
    pub fn parent_span_id(self) -> Option<SpanId> {
        self.record.parent
    }

    /// Whether its parent is a span of another process: one whose context came from there.
    #[must_use]
    pub fn is_parent_remote(self) -> bool {
        self.record.is_parent_remote
    }

    /// What the span did. OpenTelemetry: the span's name.
    #[must_use]
    pub fn operation_name(self) -> &'a str {
        self.store.outlined(self.head.correction).name(self.record)
    }

    /// Its role in a call between processes.
    #[must_use]
    pub fn kind(self) -> SpanKind {
        self.record.kind
    }

    /// When it started, by the wall clock.
    #[must_use]
    pub fn start_time(self) -> SystemTime {
        self.record.start.wall(self.head.correction)
    }

    /// When it ended, by the wall clock; `None` while it has not.
    #[must_use]
    pub fn end_time(self) -> Option<SystemTime> {
        self.record.end().map(|end| end.wall(self.head.correction))
    }

    /// How long it took, by the monotonic clock; zero while it has not ended.
    #[must_use]
    pub fn duration(self) -> Duration {
        self.record.end().map_or(Duration::ZERO, |end| end.since(self.record.start))
    }

    /// Whether it has ended.
    #[must_use]
    pub fn is_finished(self) -> bool {
        self.record.end().is_some()
    }

    /// Whether its status is an error.
    #[must_use]
    pub fn is_error(self) -> bool {
        self.record.is_error()
    }

    /// Whether it took at least `threshold`.
    #[must_use]
    pub fn is_slow(self, threshold: Duration) -> bool {
        self.is_finished() && self.duration() >= threshold
    }

    /// How it went. Copies the description; [`is_error`](Self::is_error) and
    /// [`status_description`](Self::status_description) do not.
    #[must_use]
    pub fn status(self) -> Status {
        self.full().store.status(self.index)
    }

    /// What was said about the error; empty when nothing was.
    #[must_use]
    pub fn status_description(self) -> &'a str {
        self.full().store.description(self.index)
    }

    /// Its tags in the order their keys were first set. OpenTelemetry: attributes.
    pub fn tags(self) -> impl Iterator<Item = (&'a str, TagRef<'a>)> {
        let Self { store, record, .. } = self.full();
        store.tags(record)
    }

    /// The value of one tag; costs a walk over the span's tags.
    #[must_use]
    pub fn tag(self, key: &str) -> Option<TagRef<'a>> {
        self.tags().find(|(known, _)| *known == key).map(|(_, value)| value)
    }

    /// What it said, in the order it was said. OpenTelemetry: events.
    pub fn logs(self) -> impl Iterator<Item = LogRef<'a>> {
        let Self { head, store, record, .. } = self.full();
        store.logs(record).map(move |record| LogRef { head, store, record })
    }

    /// The spans it points to.
    pub fn links(self) -> impl Iterator<Item = LinkRef<'a>> {
        let store = self.full().store;
        store.links(self.index).map(move |record| LinkRef { store, record })
    }

    /// How many tags did not fit the limits; fields of its log entries and tags of its links count too.
    #[must_use]
    pub fn dropped_tags(self) -> u32 {
        self.full().store.dropped_of(self.index).tags
    }

    /// How many log entries did not fit the limits.
    #[must_use]
    pub fn dropped_logs(self) -> u32 {
        self.full().store.dropped_of(self.index).logs
    }

    /// How many links did not fit the limits.
    #[must_use]
    pub fn dropped_links(self) -> u32 {
        self.full().store.dropped_of(self.index).links
    }

    /// Its identity with the trace's flags and state; the baggage is not kept with recorded spans.
    #[must_use]
    pub fn context(self) -> TraceContext {
        let mut context =
            TraceContext::new(self.head.trace_id, self.record.id).with_flags(self.head.flags());
        context.parent_span_id = self.record.parent;
        context.trace_state = self.head.trace_state.clone();
        context
    }

    /// A copy that stands on its own.
    #[must_use]
    pub fn to_span(self) -> Span {
        Span::copied(self.head, self.full().store, self.index)
    }

    pub(crate) fn start_tick(self) -> Tick {
        self.record.start
    }

    pub(crate) fn end_tick(self) -> Option<Tick> {
        self.record.end()
    }

    /// When it started, in nanoseconds since the Unix epoch.
    #[cfg(feature = "otlp")]
    pub(crate) fn start_nanos(self) -> u64 {
        self.record.start.wall_nanos(self.head.correction)
    }

    /// When it ended, in nanoseconds since the Unix epoch.
    #[cfg(feature = "otlp")]
    pub(crate) fn end_nanos(self) -> Option<u64> {
        self.record.end().map(|end| end.wall_nanos(self.head.correction))
    }
}

/// A log entry of a span, read in place. OpenTelemetry: a span event.
#[derive(Clone, Copy, Debug)]
pub struct LogRef<'a> {
    head: &'a TraceHead,
    store: &'a SpanStore,
    record: &'a LogRecord,
}

impl<'a> LogRef<'a> {
    /// When it was said, by the wall clock.
    #[must_use]
    pub fn time(self) -> SystemTime {
        self.record.time.wall(self.head.correction)
    }

    pub(crate) fn tick(self) -> Tick {
        self.record.time
    }

    /// When it was said, in nanoseconds since the Unix epoch.
    #[cfg(feature = "otlp")]
    pub(crate) fn nanos(self) -> u64 {
        self.record.time.wall_nanos(self.head.correction)
    }

    /// How much it matters.
    #[must_use]
    pub fn level(self) -> LogLevel {
        self.record.level
    }

    /// What was said.
    #[must_use]
    pub fn message(self) -> &'a str {
        self.store.message(self.record)
    }

    /// Its details.
    pub fn fields(self) -> impl Iterator<Item = (&'a str, TagRef<'a>)> {
        self.store.fields(self.record)
    }

    /// A copy that stands on its own.
    #[must_use]
    pub fn to_entry(self) -> LogEntry {
        LogEntry {
            time: self.time(),
            level: self.level(),
            message: self.message().to_owned().into(),
            fields: self
                .fields()
                .map(|(key, value)| (key.to_owned().into(), value.to_value()))
                .collect(),
        }
    }
}

/// A link of a span, read in place.
#[derive(Clone, Copy, Debug)]
pub struct LinkRef<'a> {
    store: &'a SpanStore,
    record: &'a LinkRecord,
}

impl<'a> LinkRef<'a> {
    /// The span pointed to.
    #[must_use]
    pub fn context(self) -> &'a TraceContext {
        &self.record.context
    }

    /// What was said about the relation.
    pub fn tags(self) -> impl Iterator<Item = (&'a str, TagRef<'a>)> {
        self.store.link_tags(self.record)
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;
    use crate::model::{Link, TagValue, TraceFlags};
    use crate::testing::{span, trace};
    use crate::trace::Trace;

    fn read(span: SpanRef<'_>) -> String {
        format!(
            "{:?} {:?} {:?} {:?} {:?} {:?}",
            span.context(),
            (span.operation_name(), span.kind(), span.status()),
            (span.start_time(), span.end_time(), span.duration()),
            span.tags().collect::<Vec<_>>(),
            span.logs().map(LogRef::to_entry).collect::<Vec<_>>(),
            span.links().map(|link| link.context().clone()).collect::<Vec<_>>(),
        )
    }

    #[test]
    fn a_copy_says_the_same_and_stands_on_its_own() {
        let mut made = Trace::new(TraceId::new());
        let mut context = TraceContext::new(made.trace_id(), SpanId::new());
        context.parent_span_id = Some(SpanId::new());
        let mut one = Span::started_at("one", context.clone(), UNIX_EPOCH + Duration::from_secs(9));
        one.set_kind(SpanKind::Producer);
        one.set_tag("ids", vec![1_i64, 2]);
        one.set_tag("raw", vec![1_u8, 2]);
        one.log_at(UNIX_EPOCH, LogLevel::Warn, "early", [("why", "clock")]);
        one.add_link(Link::new(context));
        one.set_status(Status::error("broken"));
        one.finish();
        made.add_span(one);
        let copy = made.root().map(SpanRef::to_span).unwrap();
        assert_eq!(read(copy.as_ref().unwrap()), read(made.root().unwrap()));
        drop(made);
        assert_eq!(copy.tag("ids").map(TagRef::to_value), Some(TagValue::from(vec![1_i64, 2])));
    }

    #[test]
    fn a_copy_carries_the_flags_and_the_state_of_its_trace() {
        let made = trace(span("root"));
        let copy = made.root().map(SpanRef::to_span).unwrap();
        assert_eq!(copy.context(), &made.root().unwrap().context());
        assert_eq!(copy.context().flags, TraceFlags::default());
    }

    #[test]
    fn an_open_span_has_no_end_and_no_duration() {
        let id = TraceId::new();
        let mut made = Trace::new(id);
        made.add_span(Span::new("open", TraceContext::new(id, SpanId::new())));
        let open = made.root().unwrap();
        assert!(!open.is_finished() && !open.is_slow(Duration::ZERO));
        assert_eq!((open.end_time(), open.duration()), (None, Duration::ZERO));
    }

    #[test]
    fn what_did_not_fit_the_limits_is_told() {
        let id = TraceId::new();
        let mut full = Span::new("full", TraceContext::new(id, SpanId::new()));
        for number in 0..130_u32 {
            full.set_tag(number.to_string(), number);
            full.log(LogLevel::Info, "said");
            full.add_link(TraceContext::new(id, SpanId::new()));
        }
        let read = full.as_ref().unwrap();
        let kept = (read.tags().count(), read.logs().count(), read.links().count());
        assert_eq!(kept, (128, 128, 128));
        let dropped = (read.dropped_tags(), read.dropped_logs(), read.dropped_links());
        assert_eq!(dropped, (2, 2, 2));
        let copy = read.to_span();
        assert_eq!(copy.as_ref().unwrap().dropped_tags(), 2);
    }
}
