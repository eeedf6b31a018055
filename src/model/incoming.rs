//! What the headers of a request say.

use super::{Baggage, TraceContext};

/// What the headers of an incoming request say: the caller's context and its baggage.
///
/// From [`Tracer::extract`](crate::Tracer::extract), or from a
/// [propagator](crate::propagation::Propagator). Give it to
/// [`start_span_with_context`](crate::Tracer::start_span_with_context) or
/// [`with_parent_context`](crate::SpanBuilder::with_parent_context). Baggage stands by itself: without a
/// caller's context the span is the root of a new trace, and carries the baggage all the same.
///
/// A [`TraceContext`] becomes one with the baggage of the context, and so does a running
/// [`SpanGuard`](crate::SpanGuard).
///
/// ```
/// use tailtrace::model::Baggage;
/// use tailtrace::{Incoming, SpanId, TraceContext, TraceId};
/// let baggage = Baggage::new().with("tenant", "acme")?;
/// let without_caller = Incoming::default().with_baggage(baggage.clone());
/// assert_eq!(without_caller.context, None);
///
/// let caller = TraceContext::new(TraceId::new(), SpanId::new()).remote();
/// let both = Incoming::from(&caller).with_baggage(baggage);
/// assert_eq!(both.into_context().unwrap().baggage.get("tenant"), Some("acme"));
/// # Ok::<(), tailtrace::model::BaggageError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Incoming {
    /// The span that sent the request, as the parent of what the request causes here. `None` if the
    /// headers name none or are malformed: a new trace starts.
    pub context: Option<TraceContext>,
    /// The baggage of the request, with or without a context. It counts instead of the context's own.
    pub baggage: Baggage,
}

impl Incoming {
    /// This with another context. The baggage stays.
    #[must_use]
    pub fn with_context(mut self, context: impl Into<Option<TraceContext>>) -> Self {
        self.context = context.into();
        self
    }

    /// This with other baggage.
    #[must_use]
    pub fn with_baggage(mut self, baggage: Baggage) -> Self {
        self.baggage = baggage;
        self
    }

    /// Whether the request says nothing: it has neither a context nor baggage.
    #[cfg(feature = "layer")]
    pub(crate) fn is_empty(&self) -> bool {
        self.context.is_none() && self.baggage.is_empty()
    }

    /// The context, carrying the baggage; `None` without a context.
    #[must_use]
    pub fn into_context(self) -> Option<TraceContext> {
        let mut context = self.context?;
        context.baggage = self.baggage;
        Some(context)
    }
}

impl From<TraceContext> for Incoming {
    fn from(context: TraceContext) -> Self {
        Self { baggage: context.baggage.clone(), context: Some(context) }
    }
}

impl From<&TraceContext> for Incoming {
    fn from(context: &TraceContext) -> Self {
        context.clone().into()
    }
}

impl From<Option<TraceContext>> for Incoming {
    fn from(context: Option<TraceContext>) -> Self {
        context.map_or_else(Self::default, Self::from)
    }
}

impl From<Option<&TraceContext>> for Incoming {
    fn from(context: Option<&TraceContext>) -> Self {
        context.map_or_else(Self::default, Self::from)
    }
}

impl From<&Incoming> for Incoming {
    fn from(incoming: &Incoming) -> Self {
        incoming.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{SpanId, TraceId};

    fn baggage(value: &str) -> Baggage {
        Baggage::new().with("name", value).unwrap()
    }

    #[test]
    fn a_context_brings_its_baggage_along() {
        let mut context = TraceContext::new(TraceId::new(), SpanId::new());
        context.baggage = baggage("1");
        for incoming in [
            Incoming::from(&context),
            Incoming::from(context.clone()),
            Incoming::from(Some(&context)),
            Incoming::from(Some(context.clone())),
            Incoming::from(&Incoming::from(&context)),
        ] {
            assert_eq!(incoming.baggage, context.baggage);
            assert_eq!(incoming.into_context(), Some(context.clone()));
        }
        assert_eq!(Incoming::from(None::<TraceContext>), Incoming::default());
        assert_eq!(Incoming::from(None::<&TraceContext>), Incoming::default());
    }

    #[test]
    fn the_baggage_of_the_request_counts_instead_of_the_contexts() {
        let mut context = TraceContext::new(TraceId::new(), SpanId::new());
        context.baggage = baggage("1");
        let incoming = Incoming::from(context).with_baggage(baggage("2"));
        assert_eq!(incoming.into_context().unwrap().baggage, baggage("2"));
    }

    #[test]
    fn baggage_stands_without_a_context() {
        let incoming = Incoming::default().with_baggage(baggage("1"));
        assert_eq!((incoming.baggage.len(), incoming.into_context()), (1, None));
    }
}
