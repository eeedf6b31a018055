//! Keep what took long.

use std::time::Duration;

use super::{EvaluationOrder, TailPolicy, Verdict};
use crate::trace::TraceView;

/// Keeps traces that took at least so long, from the first start to the last end of their spans.
///
/// Use it where a limit is known or agreed upon; where it is not, [`Slowest`](super::Slowest) finds
/// one for each operation. It costs one pass over the spans' times. Work that goes on after the root
/// has ended counts; a span that has not ended does not.
///
/// OpenTelemetry: the collector's `latency` policy with `threshold_ms`. It differs on purpose: a
/// trace that takes exactly the limit is kept, the limit is as fine as a nanosecond, and it is always
/// the whole local trace that is measured, never a prefix of its spans.
///
/// ```
/// use std::time::Duration;
/// use tailtrace::{SlowerThan, TailSampler};
/// let tail = TailSampler::new().keep(SlowerThan(Duration::from_millis(500)));
/// # let _ = tail;
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct SlowerThan(pub Duration);

impl TailPolicy for SlowerThan {
    fn evaluate(&self, trace: &TraceView<'_>) -> Verdict {
        Verdict::keep_if(trace.is_slow(self.0))
    }

    fn evaluation_order(&self) -> EvaluationOrder {
        EvaluationOrder::WhileUndecided
    }

    fn is_self_contained(&self) -> bool {
        true
    }
}

/// Keeps traces in which a single span took at least so long.
///
/// Use it for long traces made of many steps, such as jobs, where the whole says little and one slow
/// query says much; combine it with [`All`](super::All) to narrow it down. It costs one pass over the
/// spans' times. Spans that have not ended do not count.
///
/// OpenTelemetry: the collector has no such policy besides `ottl_condition`.
///
/// ```
/// use std::time::Duration;
/// use tailtrace::tail::SpanSlowerThan;
/// use tailtrace::TailSampler;
/// let tail = TailSampler::new().keep(SpanSlowerThan(Duration::from_millis(100)));
/// # let _ = tail;
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct SpanSlowerThan(pub Duration);

impl TailPolicy for SpanSlowerThan {
    fn evaluate(&self, trace: &TraceView<'_>) -> Verdict {
        Verdict::keep_if(trace.spans().any(|span| span.is_slow(self.0)))
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
    use std::time::UNIX_EPOCH;

    use super::*;
    use crate::model::{SpanId, TraceContext};
    use crate::tail::test_traces;
    use crate::trace::Span;

    #[test]
    fn exactly_the_limit_is_slow() {
        let trace = test_traces::trace(0, "work", 500, Duration::ZERO);
        assert!(SlowerThan(Duration::from_millis(500)).evaluate(&trace.view()).is_keep());
        let above = Duration::from_millis(500) + Duration::from_nanos(1);
        assert!(!SlowerThan(above).evaluate(&trace.view()).is_keep());
    }

    #[test]
    fn a_trace_may_be_slow_while_none_of_its_spans_is() {
        let mut trace = test_traces::trace(0, "work", 500, Duration::ZERO);
        let start = UNIX_EPOCH + Duration::from_secs(1_000_000);
        let context = TraceContext::new(trace.trace_id(), SpanId::new());
        let mut later = Span::started_at("after", context, start);
        later.finish_at(start + Duration::from_millis(500));
        trace.add_span(later);
        let limit = Duration::from_millis(900);
        assert!(SlowerThan(limit).evaluate(&trace.view()).is_keep());
        assert!(!SpanSlowerThan(limit).evaluate(&trace.view()).is_keep());
        assert!(SpanSlowerThan(limit / 2).evaluate(&trace.view()).is_keep());
    }

    #[test]
    fn a_span_that_has_not_ended_is_not_slow() {
        let mut trace = test_traces::plain();
        let context = TraceContext::new(trace.trace_id(), SpanId::new());
        trace.add_span(Span::started_at("open", context, UNIX_EPOCH));
        let policy = SpanSlowerThan(Duration::from_secs(1));
        assert!(!policy.evaluate(&trace.view()).is_keep());
    }
}
