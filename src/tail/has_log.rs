//! Keep what said something that matters.

use super::{EvaluationOrder, TailPolicy, Verdict};
use crate::model::LogLevel;
use crate::trace::TraceView;

/// Keeps traces in which any span has a log entry of at least this level.
///
/// Use it where warnings are worth a look even when the request succeeded. It costs one pass over the
/// log entries up to the first that counts. Entries beyond a span's limit were not recorded and are
/// not seen.
///
/// OpenTelemetry: the collector has it only as an `ottl_condition` on span events, which have no
/// level of their own there.
///
/// ```
/// use tailtrace::tail::HasLog;
/// use tailtrace::{LogLevel, TailSampler};
/// let tail = TailSampler::new().keep(HasLog(LogLevel::Warn));
/// # let _ = tail;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct HasLog(
    /// The least level that counts.
    pub LogLevel,
);

impl TailPolicy for HasLog {
    fn evaluate(&self, trace: &TraceView<'_>) -> Verdict {
        let mut logs = trace.spans().flat_map(|span| span.logs());
        Verdict::keep_if(logs.any(|log| log.level() >= self.0))
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
    use crate::tail::test_traces;

    #[test]
    fn an_entry_of_the_level_or_above_counts() {
        let warned = test_traces::with(|span| {
            span.log(LogLevel::Debug, "starting");
            span.log(LogLevel::Warn, "slow disk");
        });
        assert!(HasLog(LogLevel::Info).evaluate(&warned.view()).is_keep());
        assert!(HasLog(LogLevel::Warn).evaluate(&warned.view()).is_keep());
        assert!(!HasLog(LogLevel::Error).evaluate(&warned.view()).is_keep());
        assert!(!HasLog(LogLevel::Trace).evaluate(&test_traces::plain().view()).is_keep());
    }
}
