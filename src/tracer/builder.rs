//! Spans that start with more than a name.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::SystemTime;

use super::SpanGuard;
use crate::model::{Baggage, Incoming, Link, SpanKind, TagKey, TagValue};
use crate::record::{Recorder, SpanStart, StartTime};

/// A span that is about to start. The sampler knows everything that the builder was given.
///
/// From [`Tracer::span_builder`](super::Tracer::span_builder). Tags and links given here cost an
/// allocation each time; where the sampler does not look at them, set them on the
/// [guard](SpanGuard::set_tag).
///
/// ```
/// # use tailtrace::{AlwaysOn, InMemoryExporter, Tracer};
/// # let tracer = Tracer::new("checkout", AlwaysOn, InMemoryExporter::new());
/// use tailtrace::SpanKind;
/// let request = tracer
///     .span_builder("GET /orders/{id}")
///     .with_kind(SpanKind::Server)
///     .with_tag("http.request.method", "GET")
///     .start();
/// # drop(request);
/// ```
#[derive(Debug)]
#[must_use = "a span starts with `start`"]
pub struct SpanBuilder {
    recorder: Arc<Recorder>,
    parent: Incoming,
    /// Instead of the parent's.
    baggage: Option<Baggage>,
    name: Cow<'static, str>,
    kind: SpanKind,
    start: Option<SystemTime>,
    tags: Vec<(Cow<'static, str>, TagValue)>,
    links: Vec<Link>,
}

impl SpanBuilder {
    pub(super) fn root(recorder: Arc<Recorder>, name: Cow<'static, str>) -> Self {
        Self {
            recorder,
            parent: Incoming::default(),
            baggage: None,
            name,
            kind: SpanKind::Internal,
            start: None,
            tags: Vec::new(),
            links: Vec::new(),
        }
    }

    /// Starts the span under a parent, whose baggage it inherits. By default, and without a context, it
    /// starts a new trace; the baggage of an [`Incoming`] goes along all the same.
    pub fn with_parent_context(mut self, parent: impl Into<Incoming>) -> Self {
        self.parent = parent.into();
        self
    }

    /// Gives the span this baggage instead of its parent's.
    pub fn with_baggage(mut self, baggage: Baggage) -> Self {
        self.baggage = Some(baggage);
        self
    }

    /// Sets the span's role in a call. Default: [`SpanKind::Internal`].
    pub fn with_kind(mut self, kind: SpanKind) -> Self {
        self.kind = kind;
        self
    }

    /// Adds a tag; of several with the same key the last counts.
    pub fn with_tag<'k>(mut self, key: impl Into<TagKey<'k>>, value: impl Into<TagValue>) -> Self {
        self.tags.push((key.into().into_owned(), value.into()));
        self
    }

    /// Sets the time at which the span started. Default: when [`start`](Self::start) is called.
    pub fn with_start_time(mut self, start: SystemTime) -> Self {
        self.start = Some(start);
        self
    }

    /// Adds a link to another span.
    pub fn with_link(mut self, link: impl Into<Link>) -> Self {
        self.links.push(link.into());
        self
    }

    /// Starts the span.
    pub fn start(mut self) -> SpanGuard {
        self.links.extend(self.parent.link.take().map(Link::new));
        let start = SpanStart {
            name: self.name,
            kind: self.kind,
            parent: self.parent.context.as_ref(),
            start: self.start.map(StartTime::Wall),
            tags: self.tags,
            links: self.links,
            baggage: self.baggage.unwrap_or(self.parent.baggage),
        };
        SpanGuard::new(self.recorder.start(start))
    }
}
