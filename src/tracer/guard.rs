//! A running span.

use std::borrow::Cow;
use std::error::Error;

use crate::model::{Baggage, Link, LogLevel, SpanKind, Status, TagArg, TraceContext};
use crate::record::ActiveSpan;
use crate::trace::ErrorDetails;

/// A span that is running; dropping it ends it.
///
/// It may move to other threads and be used from several. After its end every method still works and
/// changes nothing. Setting a tag or adding a log entry takes a lock that only spans of the same
/// local trace share, for some dozen instructions, and does not allocate in the steady state.
#[derive(Debug)]
#[must_use = "a span ends when its guard is dropped; bind it to a name"]
pub struct SpanGuard(ActiveSpan);

impl SpanGuard {
    #[inline]
    pub(super) fn new(span: ActiveSpan) -> Self {
        Self(span)
    }

    /// Starts a span under this one, in the same trace. It inherits this one's baggage.
    #[inline]
    pub fn child(&self, name: impl Into<Cow<'static, str>>) -> Self {
        Self(self.0.child(name.into()))
    }

    /// Sets a tag; setting a key again replaces its value.
    ///
    /// Text is copied once; `&'static` keys stay pointers.
    #[inline]
    pub fn set_tag<'v>(&self, key: impl Into<Cow<'static, str>>, value: impl Into<TagArg<'v>>) {
        if self.0.may_write() {
            value.into().read(|value| self.0.set_tag(key.into(), value));
        }
    }

    /// Adds a log entry.
    #[inline]
    pub fn log(&self, level: LogLevel, message: impl AsRef<str>) {
        if self.0.may_write() {
            self.0.log(level, message.as_ref(), Vec::new());
        }
    }

    /// Adds a log entry with details. Costs an allocation for them.
    ///
    /// ```
    /// # use tailtrace::{AlwaysOn, InMemoryExporter, Tracer};
    /// # let tracer = Tracer::new("checkout", AlwaysOn, InMemoryExporter::new());
    /// # let span = tracer.start_span("s");
    /// use tailtrace::{LogLevel, TagValue};
    /// span.log_with_fields(LogLevel::Info, "query done", [("rows", 3), ("retries", 0)]);
    /// span.log_with_fields(LogLevel::Warn, "slow query", [
    ///     ("rows", TagValue::from(3)),
    ///     ("table", TagValue::from("orders")),
    /// ]);
    /// ```
    pub fn log_with_fields<'v, K, V>(
        &self,
        level: LogLevel,
        message: impl AsRef<str>,
        fields: impl IntoIterator<Item = (K, V)>,
    ) where
        K: Into<Cow<'static, str>>,
        V: Into<TagArg<'v>>,
    {
        if !self.0.may_write() {
            return;
        }
        // All of it before the lock is taken: the iterator and the conversions are the caller's.
        let fields = fields.into_iter().map(|(key, value)| (key.into(), value.into())).collect();
        self.0.log(level, message.as_ref(), fields);
    }

    /// Says that the span failed, and why: its status becomes an error with the error's text, and a
    /// log entry `exception` tells the error's type, text and causes.
    ///
    /// OpenTelemetry: `record_error` and `set_status` together (semantic conventions, "exceptions").
    /// The error's `Display` runs outside of our locks; its text is cut to the length limit.
    pub fn set_error<E: Error + ?Sized>(&self, error: &E) {
        if !self.0.may_write() {
            return;
        }
        self.0.set_error(&ErrorDetails::of(error, self.0.value_bytes()));
    }

    /// Says how it went; see [`Status`] for what replaces what.
    pub fn set_status(&self, status: Status) {
        self.0.set_status(status);
    }

    /// Gives it another name, for when the route is known only after the request has been read.
    pub fn set_name(&self, name: impl Into<Cow<'static, str>>) {
        let name = name.into();
        self.0.write(|span| {
            span.set_name(name);
        });
    }

    /// Says what its role in a call is, as [`SpanBuilder::with_kind`](super::SpanBuilder::with_kind)
    /// does for a span that has not started.
    pub fn set_kind(&self, kind: SpanKind) {
        self.0.write(|span| {
            span.set_kind(kind);
        });
    }

    /// Points to another span.
    pub fn add_link(&self, link: impl Into<Link>) {
        // The conversion is user code, which runs without a lock.
        let link = link.into();
        self.0.write(|span| {
            span.add_link(link);
        });
    }

    /// What this span tells the next: give it to
    /// [`start_span_with_context`](super::Tracer::start_span_with_context) for a child elsewhere in the
    /// process and to [`inject_context`](super::Tracer::inject_context) for one in another service.
    #[must_use]
    pub fn context(&self) -> TraceContext {
        self.0.context()
    }

    /// What the application carries along.
    #[must_use]
    pub fn baggage(&self) -> &Baggage {
        self.0.baggage()
    }

    /// Whether what is said about it is recorded. Ask before computing something costly for a tag.
    #[must_use]
    #[inline]
    pub fn is_recording(&self) -> bool {
        self.0.is_recording()
    }

    /// Ends it now. It ends once: later calls, and the drop, change nothing.
    #[inline]
    pub fn finish(&self) {
        self.0.finish(None);
    }
}
