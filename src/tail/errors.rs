//! Keep what failed.

use super::{EvaluationOrder, TailPolicy, Verdict};
use crate::trace::TraceView;

/// Keeps traces in which any span has [failed](crate::trace::SpanRef::failed).
///
/// Use it in nearly every tail: errors are few and are what people look for. A span has failed when its status is an
/// error, when an error was logged in it, by an event of `tracing` or any other door, or when a panic passed through
/// it. A status `Ok` does not undo the last two. It looks at no span: the recorder notes failures as they happen.
///
/// [`by_status`](Self::by_status) looks at the status alone, as the collector does.
///
/// OpenTelemetry: the collector's `status_code` policy with `[ERROR]`, and more.
///
/// ```
/// use tailtrace::{Errors, LogLevel, Span, SpanId, Status, TailPolicy, Trace, TraceContext, TraceId};
/// let id = TraceId::new();
/// let mut span = Span::new("charge_card", TraceContext::new(id, SpanId::new()));
/// span.log(LogLevel::Error, "card refused, paid by invoice").set_status(Status::Ok);
/// let mut trace = Trace::new(id);
/// trace.add_span(span);
/// assert!(Errors.evaluate(&trace.view()).is_keep());
/// assert!(!Errors::by_status().evaluate(&trace.view()).is_keep());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Errors;

impl Errors {
    /// Keeps traces in which the status of any span is an error, whatever was logged.
    ///
    /// For programs that log errors from which they recover, and set the status of what failed.
    ///
    /// OpenTelemetry: the collector's `status_code` policy with `[ERROR]`.
    #[must_use]
    pub const fn by_status() -> ErrorsByStatus {
        ErrorsByStatus(())
    }
}

/// Keeps traces in which the status of any span is an error: [`Errors::by_status`] makes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ErrorsByStatus(());

impl TailPolicy for Errors {
    fn evaluate(&self, trace: &TraceView<'_>) -> Verdict {
        Verdict::keep_if(trace.has_errors())
    }

    fn evaluation_order(&self) -> EvaluationOrder {
        EvaluationOrder::WhileUndecided
    }

    fn is_self_contained(&self) -> bool {
        true
    }
}

impl TailPolicy for ErrorsByStatus {
    fn evaluate(&self, trace: &TraceView<'_>) -> Verdict {
        // A span with such a status has failed, so most traces need no look at their spans.
        let is_error = trace.has_errors() && trace.spans().any(|span| span.has_error_status());
        Verdict::keep_if(is_error)
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
    use crate::model::{LogLevel, Status};
    use crate::tail::test_traces;

    #[test]
    fn a_status_and_a_log_entry_of_level_error_are_errors() {
        assert!(Errors.evaluate(&test_traces::failed().view()).is_keep());
        for (level, is_error) in [(LogLevel::Error, true), (LogLevel::Warn, false)] {
            let logged = test_traces::with(|span| {
                span.set_status(Status::Ok);
                span.log(level, "recovered");
            });
            assert_eq!(Errors.evaluate(&logged.view()).is_keep(), is_error);
        }
    }

    #[test]
    fn by_status_a_log_entry_is_no_error() {
        let by_status = Errors::by_status();
        assert!(by_status.evaluate(&test_traces::failed().view()).is_keep());
        let logged = test_traces::with(|span| {
            span.log(LogLevel::Error, "recovered");
        });
        assert!(!by_status.evaluate(&logged.view()).is_keep());
    }
}
