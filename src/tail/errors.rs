//! Keep what failed.

use super::{EvaluationOrder, TailPolicy, Verdict};
use crate::trace::TraceView;

/// Keeps traces in which any span ended in an error.
///
/// Use it in nearly every tail: errors are few and are what people look for. It reads one byte per
/// span and nothing else. An error is a span's status; a log entry at level error is not one, see
/// [`HasLog`](super::HasLog).
///
/// OpenTelemetry: the collector's `status_code` policy with `[ERROR]`.
///
/// ```
/// use tailtrace::{Errors, Span, SpanId, Status, TailPolicy, Trace, TraceContext, TraceId};
/// let id = TraceId::new();
/// let mut span = Span::new("charge_card", TraceContext::new(id, SpanId::new()));
/// span.set_status(Status::error("card refused"));
/// let mut trace = Trace::new(id);
/// trace.add_span(span);
/// assert!(Errors.evaluate(&trace.view()).is_keep());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Errors;

impl TailPolicy for Errors {
    fn evaluate(&self, trace: &TraceView<'_>) -> Verdict {
        Verdict::keep_if(trace.has_errors())
    }

    fn evaluation_order(&self) -> EvaluationOrder {
        EvaluationOrder::WhileUndecided
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{LogLevel, Status};
    use crate::tail::test_traces;

    #[test]
    fn a_status_is_an_error_and_a_log_entry_is_not() {
        assert!(Errors.evaluate(&test_traces::failed().view()).is_keep());
        let ok = test_traces::with(|span| {
            span.set_status(Status::Ok);
            span.log(LogLevel::Error, "recovered");
        });
        assert!(!Errors.evaluate(&ok.view()).is_keep());
    }
}
