//! What the headers of a request say.

use super::border::{bare, ids_of};
use super::{Baggage, Border, TraceContext};

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
    /// The caller's span where its ids do not count, as at a [public border](super::Border::Public): the root that
    /// starts here gets a link to it.
    pub link: Option<TraceContext>,
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

    /// What of it counts at this border.
    #[must_use]
    pub fn at(self, border: Border) -> Self {
        match border {
            Border::Inside => self,
            Border::Partner => Self {
                context: self.context.map(ids_of),
                link: self.link.map(bare),
                ..Self::default()
            },
            // The propagator may have stood at a border before: the link that it left is the caller's.
            Border::Public => {
                Self { link: self.context.or(self.link).map(bare), ..Self::default() }
            }
        }
    }

    /// Whether the request says nothing: it has neither a context nor baggage.
    #[cfg(feature = "layer")]
    pub(crate) fn is_empty(&self) -> bool {
        self.context.is_none() && self.baggage.is_empty() && self.link.is_none()
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
        Self { baggage: context.baggage.clone(), context: Some(context), link: None }
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
    use crate::model::{SpanId, TraceFlags, TraceId};

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

    fn caller() -> Incoming {
        let mut context = TraceContext::new(TraceId::new(), SpanId::new()).remote();
        context.flags = TraceFlags::DEBUG.with_random(true);
        context.trace_state = "evil=1,ot=th:c;rv:ffffffffffffff".parse().unwrap();
        let baggage = Baggage::new().with("evil", "1").unwrap();
        Incoming::from(context).with_baggage(baggage)
    }

    #[test]
    fn inside_everything_counts() {
        assert_eq!(caller().at(Border::Inside).baggage, caller().baggage);
        let incoming = caller();
        assert_eq!(incoming.clone().at(Border::default()), incoming);
    }

    #[test]
    fn of_a_stranger_only_a_link_is_left() {
        let incoming = caller();
        let known = incoming.context.clone().unwrap();
        let public = incoming.at(Border::Public);
        let link = public.link.clone().unwrap();
        assert_eq!((link.trace_id, link.span_id), (known.trace_id, known.span_id));
        assert_eq!((public.context, public.baggage), (None, Baggage::default()));
        assert!(link.trace_state.is_empty() && link.baggage.is_empty());
        assert_eq!(link.flags, TraceFlags::default());
        assert_eq!(Incoming::default().at(Border::Public), Incoming::default());
    }

    #[test]
    fn of_a_partner_the_ids_are_left_with_randomness_of_our_own() {
        let known = caller().context.unwrap();
        let partner =
            |known: &TraceContext| Incoming::from(known).at(Border::Partner).context.unwrap();
        let context = partner(&known);
        assert_eq!((context.trace_id, context.span_id), (known.trace_id, known.span_id));
        assert!(context.is_remote && context.flags.is_deferred() && !context.flags.is_random());
        assert_eq!((context.trace_state.len(), context.trace_state.threshold()), (1, None));
        assert!(context.baggage.is_empty());
        let other = partner(&known).trace_state.randomness();
        assert!(other.is_some() && other != context.trace_state.randomness());
    }
}
