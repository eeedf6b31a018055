//! A span that stands on its own.

use std::borrow::Cow;
use std::time::{Duration, SystemTime};

use super::head::TraceHead;
use super::store::{NewSpan, SpanStore};
use super::{SpanMut, SpanRef};
use crate::model::{
    Limits, Link, LogLevel, SpanId, SpanKind, Status, TagArg, TagRef, TraceContext,
};
use crate::time::{Clock, Tick};

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
    head: TraceHead,
    store: SpanStore,
    context: TraceContext,
}

impl Span {
    /// A span that starts now.
    pub fn new(operation_name: impl Into<Cow<'static, str>>, context: TraceContext) -> Self {
        Self::started_at(operation_name, context, Clock::system().wall())
    }

    /// A span that started at `start`.
    pub fn started_at(
        operation_name: impl Into<Cow<'static, str>>,
        context: TraceContext,
        start: SystemTime,
    ) -> Self {
        let mut head = TraceHead::made_by_hand(context.trace_id);
        head.set_flags(context.flags);
        head.trace_state = context.trace_state.clone();
        let mut store = SpanStore::default();
        let span = NewSpan {
            id: context.span_id,
            parent: context.parent_span_id,
            start: Tick::at_wall(start, head.correction),
            name: operation_name.into(),
            kind: SpanKind::Internal,
        };
        // One span always fits a buffer without a limit.
        let _ = store.push_span(span, &Limits::default());
        Self { head, store, context }
    }

    pub(super) fn copied(head: &TraceHead, from: &SpanStore, index: u32) -> Self {
        let head = head.clone();
        let mut store = SpanStore::default();
        store.copy_span(from, index, 0);
        let id = store.span(0).map_or_else(SpanId::new, |record| record.id);
        let mut context = TraceContext::new(head.trace_id, id).with_flags(head.flags());
        context.parent_span_id = store.span(0).and_then(|record| record.parent);
        context.trace_state = head.trace_state.clone();
        Self { head, store, context }
    }

    /// Reads the span: its name, times, tags, logs, links and status.
    ///
    /// `None` never happens for a span made by this crate's constructors.
    #[must_use]
    pub fn as_ref(&self) -> Option<SpanRef<'_>> {
        SpanRef::new(&self.head, &self.store, 0)
    }

    /// What the span did.
    #[must_use]
    pub fn operation_name(&self) -> &str {
        self.as_ref().map_or("", SpanRef::operation_name)
    }

    /// Its identity, with the baggage it was made with.
    #[must_use]
    pub fn context(&self) -> &TraceContext {
        &self.context
    }

    /// The value of one tag.
    #[must_use]
    pub fn tag(&self, key: &str) -> Option<TagRef<'_>> {
        self.as_ref().and_then(|span| span.tag(key))
    }

    /// The span, to be changed in more ways than it offers itself.
    pub fn as_mut(&mut self) -> SpanMut<'_> {
        SpanMut::new(&mut self.store, self.head.correction, 0, Limits::default())
    }

    /// Sets its role in a call between processes.
    pub fn set_kind(&mut self, kind: SpanKind) {
        self.as_mut().set_kind(kind);
    }

    /// Sets a tag; setting a key again replaces its value.
    pub fn set_tag<'v>(&mut self, key: impl Into<Cow<'static, str>>, value: impl Into<TagArg<'v>>) {
        self.as_mut().set_tag(key.into(), value);
    }

    /// Adds a log entry that is said now.
    pub fn log(&mut self, level: LogLevel, message: impl AsRef<str>) {
        self.as_mut().log(level, message);
    }

    /// Adds a log entry with details that is said now.
    pub fn log_with_fields<'v, K, V>(
        &mut self,
        level: LogLevel,
        message: impl AsRef<str>,
        fields: impl IntoIterator<Item = (K, V)>,
    ) where
        K: Into<Cow<'static, str>>,
        V: Into<TagArg<'v>>,
    {
        let fields = fields.into_iter().map(|(key, value)| (key.into(), value));
        self.as_mut().log_with_fields(level, message, fields);
    }

    /// Adds a log entry with details that was said at `time`.
    pub fn log_at<'v, K, V>(
        &mut self,
        time: SystemTime,
        level: LogLevel,
        message: impl AsRef<str>,
        fields: impl IntoIterator<Item = (K, V)>,
    ) where
        K: Into<Cow<'static, str>>,
        V: Into<TagArg<'v>>,
    {
        let fields = fields.into_iter().map(|(key, value)| (key.into(), value));
        self.as_mut().log_at(time, level, message, fields);
    }

    /// Points to another span.
    pub fn add_link(&mut self, link: impl Into<Link>) {
        self.as_mut().add_link(link);
    }

    /// Says how it went; see [`Status`] for what replaces what.
    pub fn set_status(&mut self, status: Status) {
        self.as_mut().set_status(status);
    }

    /// Ends the span now. A span ends once; later calls change nothing.
    pub fn finish(&mut self) {
        self.as_mut().finish();
    }

    /// Ends the span at `end`, or at its start when that is later.
    pub fn finish_at(&mut self, end: SystemTime) {
        self.as_mut().finish_at(end);
    }

    /// How long it took; zero while it has not ended.
    #[must_use]
    pub fn duration(&self) -> Duration {
        self.as_ref().map_or(Duration::ZERO, SpanRef::duration)
    }

    /// Whether its status is an error.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.as_ref().is_some_and(SpanRef::is_error)
    }

    /// Whether it has ended and took at least `threshold`.
    #[must_use]
    pub fn is_slow(&self, threshold: Duration) -> bool {
        self.as_ref().is_some_and(|span| span.is_slow(threshold))
    }

    pub(super) fn parts(&self) -> (&TraceHead, &SpanStore) {
        (&self.head, &self.store)
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;
    use crate::model::{TagValue, TraceId};

    fn seconds(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn span() -> Span {
        Span::started_at("span", TraceContext::new(TraceId::new(), SpanId::new()), seconds(100))
    }

    #[test]
    fn a_new_span_has_begun_and_not_ended() {
        let before = Clock::system().wall();
        let span = Span::new("span", TraceContext::new(TraceId::new(), SpanId::new()));
        let read = span.as_ref().unwrap();
        assert!(read.start_time() >= before && read.start_time() <= Clock::system().wall());
        assert!(!read.is_finished() && read.end_time().is_none());
        assert_eq!(span.duration(), Duration::ZERO);
        assert_eq!((read.kind(), read.status()), (SpanKind::Internal, Status::Unset));
    }

    #[test]
    fn a_span_ends_once() {
        let mut span = span();
        span.finish_at(seconds(103));
        span.finish_at(seconds(200));
        span.finish();
        assert_eq!(span.duration(), Duration::from_secs(3));
        assert_eq!(span.as_ref().unwrap().end_time(), Some(seconds(103)));
    }

    #[test]
    fn an_end_before_the_start_makes_no_negative_duration() {
        let mut span = span();
        span.finish_at(seconds(1));
        assert_eq!(span.duration(), Duration::ZERO);
        assert_eq!(span.as_ref().unwrap().end_time(), Some(seconds(100)));
    }

    #[test]
    fn the_threshold_itself_is_slow_and_an_open_span_is_not() {
        let mut span = span();
        assert!(!span.is_slow(Duration::ZERO));
        span.finish_at(seconds(103));
        assert!(span.is_slow(Duration::from_secs(3)));
        assert!(!span.is_slow(Duration::from_nanos(3_000_000_001)));
    }

    #[test]
    fn ok_is_final_and_the_last_error_stands() {
        let mut span = span();
        span.set_status(Status::error("first"));
        span.set_status(Status::error("second"));
        span.set_status(Status::Unset);
        assert_eq!(span.as_ref().unwrap().status(), Status::error("second"));
        assert!(span.is_error());
        span.set_status(Status::Ok);
        span.set_status(Status::error("third"));
        assert!(!span.is_error());
    }

    #[test]
    fn a_span_says_what_it_was_told() {
        let mut span = span();
        span.set_kind(SpanKind::Client);
        span.set_tag("rows", 3);
        span.set_tag("rows", "many");
        span.log_at(seconds(101), LogLevel::Warn, "slow", [("ms", 250)]);
        let other = TraceContext::new(TraceId::new(), SpanId::new());
        span.add_link(Link::new(other.clone()).with_tag("why", "batch"));
        let read = span.as_ref().unwrap();
        assert_eq!(span.tag("rows"), Some(TagRef::Str("many")));
        assert_eq!((read.tags().count(), span.tag("none")), (1, None));
        let log = read.logs().next().unwrap().to_entry();
        assert_eq!((log.time, log.level), (seconds(101), LogLevel::Warn));
        assert_eq!(log.fields, [("ms".into(), TagValue::I64(250))]);
        let link = read.links().next().unwrap();
        assert_eq!((link.context(), link.tags().count()), (&other, 1));
    }

    #[test]
    fn the_context_is_the_one_it_was_made_with() {
        let mut context = TraceContext::new(TraceId::new(), SpanId::new());
        context.parent_span_id = Some(SpanId::new());
        context.baggage = context.baggage.with("tenant", "acme").unwrap();
        context.trace_state = context.trace_state.insert("vendor", "1").unwrap();
        context.flags = crate::model::TraceFlags::SAMPLED;
        let span = Span::new("span", context.clone());
        assert_eq!(span.context(), &context);
        let mut without_baggage = context;
        without_baggage.baggage = crate::model::Baggage::new();
        assert_eq!(span.as_ref().unwrap().context(), without_baggage);
    }
}
