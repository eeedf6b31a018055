//! What a `tracing` span can do that it cannot do by itself.

use std::borrow::{Borrow, Cow};

use tracing::Span;

use super::layer_list::FoundSpan;
use super::lookup::{self, LookupError};
use super::open_span::WriteTerms;
use crate::model::{Link, LogLevel, SpanId, Status, TagArg, TraceContext, TraceId};

/// Why a span did not get the parent it was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SetParentError {
    /// The span's subscriber has no `TraceLayer`.
    #[error("the span's subscriber has no TraceLayer; add `pipeline.layer()` to the registry")]
    LayerNotFound,
    /// The span has children, or its ids were handed out: both would be wrong afterwards. It has a link
    /// to the context now.
    #[error(
        "the span has children already or its ids were read, for example by a log line with trace \
         ids; set its parent first, or create it inside of its parent; it was given a link instead"
    )]
    AlreadyStarted,
    /// The span is not recorded by the layer: it is disabled by a filter, `Span::none()`, or closed.
    #[error("the span is disabled, so nothing can be its parent; look at the subscriber's filters")]
    SpanDisabled,
}

/// What a [`tracing::Span`] can do when a [`TraceLayer`](super::TraceLayer) listens.
///
/// On a span that no layer knows these methods do nothing, or return `None`. Where a filter hides the
/// span from the layer but not an ancestor of it, that ancestor answers for its context.
///
/// ```
/// use tailtrace::{ConsoleExporter, Pipeline, Status, TraceSpanExt};
/// use tracing_subscriber::prelude::*;
/// let pipeline = Pipeline::builder("checkout").with_exporter(ConsoleExporter::stdout()).start()?;
/// let _default = tracing_subscriber::registry().with(pipeline.layer()).set_default();
/// let span = tracing::info_span!("place_order");
/// span.set_tag("order.items", vec![4711, 4712]);
/// span.set_status(Status::error("card declined"));
/// let header = span.context().map(|context| context.trace_id.to_hex());
/// assert_eq!(header, span.trace_id().map(|id| id.to_string()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait TraceSpanExt {
    /// Puts the span under a parent, usually one that incoming headers tell of.
    ///
    /// It works on a span that is entered already, as the one of an `#[instrument]` function is, as long
    /// as the span has no children and nobody read its ids; a log line with [`TraceIds`](super::TraceIds)
    /// reads them. The sampler is asked (again) with the new parent. A span under a parent that is not
    /// recorded has not kept its fields: recorded after all, it has those that are set from then on.
    ///
    /// It works on a child, too, which then leaves the trace it is in. So where an
    /// `HttpServerLayer` has read the headers, do not read them again in the handler.
    ///
    /// ```
    /// use tailtrace::{ConsoleExporter, Pipeline, SetParentError, SpanId, TraceContext, TraceId, TraceSpanExt};
    /// use tracing_subscriber::prelude::*;
    /// # let pipeline = Pipeline::builder("checkout").with_exporter(ConsoleExporter::stdout()).start()?;
    /// # let _default = tracing_subscriber::registry().with(pipeline.layer()).set_default();
    /// # let caller = TraceContext::new(TraceId::new(), SpanId::new()).remote();
    /// #[tracing::instrument]
    /// fn handle(caller: &TraceContext) -> Result<(), SetParentError> {
    ///     tracing::Span::current().set_parent(caller)
    /// }
    /// handle(&caller)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// When it is too late, the span is disabled, or there is no layer.
    fn set_parent(&self, context: impl Borrow<TraceContext>) -> Result<(), SetParentError>;

    /// What the span tells the next, to be injected into outgoing headers or given to
    /// [`Tracer::start_span_with_context`](crate::Tracer::start_span_with_context).
    ///
    /// Reading it makes the span's place in its trace final, and asks the sampler if nobody has yet.
    #[doc(alias = "span_context")]
    fn context(&self) -> Option<TraceContext>;

    /// The id of the span's trace; final from now on.
    fn trace_id(&self) -> Option<TraceId> {
        self.context().map(|context| context.trace_id)
    }

    /// The span's own id; final from now on.
    fn span_id(&self) -> Option<SpanId> {
        self.context().map(|context| context.span_id)
    }

    /// Points to another span.
    #[doc(alias = "add_link_with_attributes")]
    fn add_link(&self, link: impl Into<Link>);

    /// Sets a tag, whether or not the span declared such a field; setting a key again replaces its value.
    #[doc(alias = "set_attribute")]
    fn set_tag<'v>(&self, key: impl Into<Cow<'static, str>>, value: impl Into<TagArg<'v>>);

    /// Says how it went; see [`Status`] for what replaces what.
    fn set_status(&self, status: Status);

    /// Adds a log entry to this span, wherever the thread is; other layers do not see it.
    #[doc(alias = "add_event")]
    fn log_event(&self, level: LogLevel, message: impl AsRef<str>) {
        self.log_event_with_fields(level, message, std::iter::empty::<(&str, i64)>());
    }

    /// Adds a log entry with details.
    #[doc(alias = "add_event")]
    fn log_event_with_fields<'v, K, V>(
        &self,
        level: LogLevel,
        message: impl AsRef<str>,
        fields: impl IntoIterator<Item = (K, V)>,
    ) where
        K: Into<Cow<'static, str>>,
        V: Into<TagArg<'v>>;
}

impl TraceSpanExt for Span {
    fn set_parent(&self, context: impl Borrow<TraceContext>) -> Result<(), SetParentError> {
        match lookup::find(self) {
            Ok(FoundSpan { layer, id, is_itself: true }) => {
                let is_set = layer.set_parent(id, context.borrow());
                if is_set { Ok(()) } else { Err(SetParentError::AlreadyStarted) }
            }
            Ok(_) | Err(LookupError::NoSpan) => Err(SetParentError::SpanDisabled),
            Err(LookupError::NoLayer) => Err(SetParentError::LayerNotFound),
        }
    }

    fn context(&self) -> Option<TraceContext> {
        let found = lookup::find(self).ok()?;
        found.layer.context(found.id)
    }

    fn add_link(&self, link: impl Into<Link>) {
        let link = link.into();
        if let Some(FoundSpan { layer, id, .. }) = lookup::find_exactly(self) {
            layer.write(id, |span| span.add_link(link));
        }
    }

    fn set_tag<'v>(&self, key: impl Into<Cow<'static, str>>, value: impl Into<TagArg<'v>>) {
        if let Some(FoundSpan { layer, id, .. }) = lookup::find_exactly(self) {
            let key = key.into();
            value.into().read(|value| layer.write(id, |span| span.set_tag(key, value)));
        }
    }

    fn set_status(&self, status: Status) {
        if let Some(FoundSpan { layer, id, .. }) = lookup::find_exactly(self) {
            layer.change(id, |span| {
                if status.is_error() {
                    span.rescue();
                }
                span.write(|span| span.set_status(status))
            });
        }
    }

    fn log_event_with_fields<'v, K, V>(
        &self,
        level: LogLevel,
        message: impl AsRef<str>,
        fields: impl IntoIterator<Item = (K, V)>,
    ) where
        K: Into<Cow<'static, str>>,
        V: Into<TagArg<'v>>,
    {
        let Some(FoundSpan { layer, id, .. }) = lookup::find_exactly(self) else { return };
        let Some(WriteTerms { now, .. }) = layer.with_span(id, |span| span.write_terms()).flatten()
        else {
            return;
        };
        // All of it before a lock is taken: the iterator and the conversions are the caller's.
        let message = message.as_ref();
        let fields: Vec<(Cow<'static, str>, TagArg<'v>)> =
            fields.into_iter().map(|(key, value)| (key.into(), value.into())).collect();
        layer.write(id, |span| {
            let log = span.log(now, level, message);
            for (key, value) in fields {
                if let Some(log) = log {
                    span.set_field(log, key, value.as_ref());
                }
            }
        });
    }
}
