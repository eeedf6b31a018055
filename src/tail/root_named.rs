//! Keep what does a certain thing.

use super::{EvaluationOrder, TailPolicy, Verdict};
#[cfg(feature = "regex")]
use crate::model::SettingError;
use crate::model::pattern::Pattern;
use crate::trace::{SpanRef, TraceView};

/// Keeps traces whose local root has this operation name.
///
/// Use it as a condition, in [`All`](super::All), [`FirstMatch`](super::FirstMatch) or
/// [`drop_if`](super::TailSampler::drop_if). `*` stands for any text, also none, and everything else
/// for itself, upper and lower case apart: `GET /orders/*`, `*health*`. What a glob cannot say, a
/// regular expression can: `RootNamed::regex`. It costs one comparison, linear in the name. A trace without spans has no root and is never kept.
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
pub struct RootNamed(Pattern);

impl RootNamed {
    /// Keeps traces whose root's name matches `glob`, in which `*` stands for any text.
    #[must_use]
    pub fn new(glob: &str) -> Self {
        Self(Pattern::glob(glob))
    }

    /// Keeps traces whose root's name matches a regular expression, as
    /// [`TagMatches::regex`](super::TagMatches::regex) does for values. Needs the feature `regex`.
    ///
    /// ```
    /// use tailtrace::{TailSampler, tail::RootNamed};
    /// let tail = TailSampler::new().drop_if(RootNamed::regex("^GET /(healthz|metrics)$")?);
    /// # let _ = tail;
    /// # Ok::<(), tailtrace::model::SettingError>(())
    /// ```
    ///
    /// # Errors
    /// If the expression is too long, is none, or is too large compiled.
    #[cfg(feature = "regex")]
    pub fn regex(expression: &str) -> Result<Self, SettingError> {
        Pattern::regex(expression).map(Self)
    }
}

impl TailPolicy for RootNamed {
    fn evaluate(&self, trace: &TraceView<'_>) -> Verdict {
        let name = trace.root().map(SpanRef::operation_name);
        Verdict::keep_if(name.is_some_and(|name| self.0.matches(name)))
    }

    fn evaluation_order(&self) -> EvaluationOrder {
        EvaluationOrder::WhileUndecided
    }

    fn is_self_contained(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{SpanId, TraceContext, TraceId};
    use crate::trace::{Span, Trace};

    #[test]
    fn only_the_root_is_asked_for_its_name() {
        let id = TraceId::new();
        let root = SpanId::new();
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
