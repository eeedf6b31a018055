//! Keep what another policy does not.

use std::borrow::Cow;

use super::{EvaluationOrder, TailDecision, TailPolicy, Verdict};
use crate::model::Threshold;
use crate::trace::TraceView;

/// Keeps what a policy does not keep, and has no opinion about what it keeps.
///
/// Use it as a condition inside [`All`](super::All) or [`FirstMatch`](super::FirstMatch): everything
/// but one operation, all tenants but one. It costs what the policy costs.
///
/// A drop on purpose stays one, and a policy that panicked is not taken at the word it did not give.
/// What the policy passed over by chance (a [`Fraction`](crate::Fraction), a budget) is kept with an
/// unknown threshold: nothing consistent keeps the other end of the randomness. A pass of your own
/// policies counts as a matter of content.
///
/// OpenTelemetry: the collector's `not` policy and `invert_match`. It differs on purpose: it nests,
/// and its answer weighs as much as any other, where inverted decisions of the collector have a
/// precedence of their own.
///
/// ```
/// use tailtrace::tail::{All, Not, TagEquals};
/// use tailtrace::Errors;
/// let other_tenants_errors = All::new([Errors]).and(Not(TagEquals::new("tenant", "noisy")));
/// # let _ = other_tenants_errors;
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Not<P>(pub P);

impl<P: TailPolicy> TailPolicy for Not<P> {
    fn evaluate(&self, trace: &TraceView<'_>) -> Verdict {
        let inner = self.0.evaluate(trace);
        let notes = inner.notes;
        match inner.decision {
            TailDecision::Drop => inner.by(|| self.0.name()),
            TailDecision::Pass if notes.panics > 0 => inner,
            TailDecision::Pass => {
                let certain = (!notes.could_keep).then_some(Threshold::ALWAYS);
                let verdict = Verdict::keep_with(certain).with_notes(notes);
                verdict.by(|| self.name())
            }
            TailDecision::Keep => {
                let mut pass = Verdict::pass().with_notes(notes);
                pass.notes.could_keep = !inner.is_certain();
                pass
            }
        }
    }

    fn name(&self) -> Cow<'static, str> {
        format!("not {}", self.0.name()).into()
    }

    fn evaluation_order(&self) -> EvaluationOrder {
        match self.0.evaluation_order() {
            EvaluationOrder::First => EvaluationOrder::Always,
            other => other,
        }
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
    use crate::tail::{Any, DropIf, test_traces};

    #[test]
    fn it_keeps_what_the_other_does_not() {
        let verdict = Not(Errors).evaluate(&test_traces::plain().view());
        assert_eq!(verdict, Verdict::keep().by(|| "not Errors".into()));
        assert!(!Not(Errors).evaluate(&test_traces::failed().view()).is_keep());
        assert!(Not(Not(Errors)).evaluate(&test_traces::failed().view()).is_certain());
    }

    #[test]
    fn it_claims_no_threshold_for_the_other_end_of_the_randomness() {
        let half = Fraction::new(0.5).unwrap();
        let low = Not(half).evaluate(&test_traces::random(0).view());
        assert!(low.is_keep());
        assert_eq!(low.threshold, None);
        let high = Not(Not(half)).evaluate(&test_traces::random(u64::MAX).view());
        assert!(high.is_keep());
        assert_eq!(high.threshold, None);
    }

    #[test]
    fn a_drop_on_purpose_stays_one() {
        let verdict = Not(DropIf(Errors)).evaluate(&test_traces::failed().view());
        assert_eq!(verdict.decision, TailDecision::Drop);
        assert!(Not(DropIf(Errors)).evaluate(&test_traces::plain().view()).is_keep());
        assert_eq!(Not(DropIf(Errors)).evaluation_order(), EvaluationOrder::Always);
    }

    #[test]
    fn a_panic_is_not_turned_into_a_keep() {
        let panics = |_: &TraceView<'_>| -> Verdict { panic!("a policy panics") };
        let verdict = Not(Any::new([panics])).evaluate(&test_traces::plain().view());
        assert_eq!(verdict, Verdict::pass());
        assert_eq!(verdict.panics(), 1);
    }
}
