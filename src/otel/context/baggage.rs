//! Baggage in both kinds of contexts.

use opentelemetry::Context;
use opentelemetry::baggage::{BaggageExt, KeyValueMetadata};

use crate::model::Baggage;

/// Whether a context says what it carries, and be it nothing.
fn says(context: &Context) -> bool {
    // One that does not say answers with one that all have in common.
    !std::ptr::eq(context.baggage(), Context::new().baggage())
}

/// The baggage that a context says it has, if it says.
pub(super) fn of(context: &Context) -> Option<Baggage> {
    if !says(context) {
        return None;
    }
    let mut ours = Baggage::new();
    for (key, (value, metadata)) in context.baggage() {
        if let Ok(more) = ours.with_metadata(key.as_str(), value.as_str(), metadata.as_str()) {
            ours = more;
        }
    }
    Some(ours)
}

/// The context with this baggage, unless it says itself what it carries.
pub(super) fn lend(context: Context, ours: &Baggage) -> Context {
    if ours.is_empty() || says(&context) {
        return context;
    }
    context.with_baggage(ours.iter().map(|member| {
        let (name, value) = (member.name.to_owned(), member.value.to_owned());
        KeyValueMetadata::new(name, value, member.metadata)
    }))
}
