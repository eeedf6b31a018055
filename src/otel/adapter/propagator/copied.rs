//! Which headers of a request a proxy may send on beside those that are written.

use opentelemetry::Context;
use opentelemetry::propagation::Extractor;
use opentelemetry::trace::TraceContextExt as _;

use crate::model::{Incoming, TraceState};

/// Which headers that say something came with the request that a context stands for, whether they were believed or not.
#[derive(Clone, Copy, Default)]
pub(super) struct CopiedHeaders {
    /// Whether there are ids of a trace.
    pub(super) has_ids: bool,
    pub(super) has_trace_state: bool,
    pub(super) has_baggage: bool,
    /// Whether there is the line in which Jaeger's clients take baggage from a person.
    pub(super) has_jaeger_baggage: bool,
}

impl CopiedHeaders {
    /// Those that were read from a carrier into `incoming`, for a context.
    pub(super) fn of(incoming: &Incoming, carrier: &dyn Extractor, context: &Context) -> Self {
        let has_baggage = !incoming.baggage.is_empty();
        let parent = incoming.context.as_ref();
        let is_taken = parent.is_some_and(|parent| !parent.trace_state.is_empty());
        // Beside the ids of another format, which won, and without any, it was not taken. Without ids a span that the
        // context has stands for another request.
        let may_be_left = parent.is_some() || !context.has_active_span();
        Self {
            has_ids: parent.is_some(),
            has_trace_state: is_taken
                || (may_be_left && carrier.get("tracestate").is_some_and(is_state)),
            has_baggage,
            has_jaeger_baggage: has_baggage && carrier.get("jaeger-baggage").is_some(),
        }
    }

    /// Those of the request below which the context stands.
    pub(super) fn below(context: &Context) -> Self {
        context.get().copied().unwrap_or_default()
    }

    /// Notes them in the context of the request.
    pub(super) fn noted_in(self, context: Context) -> Context {
        if self.has_ids || self.has_trace_state || self.has_baggage {
            context.with_value(self)
        } else {
            context
        }
    }
}

fn is_state(line: &str) -> bool {
    line.parse::<TraceState>().is_ok_and(|state| !state.is_empty())
}
