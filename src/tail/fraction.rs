//! A policy that keeps a fraction of all traces.

use super::{EvaluationOrder, TailPolicy, Verdict};
use crate::model::{SettingError, Threshold};
use crate::trace::TraceView;

/// Keeps a fraction of all traces, the same ones in every service.
///
/// Use it last in nearly every tail, for a picture of what is normal. It compares the trace's
/// randomness with a threshold, which is one comparison of numbers. Services with the same rate keep
/// the same traces, and what a smaller rate keeps a larger one keeps too; the kept trace carries the
/// threshold, from which a backend scales counts back up. A rate of 0 keeps nothing. Over many traces
/// the kept share is the rate itself; in a short stretch it varies as chance does.
///
/// OpenTelemetry: the collector's `probabilistic` policy with the gate `usetracestate`. Without the
/// gate that hashes the trace id with a salt and keeps other traces at the same rate.
///
/// ```
/// use tailtrace::{Errors, Fraction, TailSampler};
/// let tail = TailSampler::new().keep(Errors).keep(Fraction::new(0.01)?);
/// # let _ = tail;
/// assert_eq!(
///     Fraction::new(1.5).unwrap_err().to_string(),
///     "rate 1.5 is out of range: use a rate between 0 and 1",
/// );
/// # Ok::<(), tailtrace::model::SettingError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fraction(Option<Threshold>);

impl Fraction {
    /// Keeps `rate` of all traces: 0 none, 1 all.
    ///
    /// # Errors
    /// If the rate is not a number from 0 to 1.
    pub fn new(rate: f64) -> Result<Self, SettingError> {
        Threshold::for_rate(rate).map(Self)
    }

    /// What randomness is compared with; `None` keeps nothing.
    #[must_use]
    pub const fn threshold(&self) -> Option<Threshold> {
        self.0
    }
}

impl TailPolicy for Fraction {
    fn evaluate(&self, trace: &TraceView<'_>) -> Verdict {
        Verdict::keep_at(self.0, trace.randomness()).alike_everywhere()
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
    use crate::kit::Random;
    use crate::tail::test_traces;

    #[test]
    fn the_boundary_itself_is_kept_and_carries_the_threshold() {
        let half = Fraction::new(0.5).unwrap();
        let kept = half.evaluate(&test_traces::random(1 << 55).view());
        assert_eq!(kept, Verdict::keep_with(half.threshold()));
        assert_eq!(half.evaluate(&test_traces::random((1 << 55) - 1).view()), Verdict::pass());
    }

    #[test]
    fn none_and_all_mean_what_they_say() {
        for bits in [0, u64::MAX] {
            let trace = test_traces::random(bits);
            assert!(!Fraction::new(0.0).unwrap().evaluate(&trace.view()).is_keep());
            let all = Fraction::new(1.0).unwrap().evaluate(&trace.view());
            assert_eq!(all, Verdict::keep());
        }
    }

    #[test]
    fn a_rate_that_is_none_is_refused_with_the_value() {
        for rate in [-0.1, 1.1, f64::NAN, f64::INFINITY] {
            let error = Fraction::new(rate).unwrap_err();
            assert!(error.to_string().contains(&rate.to_string()), "{error}");
        }
    }

    #[test]
    fn the_kept_share_is_the_rate_and_smaller_rates_keep_a_part_of_it() {
        let random = Random::seeded(5);
        let tenth = Fraction::new(0.1).unwrap();
        let fifth = Fraction::new(0.2).unwrap();
        let mut kept = (0, 0);
        for _ in 0..20_000 {
            let trace = test_traces::random(random.next_u64());
            let by_tenth = tenth.evaluate(&trace.view()).is_keep();
            let by_fifth = fifth.evaluate(&trace.view()).is_keep();
            assert!(by_fifth || !by_tenth);
            kept = (kept.0 + u32::from(by_tenth), kept.1 + u32::from(by_fifth));
        }
        // Five standard deviations of a binomial distribution.
        assert!(kept.0.abs_diff(2_000) < 213, "{kept:?}");
        assert!(kept.1.abs_diff(4_000) < 283, "{kept:?}");
    }
}
