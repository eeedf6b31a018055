//! Decisions that wait until the registry has forgotten a span.

use tracing::{Subscriber, span};
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use super::deferred_decision::DeferredDecision;

/// The decisions that wait in the extensions of a closing span: one, unless the registry has several
/// layers of this kind.
///
/// The registry forgets a span only when every layer has been told that it closed, and never forgets one
/// that opens and closes meanwhile, as a span that a sampler opens would. The extensions go last.
struct DecisionsAfterClose {
    _first: DeferredDecision,
    more: Vec<DeferredDecision>,
}

/// Defers a decision until the registry has forgotten the span `id`.
pub(super) fn defer<S>(decision: DeferredDecision, id: &span::Id, context: &Context<'_, S>)
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let Some(span) = context.span(id) else { return drop(decision) };
    let mut extensions = span.extensions_mut();
    match extensions.get_mut::<DecisionsAfterClose>() {
        Some(waiting) => waiting.more.push(decision),
        None => extensions.insert(DecisionsAfterClose { _first: decision, more: Vec::new() }),
    }
}
