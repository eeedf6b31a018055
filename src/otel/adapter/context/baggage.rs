//! Baggage in both kinds of contexts.

use opentelemetry::Context;
use opentelemetry::baggage::BaggageExt;

use super::super::convert;
use super::super::propagator::context_values;
use super::super::release_line;
use crate::model::Baggage;

/// Whether a context holds baggage of its own, even if that is empty.
fn has_own_baggage(context: &Context) -> bool {
    // A context without baggage answers with a default that all such contexts share.
    !std::ptr::eq(context.baggage(), Context::new().baggage())
}

/// The baggage of a context; `None` when it holds none of its own.
pub(crate) fn baggage_of(context: &Context) -> Option<Baggage> {
    has_own_baggage(context).then(|| context_values::baggage_of(context))
}

/// The context with this baggage, unless it holds some of its own.
pub(super) fn with_default_baggage(context: Context, baggage: &Baggage) -> Context {
    if baggage.is_empty() || has_own_baggage(&context) {
        return context;
    }
    release_line::with_baggage(&context, convert::to_baggage(baggage))
}
