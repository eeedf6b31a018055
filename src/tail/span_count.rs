//! Keep what is large, or small.

use std::ops::{Bound, RangeBounds};

use super::{EvaluationOrder, TailPolicy, Verdict};
use crate::trace::TraceView;

/// Keeps traces whose number of recorded spans lies in a range.
///
/// Use it to find requests that query in a loop, or inside [`DropIf`](super::DropIf) to do without
/// traces of a single span. It costs nothing: the number is known. Spans beyond the limit per trace
/// were not recorded and do not count.
///
/// OpenTelemetry: the collector's `span_count`. It differs on purpose: a bound of 0 is 0.
///
/// ```
/// use tailtrace::tail::SpanCount;
/// use tailtrace::TailSampler;
/// let tail = TailSampler::new()
///     .drop_if(SpanCount::new(..=1))
///     .keep(SpanCount::at_least(200));
/// # let _ = tail;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SpanCount {
    start: Bound<usize>,
    end: Bound<usize>,
}

impl SpanCount {
    /// Keeps traces whose number of spans lies in `range`; a range that is empty keeps nothing.
    #[must_use]
    pub fn new(range: impl RangeBounds<usize>) -> Self {
        Self { start: range.start_bound().cloned(), end: range.end_bound().cloned() }
    }

    /// Keeps traces of `spans` spans and more.
    #[must_use]
    pub fn at_least(spans: usize) -> Self {
        Self::new(spans..)
    }
}

impl TailPolicy for SpanCount {
    fn evaluate(&self, trace: &TraceView<'_>) -> Verdict {
        Verdict::keep_if((self.start, self.end).contains(&trace.span_count()))
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
    use crate::model::TraceId;
    use crate::tail::test_traces;
    use crate::trace::Trace;

    #[test]
    fn the_number_of_spans_must_lie_in_the_range() {
        let none = Trace::new(TraceId::new());
        let one = test_traces::plain();
        let keeps = |policy: SpanCount, trace: &Trace| policy.evaluate(&trace.view()).is_keep();
        assert!(keeps(SpanCount::new(..), &none) && keeps(SpanCount::new(0..=0), &none));
        assert!(keeps(SpanCount::at_least(1), &one) && !keeps(SpanCount::at_least(2), &one));
        assert!(!keeps(SpanCount::new(0..1), &one) && keeps(SpanCount::new(1..=1), &one));
    }
}
