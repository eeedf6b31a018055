//! What is said about one span under one lock.

use std::borrow::Cow;

use crate::model::{Limits, Link, LogLevel, SpanKind, Status, TagRef};
use crate::time::Tick;
use crate::trace::store::{SpanStore, StagedTags};

/// Writes into the record of one span. Whoever holds it holds a lock: no user code may run meanwhile.
pub(crate) struct Edit<'s> {
    store: &'s mut SpanStore,
    span: u32,
    limits: &'s Limits,
    failed: bool,
}

impl<'s> Edit<'s> {
    #[inline]
    pub(super) fn new(store: &'s mut SpanStore, span: u32, limits: &'s Limits) -> Self {
        Self { store, span, limits, failed: false }
    }

    /// Whether the span was said to have failed.
    #[inline]
    pub(super) fn failed(&self) -> bool {
        self.failed
    }

    #[inline]
    pub(crate) fn set_tag(&mut self, key: Cow<'static, str>, value: TagRef<'_>) {
        self.store.set_tag(self.span, key, value, self.limits);
    }

    #[inline]
    pub(crate) fn set_tags(&mut self, tags: &StagedTags) {
        self.store.set_tags(self.span, tags, self.limits);
    }

    /// Adds a log entry; its place, to give it fields, unless it was dropped.
    #[inline]
    pub(crate) fn log(&mut self, time: Tick, level: LogLevel, message: &str) -> Option<u32> {
        self.store.push_log(self.span, time, level, message, self.limits)
    }

    #[inline]
    pub(crate) fn set_field(&mut self, log: u32, key: Cow<'static, str>, value: TagRef<'_>) {
        self.store.set_field(self.span, log, key, value, self.limits);
    }

    #[inline]
    pub(crate) fn set_fields(&mut self, log: u32, fields: &StagedTags) {
        self.store.set_fields(self.span, log, fields, self.limits);
    }

    pub(crate) fn add_link(&mut self, link: Link) {
        self.store.push_link(self.span, link, self.limits);
    }

    /// Counts links that lead nowhere as dropped.
    #[cfg_attr(not(feature = "otel"), allow(dead_code))]
    pub(crate) fn count_dropped_links(&mut self, links: u32) {
        self.store.count_dropped(self.span, 0, 0, links);
    }

    pub(crate) fn rename(&mut self, name: Cow<'static, str>) {
        self.store.rename(self.span, name, self.limits);
    }

    pub(crate) fn set_kind(&mut self, kind: SpanKind) {
        self.store.set_kind(self.span, kind);
    }

    pub(crate) fn set_status(&mut self, status: Status) {
        self.failed |= status.is_error();
        self.store.set_status(self.span, status, self.limits);
    }

    /// Says that it failed, and why unless that is known.
    pub(crate) fn suggest_error(&mut self, description: &str) {
        self.failed = true;
        self.store.suggest_error(self.span, description, self.limits);
    }

    /// Says that it failed, and leaves what is known of why.
    pub(crate) fn fail(&mut self) {
        self.failed = true;
        self.store.fail(self.span);
    }

    /// Says everything that a span of another buffer was said to be, but for its times and its place.
    pub(super) fn copy(&mut self, from: &SpanStore, span: u32) {
        self.failed |= from.status(span).is_error();
        self.store.copy_details(self.span, from, span, 0);
    }
}
