//! Keep what fits a budget.

use super::{EvaluationOrder, TailPolicy, Verdict};
use crate::model::SettingError;
use crate::model::setting::{check_burst, check_per_second};
use crate::time::token_bucket::TokenBucket;
use crate::trace::TraceView;

/// Keeps up to so many traces per second.
///
/// Use it to see something of everything at any load without ever paying for more, or inside
/// [`All`](super::All) to bound another policy. Unused budget is saved up to the burst, by default the
/// traces of one second, at least one; it starts full. Combinators ask it last, so that it is spent on
/// what nothing else keeps. It costs one compare-and-swap, and is exact over all threads.
///
/// It keeps what comes first, not a fair share of everything, and so the threshold is unknown: counts
/// cannot be scaled back up.
///
/// OpenTelemetry: the collector's `rate_limiting` counts spans, as [`SpansPerSecond`] does; traces
/// are counted by other tools.
///
/// ```
/// use tailtrace::tail::PerSecond;
/// use tailtrace::{Errors, TailSampler};
/// let tail = TailSampler::new().keep(Errors).keep(PerSecond::new(5.0)?.with_burst(20)?);
/// # let _ = tail;
/// # Ok::<(), tailtrace::model::SettingError>(())
/// ```
#[derive(Debug)]
pub struct PerSecond(Budget);

impl PerSecond {
    /// Keeps up to `traces` per second; fractions are allowed, as in one every ten seconds.
    ///
    /// # Errors
    /// If `traces` is not a finite number above zero.
    pub fn new(traces: f64) -> Result<Self, SettingError> {
        Budget::new(traces, "traces").map(Self)
    }

    /// Saves up to `traces` of unused budget.
    ///
    /// # Errors
    /// If the burst is 0, with which nothing would ever be kept.
    pub fn with_burst(self, traces: u32) -> Result<Self, SettingError> {
        self.0.with_burst(traces).map(Self)
    }
}

impl TailPolicy for PerSecond {
    fn evaluate(&self, trace: &TraceView<'_>) -> Verdict {
        self.0.spend(trace, 1)
    }

    fn evaluation_order(&self) -> EvaluationOrder {
        EvaluationOrder::Last
    }

    fn is_self_contained(&self) -> bool {
        true
    }
}

/// Keeps traces of up to so many spans per second in all.
///
/// Use it like [`PerSecond`] where traces differ much in size and the bill is by spans. Unused budget
/// is saved up to the burst, by default the spans of one second, at least one; it starts full. A trace
/// with more spans than the burst is never kept and spends nothing: choose the burst by the largest
/// trace you want to see. Cost, order and threshold are those of [`PerSecond`].
///
/// OpenTelemetry: the collector's `rate_limiting` with `spans_per_second` and `burst_capacity`,
/// except that it is not spent on what is kept anyway, and that the collector's default burst is the
/// spans of two seconds.
///
/// ```
/// use tailtrace::tail::SpansPerSecond;
/// use tailtrace::{Errors, TailSampler};
/// let tail = TailSampler::new().keep(Errors).keep(SpansPerSecond::new(500.0)?.with_burst(2_000)?);
/// # let _ = tail;
/// # Ok::<(), tailtrace::model::SettingError>(())
/// ```
#[derive(Debug)]
pub struct SpansPerSecond(Budget);

impl SpansPerSecond {
    /// Keeps traces of up to `spans` per second.
    ///
    /// # Errors
    /// If `spans` is not a finite number above zero.
    pub fn new(spans: f64) -> Result<Self, SettingError> {
        Budget::new(spans, "spans").map(Self)
    }

    /// Saves up to `spans` of unused budget.
    ///
    /// # Errors
    /// If the burst is 0, with which nothing would ever be kept.
    pub fn with_burst(self, spans: u32) -> Result<Self, SettingError> {
        self.0.with_burst(spans).map(Self)
    }
}

impl TailPolicy for SpansPerSecond {
    fn evaluate(&self, trace: &TraceView<'_>) -> Verdict {
        self.0.spend(trace, trace.span_count() as u64)
    }

    fn evaluation_order(&self) -> EvaluationOrder {
        EvaluationOrder::Last
    }

    fn is_self_contained(&self) -> bool {
        true
    }
}

#[derive(Debug)]
struct Budget {
    rate: f64,
    /// What is counted.
    unit: &'static str,
    bucket: TokenBucket,
}

impl Budget {
    fn new(rate: f64, unit: &'static str) -> Result<Self, SettingError> {
        check_per_second("budget", rate, unit)?;
        let bucket = TokenBucket::new(rate, rate);
        Ok(Self { rate, unit, bucket })
    }

    fn with_burst(self, burst: u32) -> Result<Self, SettingError> {
        check_burst(burst, self.unit)?;
        let bucket = TokenBucket::new(self.rate, burst.into());
        Ok(Self { bucket, ..self })
    }

    fn spend(&self, trace: &TraceView<'_>, tokens: u64) -> Verdict {
        if self.bucket.try_take(trace.now(), tokens) {
            Verdict::keep_with(None)
        } else {
            Verdict::pass_by_chance()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::{SpanId, TraceContext};
    use crate::tail::errors::Errors;
    use crate::tail::{TailSampler, test_traces};
    use crate::trace::Span;

    fn kept(policy: &impl TailPolicy, traces: usize, at: Duration) -> usize {
        let trace = test_traces::trace(0, "work", 0, at);
        (0..traces).filter(|_| policy.evaluate(&trace.view()).is_keep()).count()
    }

    #[test]
    fn it_starts_with_the_burst_and_goes_on_at_the_rate() {
        let policy = PerSecond::new(10.0).unwrap();
        assert_eq!(kept(&policy, 100, Duration::ZERO), 10, "the default: those of one second");
        assert_eq!(kept(&policy, 100, Duration::from_millis(99)), 0);
        assert_eq!(kept(&policy, 100, Duration::from_millis(500)), 5);
        let policy = PerSecond::new(10.0).unwrap().with_burst(3).unwrap();
        assert_eq!(kept(&policy, 100, Duration::ZERO), 3);
        assert_eq!(kept(&policy, 100, Duration::from_secs(60)), 3);
    }

    #[test]
    fn one_in_ten_seconds_is_a_budget_too() {
        let policy = PerSecond::new(0.1).unwrap();
        assert_eq!(kept(&policy, 5, Duration::ZERO), 1);
        assert_eq!(kept(&policy, 5, Duration::from_secs(9)), 0);
        assert_eq!(kept(&policy, 5, Duration::from_secs(10)), 1);
    }

    #[test]
    fn spans_are_counted_and_what_exceeds_the_burst_spends_nothing() {
        let mut three = test_traces::plain();
        for _ in 0..2 {
            let context = TraceContext::new(three.trace_id(), SpanId::new());
            three.add_span(Span::started_at("step", context, std::time::UNIX_EPOCH));
        }
        let policy = SpansPerSecond::new(1.0).unwrap();
        assert!(!policy.evaluate(&three.view()).is_keep());
        assert_eq!(kept(&policy, 9, Duration::ZERO), 1);
        let policy = SpansPerSecond::new(1.0).unwrap().with_burst(4).unwrap();
        let verdict = policy.evaluate(&three.view());
        assert_eq!(verdict, Verdict::keep_with(None));
        assert!(!policy.evaluate(&three.view()).is_keep());
        assert_eq!(kept(&policy, 9, Duration::ZERO), 1);
    }

    #[test]
    fn what_is_kept_anyway_spends_nothing() {
        let tail = TailSampler::new().keep(PerSecond::new(1.0).unwrap()).keep(Errors);
        assert_eq!(tail.evaluate(&test_traces::failed().view()).policy, "Errors");
        assert_eq!(tail.evaluate(&test_traces::plain().view()).policy, "PerSecond");
    }

    #[test]
    fn a_budget_that_is_none_is_refused_with_the_value() {
        for rate in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            let error = SpansPerSecond::new(rate).unwrap_err();
            assert!(error.to_string().contains(&format!("{rate}")), "{error}");
        }
        assert!(PerSecond::new(f64::MIN_POSITIVE).is_ok() && PerSecond::new(f64::MAX).is_ok());
        let error = PerSecond::new(1.0).unwrap().with_burst(0).unwrap_err();
        assert_eq!(error.to_string(), "burst of 0 traces is out of range: use 1 or more");
        let error = SpansPerSecond::new(1.0).unwrap().with_burst(0).unwrap_err();
        assert_eq!(error.to_string(), "burst of 0 spans is out of range: use 1 or more");
    }
}
