//! What a `tracing` span can do where a layer of this crate records it.

use std::borrow::Cow;
use std::error::Error;

use tracing::Span;

use super::layer_list::FoundSpan;
use super::lookup::{self, LookupError};
use super::open_span::WriteTerms;
use super::set_parent_error::SetParentError;
use crate::model::{
    Baggage, BaggageError, Incoming, Link, LogLevel, SpanId, SpanKind, Status, TagArg, TagKey,
    TraceContext, TraceId,
};
use crate::trace::{ErrorDetails, SpanMut};

/// What a [`tracing::Span`] can do when a [`TraceLayer`](crate::TraceLayer) listens.
///
/// On a span that no layer knows these methods do nothing, or return `None`. Where a filter hides the
/// span from the layer but not an ancestor of it, that ancestor answers for its context. The trait is
/// sealed: only [`tracing::Span`] has it, and it may get more methods.
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
pub trait TraceSpanExt: sealed::Sealed {
    /// Puts the span under a parent, usually one that incoming headers tell of.
    ///
    /// It works on a span that is entered already, as the one of an `#[instrument]` function is, as long
    /// as the span has no children and its ids were not read; a log line with [`TraceIds`](crate::TraceIds)
    /// reads them. The sampler is asked (again) with the new parent. A span under a parent that is not
    /// recorded has not kept its fields: recorded after all, it has those that are set from then on.
    ///
    /// Baggage that came without a context starts a new trace, which carries it. An [`Incoming`] with neither
    /// changes nothing.
    ///
    /// It works on a child, too, which then leaves the trace it is in. So where an
    /// `HttpServerLayer` has read the headers, do not read them again in the handler.
    ///
    /// ```
    /// use tailtrace::layer::SetParentError;
    /// use tailtrace::{ConsoleExporter, Pipeline, SpanId, TraceContext, TraceId, TraceSpanExt};
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
    fn set_parent(&self, parent: impl Into<Incoming>) -> Result<(), SetParentError>;

    /// What the span tells the next, to be injected into outgoing headers or given to
    /// [`Tracer::start_span_with_context`](crate::Tracer::start_span_with_context).
    ///
    /// Reading it makes the span's place in its trace final, and asks the sampler, unless it was asked before.
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

    /// Gives the span's baggage a member, or another value for one: what the span calls from now on, here and in other
    /// services, hears of it.
    ///
    /// Children that have started keep what they inherited. Members that the pipeline
    /// [makes tags of](crate::pipeline::PipelineBuilder::with_baggage_tags) become tags of spans that start from now
    /// on. The sampler is asked, unless it was asked before.
    ///
    /// ```
    /// use tailtrace::{ConsoleExporter, Pipeline, TraceSpanExt};
    /// use tracing_subscriber::prelude::*;
    /// # let pipeline = Pipeline::builder("checkout").with_exporter(ConsoleExporter::stdout()).start()?;
    /// # let _default = tracing_subscriber::registry().with(pipeline.layer()).set_default();
    /// let span = tracing::info_span!("place_order");
    /// span.set_baggage("tenant", "acme")?;
    /// let charge = span.in_scope(|| tracing::info_span!("charge_card"));
    /// assert_eq!(charge.baggage().get("tenant"), Some("acme"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// When the name is no name of W3C's baggage, or the baggage would be too large; it stays as it is then. So it
    /// does where the baggage of all open spans takes a sixth of [what live traces may
    /// take](crate::record::RecordLimits::with_live_bytes).
    fn set_baggage(&self, name: &str, value: &str) -> Result<(), BaggageError>;

    /// The baggage that the span hands to the next; empty where no layer knows the span.
    fn baggage(&self) -> Baggage;

    /// Sets the span's name, for example once the route of a request is known.
    #[doc(alias = "update_name")]
    fn set_name(&self, name: impl Into<Cow<'static, str>>);

    /// Sets the span's role in a call between processes, as the field `otel.kind` does.
    fn set_kind(&self, kind: SpanKind);

    /// Sets a tag, whether or not the span declared such a field; setting a key again replaces its value.
    #[doc(alias = "set_attribute")]
    fn set_tag<'k, 'v>(&self, key: impl Into<TagKey<'k>>, value: impl Into<TagArg<'v>>);

    /// Adds a log entry to this span, wherever the thread is; other layers do not see it.
    #[doc(alias = "add_event")]
    fn log(&self, level: LogLevel, message: impl AsRef<str>) {
        self.log_with_fields(level, message, std::iter::empty::<(&str, i64)>());
    }

    /// Adds a log entry with details.
    #[doc(alias = "add_event")]
    fn log_with_fields<'k, 'v, K, V>(
        &self,
        level: LogLevel,
        message: impl AsRef<str>,
        fields: impl IntoIterator<Item = (K, V)>,
    ) where
        K: Into<TagKey<'k>>,
        V: Into<TagArg<'v>>;

    /// Adds a link to another span.
    #[doc(alias = "add_link_with_attributes")]
    fn add_link(&self, link: impl Into<Link>);

    /// Sets the span's status; [`Status`] says which status replaces which.
    fn set_status(&self, status: Status);

    /// Sets the span's status to an error with the error's text, and adds a log entry `exception` with the
    /// error's type, text and causes.
    ///
    /// The error's `Display` runs outside of all locks; its text is cut to the length limit.
    /// For plain text use [`set_status`](Self::set_status) with [`Status::error`].
    #[doc(alias = "record_error")]
    fn set_error<E: Error + ?Sized>(&self, error: &E);
}

mod sealed {
    pub trait Sealed {}

    impl Sealed for tracing::Span {}
}

impl TraceSpanExt for Span {
    fn set_parent(&self, parent: impl Into<Incoming>) -> Result<(), SetParentError> {
        let incoming = parent.into();
        let set = |FoundSpan { layer, id, is_itself }: FoundSpan<'_>| {
            if !is_itself {
                return Err(SetParentError::SpanDisabled);
            }
            let is_set = incoming.is_empty() || layer.set_parent(id, &incoming);
            if is_set { Ok(()) } else { Err(SetParentError::AlreadyStarted) }
        };
        lookup::with(self, set).unwrap_or_else(|error| {
            Err(match error {
                LookupError::NoSpan => SetParentError::SpanDisabled,
                LookupError::NoLayer => SetParentError::LayerNotFound,
            })
        })
    }

    fn context(&self) -> Option<TraceContext> {
        lookup::with(self, |FoundSpan { layer, id, .. }| layer.context(id)).ok().flatten()
    }

    fn set_baggage(&self, name: &str, value: &str) -> Result<(), BaggageError> {
        let change = |FoundSpan { layer, id, .. }: FoundSpan<'_>| {
            layer.change_baggage(id, |baggage| baggage.with(name, value))
        };
        lookup::with_exactly(self, change).unwrap_or(Ok(()))
    }

    fn baggage(&self) -> Baggage {
        let found = lookup::with(self, |FoundSpan { layer, id, .. }| layer.baggage(id));
        found.ok().flatten().unwrap_or_default()
    }

    fn set_name(&self, name: impl Into<Cow<'static, str>>) {
        let name = name.into();
        write(self, |span| {
            span.set_name(name);
        });
    }

    fn set_kind(&self, kind: SpanKind) {
        write(self, |span| {
            span.set_kind(kind);
        });
    }

    fn set_tag<'k, 'v>(&self, key: impl Into<TagKey<'k>>, value: impl Into<TagArg<'v>>) {
        let key = key.into();
        let value = value.into();
        write(self, |span| {
            span.set_tag(key, value);
        });
    }

    fn log_with_fields<'k, 'v, K, V>(
        &self,
        level: LogLevel,
        message: impl AsRef<str>,
        fields: impl IntoIterator<Item = (K, V)>,
    ) where
        K: Into<TagKey<'k>>,
        V: Into<TagArg<'v>>,
    {
        with_recorded(self, |FoundSpan { layer, id, .. }, WriteTerms { now, .. }| {
            // All of it before a lock is taken: the iterator and the conversions are the caller's.
            let message = message.as_ref();
            let fields: Vec<(TagKey<'k>, TagArg<'v>)> =
                fields.into_iter().map(|(key, value)| (key.into(), value.into())).collect();
            layer.with_span(id, |span| {
                if level >= LogLevel::Error {
                    span.record_failed();
                }
                span.write(|span| {
                    let Some(log) = span.push_log(now, level, message) else { return };
                    for (key, value) in fields {
                        span.set_field(log, key, value);
                    }
                });
            });
        });
    }

    fn add_link(&self, link: impl Into<Link>) {
        let link = link.into();
        write(self, |span| {
            span.add_link(link);
        });
    }

    fn set_status(&self, status: Status) {
        lookup::with_exactly(self, |FoundSpan { layer, id, .. }| {
            layer.with_span(id, |span| {
                if status.is_error() {
                    span.record_failed();
                }
                span.write(|span| {
                    span.set_status(status);
                });
            });
        });
    }

    fn set_error<E: Error + ?Sized>(&self, error: &E) {
        with_recorded(self, |FoundSpan { layer, id, .. }, WriteTerms { now, limit }| {
            let details = ErrorDetails::of(error, limit.bytes());
            layer.with_span(id, |span| {
                span.record_failed();
                span.write(|span| span.push_error(now, &details));
            });
        });
    }
}

/// Writes into a span that a layer knows.
fn write(span: &Span, write: impl FnOnce(&mut SpanMut<'_>)) {
    lookup::with_exactly(span, |FoundSpan { layer, id, .. }| layer.write(id, write));
}

/// Works on a span that a layer records, with what a write needs to know before the lock is taken.
fn with_recorded(span: &Span, work: impl FnOnce(FoundSpan<'_>, WriteTerms)) {
    lookup::with_exactly(span, |found| {
        let terms = found.layer.with_span(found.id, |span| span.write_terms()).flatten();
        if let Some(terms) = terms {
            work(found, terms);
        }
    });
}
