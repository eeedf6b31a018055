//! Decisions that wait until the registry has forgotten a span.

use tracing::{Subscriber, span};
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use super::deferred_decision::DeferredDecision;

/// A decision that waits in the extensions of a closing span.
///
/// The registry forgets a span only when every layer has been told that it closed, and never forgets one
/// that opens and closes meanwhile, as a span that a sampler opens would. The extensions go last, on the
/// thread that has closed the span, or on one that was still looking at it: nothing else of a program runs
/// then, so that there is no cheaper place to wait in.
struct DecisionAfterClose {
    /// One that waits too, where the registry has several layers of this kind; it comes first.
    before: Option<Box<Self>>,
    _decision: DeferredDecision,
}

/// Defers a decision until the registry has forgotten the span `id`.
pub(super) fn defer<S>(decision: DeferredDecision, id: &span::Id, context: &Context<'_, S>)
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let Some(span) = context.span(id) else { return drop(decision) };
    let mut extensions = span.extensions_mut();
    let before = extensions.replace(DecisionAfterClose { before: None, _decision: decision });
    if let Some(before) = before
        && let Some(latest) = extensions.get_mut::<DecisionAfterClose>()
    {
        latest.before = Some(Box::new(before));
    }
}
