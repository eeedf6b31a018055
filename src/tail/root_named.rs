//! Keep what does a certain thing.

use super::{Asked, TailPolicy, Verdict};
use crate::kit::glob::Glob;
use crate::trace::{SpanRef, TraceView};

/// Keeps traces whose local root has this operation name.
///
/// Use it as a condition, in [`All`](super::All), [`FirstMatch`](super::FirstMatch) or
/// [`drop_if`](super::TailSampler::drop_if). `*` stands for any text, also none, and everything else
/// for itself, upper and lower case apart: `GET /orders/*`, `*health*`. It costs one comparison,
/// linear in the name. A trace without spans has no root and is never kept.
///
/// To record nothing at all of such traces, drop them at the head, which is cheaper.
///
/// OpenTelemetry: the collector has it only as an `ottl_condition`.
///
/// ```
/// use tailtrace::tail::RootNamed;
/// use tailtrace::TailSampler;
/// let tail = TailSampler::new()
///     .drop_if(RootNamed::new("GET /healthz"))
///     .keep(RootNamed::new("POST /checkout/*"));
/// # let _ = tail;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RootNamed(Glob);

impl RootNamed {
    /// Keeps traces whose root is called `name`, in which `*` stands for any text.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self(Glob::new(name))
    }
}

impl TailPolicy for RootNamed {
    fn evaluate(&self, trace: &TraceView<'_>) -> Verdict {
        let name = trace.root().map(SpanRef::operation_name);
        Verdict::keep_if(name.is_some_and(|name| self.0.matches(name)))
    }

    fn asked(&self) -> Asked {
        Asked::WhileOpen
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{SpanId, TraceContext, TraceId};
    use crate::trace::{Span, Trace};

    #[test]
    fn only_the_root_is_asked_for_its_name() {
        let (id, root) = (TraceId::new(), SpanId::new());
        let mut trace = Trace::new(id);
        let mut child = TraceContext::new(id, SpanId::new());
        child.parent_span_id = Some(root);
        trace.add_span(Span::new("SELECT orders", child));
        trace.add_span(Span::new("GET /orders/5", TraceContext::new(id, root)));
        let keeps = |name| RootNamed::new(name).evaluate(&trace.view()).is_keep();
        assert!(keeps("GET /orders/*") && keeps("GET /orders/5"));
        assert!(!keeps("SELECT*") && !keeps("GET /orders") && !keeps("get /orders/5"));
    }

    #[test]
    fn a_trace_without_spans_has_no_root() {
        let empty = Trace::new(TraceId::new());
        assert!(!RootNamed::new("*").evaluate(&empty.view()).is_keep());
    }
}
