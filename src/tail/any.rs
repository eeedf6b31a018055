//! Keep what any part keeps.

use super::{EvaluationOrder, TailPolicy, TailSampler, Verdict};
use crate::trace::TraceView;

/// Keeps what at least one of several policies keeps.
///
/// Use it inside other combinators, as in `All::new([..]).and(Any::new([..]))`; at the top a
/// [`TailSampler`] does the same. The verdict names the first policy that keeps. Order, cost,
/// thresholds and drops on purpose are the sampler's. Without policies it keeps nothing.
///
/// OpenTelemetry: the collector has it only at the top level, as the list of policies.
///
/// ```
/// use std::time::Duration;
/// use tailtrace::tail::Any;
/// use tailtrace::{Errors, SlowerThan};
/// let bad = Any::new([Errors]).or(SlowerThan(Duration::from_secs(1)));
/// # let _ = bad;
/// ```
#[derive(Debug, Default)]
pub struct Any(TailSampler);

impl Any {
    /// Keeps what one of `policies` keeps. Policies of different types follow with [`or`](Self::or),
    /// or come boxed.
    pub fn new<P: TailPolicy + 'static>(policies: impl IntoIterator<Item = P>) -> Self {
        let none = TailSampler::new();
        Self(policies.into_iter().fold(none, TailSampler::keep))
    }

    /// Keeps what `policy` keeps as well.
    #[must_use]
    pub fn or(self, policy: impl TailPolicy + 'static) -> Self {
        Self(self.0.keep(policy))
    }
}

impl TailPolicy for Any {
    fn evaluate(&self, trace: &TraceView<'_>) -> Verdict {
        self.0.evaluate(trace)
    }

    fn evaluation_order(&self) -> EvaluationOrder {
        self.0.evaluation_order()
    }

    fn is_self_contained(&self) -> bool {
        self.0.is_self_contained()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tail::errors::Errors;
    use crate::tail::fraction::Fraction;
    use crate::tail::test_traces;

    #[test]
    fn one_keep_is_enough_and_is_named() {
        let any = Any::new([Errors]).or(Fraction::new(0.5).unwrap());
        assert!(!any.evaluate(&test_traces::random(0).view()).is_keep());
        let verdict = any.evaluate(&test_traces::random(u64::MAX).view());
        assert_eq!(verdict.policy, "Fraction");
        assert_eq!(any.evaluate(&test_traces::failed().view()).policy, "Errors");
    }

    #[test]
    fn without_policies_it_keeps_nothing() {
        let none: [Errors; 0] = [];
        assert!(!Any::new(none).evaluate(&test_traces::failed().view()).is_keep());
    }
}
