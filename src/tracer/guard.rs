//! A running span.

use std::borrow::Cow;
use std::error::Error;

use crate::model::{
    Baggage, Incoming, Link, LogLevel, SpanKind, Status, TagArg, TagKey, TraceContext,
};
use crate::record::ActiveSpan;
use crate::trace::ErrorDetails;

/// A span that is running; dropping it ends it, and [`finish`](Self::finish) does so by name.
///
/// A span whose guard is dropped by a panic has [failed](crate::trace::SpanRef::failed), unless it was started while the thread
/// was panicking.
///
/// It may move to other threads and be used from several. Setting a tag or adding a log entry takes a lock that only spans of the same
/// local trace share, for some dozen instructions, and does not allocate in the steady state.
#[derive(Debug)]
#[must_use = "a span ends when its guard is dropped; bind it to a name"]
pub struct SpanGuard(ActiveSpan);

impl SpanGuard {
    #[inline]
    pub(super) fn new(span: ActiveSpan) -> Self {
        Self(span)
    }

    /// Starts a span under this one, in the same trace, with the same baggage.
    #[inline]
    pub fn child(&self, name: impl Into<Cow<'static, str>>) -> Self {
        Self(self.0.child(name.into()))
    }

    /// Sets a tag; setting a key again replaces its value.
    ///
    /// Text is copied once; `&'static` keys stay pointers. Calls chain:
    ///
    /// ```
    /// # use tailtrace::{AlwaysOn, InMemoryExporter, Tracer};
    /// # let tracer = Tracer::new("checkout", AlwaysOn, InMemoryExporter::new());
    /// # let span = tracer.start_span("s");
    /// use tailtrace::LogLevel;
    /// span.set_tag("order.id", 4711).set_tag("tenant", "acme").log(LogLevel::Info, "asking the bank");
    /// ```
    #[inline]
    pub fn set_tag<'k, 'v>(
        &self,
        key: impl Into<TagKey<'k>>,
        value: impl Into<TagArg<'v>>,
    ) -> &Self {
        if self.0.may_write() {
            // Converted before the lock is taken: the conversions are the caller's.
            let key = key.into();
            value.into().read(|value| self.0.set_tag(key, value));
        }
        self
    }

    /// Adds a log entry.
    #[inline]
    pub fn log(&self, level: LogLevel, message: impl AsRef<str>) -> &Self {
        if self.0.may_write() {
            self.0.log(level, message.as_ref(), Vec::new());
        }
        self
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
    pub fn log_with_fields<'k, 'v, K, V>(
        &self,
        level: LogLevel,
        message: impl AsRef<str>,
        fields: impl IntoIterator<Item = (K, V)>,
    ) -> &Self
    where
        K: Into<TagKey<'k>>,
        V: Into<TagArg<'v>>,
    {
        if self.0.may_write() {
            // Collected before the lock is taken: the iterator and the conversions are the caller's.
            let fields = fields.into_iter().map(|(key, value)| (key.into(), value.into()));
            self.0.log(level, message.as_ref(), fields.collect());
        }
        self
    }

    /// Sets the span's status to an error with the error's text, and adds a log entry `exception` with
    /// the error's type, text and causes.
    ///
    /// OpenTelemetry: `record_error` and `set_status` together (semantic conventions, "exceptions").
    /// The error's `Display` runs outside of our locks; its text is cut to the length limit.
    /// For plain text use [`set_status`](Self::set_status) with [`Status::error`].
    pub fn set_error<E: Error + ?Sized>(&self, error: &E) -> &Self {
        if self.0.may_write() {
            self.0.set_error(&ErrorDetails::of(error, self.0.value_bytes()));
        }
        self
    }

    /// Sets the span's status; [`Status`] says which status replaces which.
    pub fn set_status(&self, status: Status) -> &Self {
        self.0.set_status(status);
        self
    }

    /// Sets the span's name, for when the route is known only after the request has been read.
    pub fn set_name(&self, name: impl Into<Cow<'static, str>>) -> &Self {
        // The conversion is user code, which runs without a lock.
        let name = name.into();
        self.0.write(|span| {
            span.set_name(name);
        });
        self
    }

    /// Sets the span's role in a call, as [`SpanBuilder::with_kind`](super::SpanBuilder::with_kind)
    /// does for a span that has not started.
    pub fn set_kind(&self, kind: SpanKind) -> &Self {
        self.0.write(|span| {
            span.set_kind(kind);
        });
        self
    }

    /// Adds a link to another span.
    pub fn add_link(&self, link: impl Into<Link>) -> &Self {
        // The conversion is user code, which runs without a lock.
        let link = link.into();
        self.0.write(|span| {
            span.add_link(link);
        });
        self
    }

    /// The context that children of this span start under: give it to
    /// [`start_span_with_context`](super::Tracer::start_span_with_context) for a child elsewhere in the
    /// process and to [`inject_context`](super::Tracer::inject_context) for one in another service.
    #[must_use]
    pub fn context(&self) -> TraceContext {
        self.0.context()
    }

    /// The baggage that the application carries along.
    #[must_use]
    pub fn baggage(&self) -> &Baggage {
        self.0.baggage()
    }

    /// Whether what the span is given is recorded. Ask before computing something costly for a tag.
    #[must_use]
    #[inline]
    pub fn is_recording(&self) -> bool {
        self.0.is_recording()
    }

    /// Ends the span now, as dropping the guard does. The compiler refuses a write after the end:
    ///
    /// ```compile_fail,E0382
    /// # use tailtrace::{AlwaysOn, InMemoryExporter, Tracer};
    /// # let tracer = Tracer::new("checkout", AlwaysOn, InMemoryExporter::new());
    /// let span = tracer.start_span("charge_card");
    /// span.finish();
    /// span.set_tag("attempts", 2);
    /// ```
    #[inline]
    pub fn finish(self) {
        drop(self);
    }
}

/// A running span as the parent of another: the same as its [`context`](SpanGuard::context).
impl From<&SpanGuard> for Incoming {
    fn from(span: &SpanGuard) -> Self {
        span.context().into()
    }
}
