//! Spans changed where they stand.

use std::borrow::Cow;
use std::time::SystemTime;

use super::store::SpanStore;
use crate::model::{Limits, Link, LogLevel, SpanKind, Status, TagArg, TagKey};
use crate::time::{Clock, Tick};

/// A span that is being changed: one of a [`Trace`](super::Trace), or a [`Span`](super::Span).
///
/// It holds the span to the default [`Limits`]; see [`with_limits`](Self::with_limits).
#[derive(Debug)]
pub struct SpanMut<'a> {
    store: &'a mut SpanStore,
    correction: i64,
    index: u32,
    limits: Limits,
}

impl<'a> SpanMut<'a> {
    /// The span that stands at `index`, in a buffer whose ticks are `correction` behind the wall clock.
    pub(crate) fn new(
        store: &'a mut SpanStore,
        correction: i64,
        index: u32,
        limits: Limits,
    ) -> Self {
        Self { store, correction, index, limits }
    }

    /// The same span, held to other limits from here on: [`Limits::NONE`] for what somebody else has
    /// held to some already.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Gives it another name.
    pub fn set_operation_name(&mut self, name: impl Into<Cow<'static, str>>) {
        self.store.rename(self.index, name.into(), &self.limits);
    }

    /// Sets its role in a call between processes.
    pub fn set_kind(&mut self, kind: SpanKind) {
        self.store.set_kind(self.index, kind);
    }

    /// Says whether its parent is a span of another process.
    pub fn set_parent_remote(&mut self, is_remote: bool) {
        self.store.set_parent_remote(self.index, is_remote);
    }

    /// Sets a tag; setting a key again replaces its value.
    pub fn set_tag<'k, 'v>(&mut self, key: impl Into<TagKey<'k>>, value: impl Into<TagArg<'v>>) {
        let (key, value) = (key.into(), value.into());
        self.store.set_tag_of(self.index, &key, value.as_ref(), &self.limits);
    }

    /// Adds a log entry that is said now.
    pub fn log(&mut self, level: LogLevel, message: impl AsRef<str>) {
        self.log_with_fields(level, message, std::iter::empty::<(&'static str, bool)>());
    }

    /// Adds a log entry with details that is said now.
    pub fn log_with_fields<'k, 'v, K, V>(
        &mut self,
        level: LogLevel,
        message: impl AsRef<str>,
        fields: impl IntoIterator<Item = (K, V)>,
    ) where
        K: Into<TagKey<'k>>,
        V: Into<TagArg<'v>>,
    {
        self.log_at(Clock::system().wall(), level, message, fields);
    }

    /// Adds a log entry with details that was said at `time`.
    pub fn log_at<'k, 'v, K, V>(
        &mut self,
        time: SystemTime,
        level: LogLevel,
        message: impl AsRef<str>,
        fields: impl IntoIterator<Item = (K, V)>,
    ) where
        K: Into<TagKey<'k>>,
        V: Into<TagArg<'v>>,
    {
        let Self { store, index, limits, .. } = self;
        let time = Tick::at_wall(time, self.correction);
        let log = store.push_log(*index, time, level, message.as_ref(), limits);
        for (key, value) in fields {
            if let Some(log) = log {
                store.set_field_of(*index, log, &key.into(), value.into().as_ref(), limits);
            }
        }
    }

    /// Points to another span.
    pub fn add_link(&mut self, link: impl Into<Link>) {
        self.store.push_link(self.index, link.into(), &self.limits);
    }

    /// Says how it went; see [`Status`] for what replaces what.
    pub fn set_status(&mut self, status: Status) {
        self.store.set_status(self.index, status, &self.limits);
    }

    /// Counts what was dropped before it got here, on top of what the limits drop.
    pub fn count_dropped(&mut self, tags: u32, logs: u32, links: u32) {
        self.store.count_dropped(self.index, tags, logs, links);
    }

    /// Ends it now, unless it has ended.
    pub fn finish(&mut self) {
        self.finish_at(Clock::system().wall());
    }

    /// Ends it at `end`, or at its start when that is later; unless it has ended.
    pub fn finish_at(&mut self, end: SystemTime) {
        self.store.finish_at(self.index, Tick::at_wall(end, self.correction));
    }
}

#[cfg(test)]
mod tests {
    use crate::model::{Limits, LogLevel, SpanId, TagKey, TagRef, TraceContext, TraceId};
    use crate::trace::Span;

    fn span() -> Span {
        Span::new("span", TraceContext::new(TraceId::new(), SpanId::new()))
    }

    #[test]
    fn what_was_dropped_before_adds_to_what_the_limits_drop() {
        let mut span = span();
        let mut change = span.as_mut().with_limits(Limits { tags: 1, ..Limits::default() });
        change.count_dropped(0, 0, 0);
        change.count_dropped(1, 2, u32::MAX);
        change.count_dropped(1, 2, 3);
        change.set_tag("kept", 1);
        change.set_tag("dropped", 2);
        let read = span.as_ref().unwrap();
        let dropped = (read.dropped_tags(), read.dropped_logs(), read.dropped_links());
        assert_eq!(dropped, (3, 4, u32::MAX));
    }

    #[test]
    fn without_limits_nothing_is_cut_or_dropped() {
        let mut span = span();
        let long = "x".repeat(100_000);
        let mut change = span.as_mut().with_limits(Limits::NONE);
        for number in 0..200 {
            change.set_tag(number.to_string(), number);
        }
        change.set_tag("long", &long);
        let read = span.as_ref().unwrap();
        assert_eq!((read.tags().count(), read.dropped_tags()), (201, 0));
        assert_eq!(read.tag("long"), Some(TagRef::Str(&long)));
    }

    #[test]
    fn a_key_that_is_lent_is_the_same_as_one_that_is_static() {
        let mut span = span();
        let mut change = span.as_mut().with_limits(Limits { text_bytes: 4, ..Limits::default() });
        for (key, value) in [("a", 1), ("longer than four", 2)] {
            change.set_tag(TagKey::lent(key), value);
            change.set_tag(key, value * 10);
            change.set_tag(key.to_owned(), value * 100);
        }
        change.set_tag("long", 3);
        change.set_tag(TagKey::lent("long and lent"), 300);
        change.log_with_fields(LogLevel::Info, "said", [(TagKey::lent("b"), 1), ("b".into(), 2)]);
        let read = span.as_ref().unwrap();
        let tags: Vec<_> = read.tags().collect();
        assert_eq!(tags, [("a", TagRef::I64(100)), ("long", TagRef::I64(300))]);
        let fields: Vec<_> = read.logs().flat_map(|log| log.fields()).collect();
        assert_eq!(fields, [("b", TagRef::I64(2))]);
    }

    #[test]
    fn a_new_name_and_where_the_parent_is_stay_with_a_copy() {
        let mut span = span();
        span.as_mut().set_operation_name("renamed");
        span.as_mut().set_parent_remote(true);
        let copy = span.as_ref().unwrap().to_span();
        assert_eq!(copy.operation_name(), "renamed");
        assert!(copy.as_ref().unwrap().is_parent_remote());
    }
}
