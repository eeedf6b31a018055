//! Baggage in both kinds of contexts.

use opentelemetry::Context;
use opentelemetry::baggage::BaggageExt;

use crate::model::Baggage;
use crate::otel::adapter::propagator::kept;
use crate::otel::convert;

/// Whether a context says what it carries, and be it nothing.
fn says(context: &Context) -> bool {
    // One that does not say answers with one that all have in common.
    !std::ptr::eq(context.baggage(), Context::new().baggage())
}

/// The baggage that a context says it has, if it says.
pub(super) fn of(context: &Context) -> Option<Baggage> {
    says(context).then(|| kept::baggage_of(context))
}

/// The context with this baggage, unless it says itself what it carries.
pub(super) fn lend(context: Context, ours: &Baggage) -> Context {
    if ours.is_empty() || says(&context) {
        return context;
    }
    context.with_baggage(convert::to_baggage(ours))
}
