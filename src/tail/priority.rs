//! The tail half of the sampler by priority.

use super::{EvaluationOrder, TailPolicy, Verdict};
use crate::model::PrioritySampler;
use crate::trace::TraceView;

/// Keeps traces with an error at the error rate, slow ones at the slow rate, the rest at the default
/// rate; a trace that is both an error and slow at the higher of the two rates.
///
/// It costs one pass over the spans and one comparison. Decisions are consistent, and a kept trace
/// carries the threshold of its rate. OpenTelemetry: the collector needs a policy for each of the
/// three, and then keeps an error at the default rate too if its own is lower; here the rate of a
/// kind is the rate of that kind.
///
/// ```
/// use std::time::Duration;
/// use tailtrace::sampling::PrioritySampler;
/// use tailtrace::TailSampler;
/// let rates = PrioritySampler::new(0.01, 1.0, Duration::from_millis(500), 0.5)?;
/// let tail = TailSampler::new().keep(rates);
/// # let _ = tail;
/// # Ok::<(), tailtrace::model::SettingError>(())
/// ```
impl TailPolicy for PrioritySampler {
    fn evaluate(&self, trace: &TraceView<'_>) -> Verdict {
        let error = trace.has_errors().then(|| self.error_threshold());
        let slow = trace.is_slow(self.slow_after()).then(|| self.slow_rate_threshold());
        let threshold = match (error, slow) {
            // A rate of 0 has no threshold; any other is higher.
            (Some(one), Some(other)) => one.into_iter().chain(other).min(),
            (Some(only), None) | (None, Some(only)) => only,
            (None, None) => self.default_threshold(),
        };
        Verdict::keep_at(threshold, trace.randomness())
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
    use std::time::Duration;

    use super::*;
    use crate::model::{Status, Threshold};
    use crate::tail::test_traces;
    use crate::trace::Trace;

    const SLOW: Duration = Duration::from_millis(500);

    fn trace(is_error: bool, is_slow: bool) -> Trace {
        let millis = if is_slow { 500 } else { 499 };
        let mut trace = test_traces::trace(u64::MAX, "work", millis, Duration::ZERO);
        let root = trace.root().unwrap().span_id();
        if is_error {
            trace.span_mut(root).unwrap().set_status(Status::error("no stock"));
        }
        trace
    }

    fn rate(rates: [f64; 3], trace: &Trace) -> Option<Threshold> {
        let [default, error, slow] = rates;
        let policy = PrioritySampler::new(default, error, SLOW, slow).unwrap();
        let verdict = policy.evaluate(&trace.view());
        assert_eq!(verdict.is_keep(), verdict.threshold.is_some());
        verdict.threshold
    }

    #[test]
    fn each_kind_has_its_own_rate_and_the_higher_counts_for_both() {
        let threshold = |rate| Threshold::for_rate(rate).unwrap();
        let rates = [0.125, 0.5, 0.25];
        assert_eq!(rate(rates, &trace(false, false)), threshold(0.125));
        assert_eq!(rate(rates, &trace(true, false)), threshold(0.5));
        assert_eq!(rate(rates, &trace(false, true)), threshold(0.25));
        assert_eq!(rate(rates, &trace(true, true)), threshold(0.5));
        assert_eq!(rate([0.125, 0.25, 0.5], &trace(true, true)), threshold(0.5));
    }

    #[test]
    fn a_rate_of_zero_keeps_nothing_of_its_kind_and_hides_no_other() {
        assert_eq!(rate([1.0, 0.0, 1.0], &trace(true, false)), None);
        let slow_counts = rate([0.0, 0.0, 1.0], &trace(true, true));
        assert_eq!(slow_counts, Some(Threshold::ALWAYS));
        assert_eq!(rate([0.0, 1.0, 1.0], &trace(false, false)), None);
    }
}
