//! Keep what every part keeps.

use std::borrow::Cow;

use super::combined_policy::CombinedPolicy;
use super::verdict::{VerdictNotes, rarer};
use super::{EvaluationOrder, TailDecision, TailPolicy, Verdict};
use crate::model::Threshold;
use crate::trace::TraceView;

/// Keeps what every one of several policies keeps.
///
/// Use it to narrow a policy down: the slow ones of one operation, a fraction of the errors, a budget
/// for one tenant. The verdict is called by the names of its parts ("`RootNamed and SlowerThan`")
/// unless you [name](TailPolicy::named) it.
///
/// - The threshold is the largest of the parts: a trace is kept when its randomness passes them all.
///   If it is unknown for one part, it is unknown for the whole, whatever the other parts say.
/// - A drop on purpose by one part drops the trace, whatever the other parts say. To drop what meets
///   several conditions, write `DropIf(All::new([..]))`.
/// - Without policies it has no opinion.
///
/// **Cost.** Parts are asked in order up to the first that does not keep; closures and policies that
/// learn are always asked. Budgets come last, so that one is only spent on what all other parts keep.
/// Of several budgets the first is spent even if the second refuses.
///
/// OpenTelemetry: the collector's `and` policy. It differs on purpose: parts may be combinators, and
/// an empty list keeps nothing where the collector's keeps everything (and, under `drop`, drops it).
///
/// ```
/// use std::time::Duration;
/// use tailtrace::tail::{All, RootNamed};
/// use tailtrace::{Fraction, SlowerThan};
/// let some_slow_orders = All::new([RootNamed::new("POST /orders")])
///     .and(SlowerThan(Duration::from_millis(200)))
///     .and(Fraction::new(0.1)?);
/// # let _ = some_slow_orders;
/// # Ok::<(), tailtrace::model::SettingError>(())
/// ```
#[derive(Debug, Default)]
pub struct All {
    /// In the order they are asked.
    parts: Vec<CombinedPolicy>,
}

impl All {
    /// Keeps what each of `policies` keeps. Policies of different types follow with
    /// [`and`](Self::and), or come boxed.
    pub fn new<P: TailPolicy + 'static>(policies: impl IntoIterator<Item = P>) -> Self {
        policies.into_iter().fold(Self::default(), Self::and)
    }

    /// Keeps only what `policy` keeps as well.
    #[must_use]
    pub fn and(mut self, policy: impl TailPolicy + 'static) -> Self {
        CombinedPolicy::insert(&mut self.parts, policy);
        self
    }
}

impl TailPolicy for All {
    fn evaluate(&self, trace: &TraceView<'_>) -> Verdict {
        let mut notes = VerdictNotes::default();
        let mut threshold = Some(Threshold::ALWAYS);
        // Whether a part has passed, and then whether chance alone made all of those pass.
        let mut passed_by_chance = None;
        for part in &self.parts {
            let may_wait =
                matches!(part.order, EvaluationOrder::WhileUndecided | EvaluationOrder::Last);
            if may_wait && passed_by_chance.is_some() {
                continue;
            }
            let verdict = part.policy.evaluate(trace);
            notes.absorb(verdict.notes);
            match verdict.decision {
                TailDecision::Drop => return verdict.by(|| part.policy.name()).with_notes(notes),
                TailDecision::Keep => threshold = rarer(threshold, verdict.threshold),
                TailDecision::Pass => {
                    let by_chance = passed_by_chance.unwrap_or(true) && verdict.notes.could_keep;
                    passed_by_chance = Some(by_chance);
                }
            }
        }
        match passed_by_chance {
            None if self.parts.is_empty() => Verdict::pass(),
            None => Verdict::keep_with(threshold).with_notes(notes).by(|| self.name()),
            Some(could_keep) => Verdict::pass().with_notes(VerdictNotes { could_keep, ..notes }),
        }
    }

    fn name(&self) -> Cow<'static, str> {
        let names: Vec<_> = self.parts.iter().map(|part| part.policy.name()).collect();
        if names.is_empty() { "All".into() } else { names.join(" and ").into() }
    }

    fn evaluation_order(&self) -> EvaluationOrder {
        EvaluationOrder::all_of(self.parts.iter().map(|part| part.order))
    }

    fn is_self_contained(&self) -> bool {
        self.parts.iter().all(|part| part.policy.is_self_contained())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tail::errors::Errors;
    use crate::tail::fraction::Fraction;
    use crate::tail::{DropIf, HasLog, Not, PerSecond, RootNamed, test_traces};

    #[test]
    fn it_keeps_what_all_keep_at_the_rarest_of_their_rates() {
        let half = Fraction::new(0.5).unwrap();
        let quarter = Fraction::new(0.25).unwrap();
        let all = All::new([half, quarter]).and(RootNamed::new("work"));
        assert!(!all.evaluate(&test_traces::random(0xb0 << 48).view()).is_keep());
        let verdict = all.evaluate(&test_traces::random(0xd0 << 48).view());
        assert_eq!(verdict.threshold, quarter.threshold());
        assert_eq!(verdict.policy, "Fraction and Fraction and RootNamed");
    }

    #[test]
    fn without_policies_it_keeps_nothing_and_drops_nothing() {
        let none: [Errors; 0] = [];
        let verdict = DropIf(All::new(none)).evaluate(&test_traces::plain().view());
        assert_eq!(verdict, Verdict::pass());
    }

    #[test]
    fn a_budget_is_spent_only_on_what_the_others_keep() {
        let all = All::new([PerSecond::new(1.0).unwrap()]).and(Errors);
        for _ in 0..10 {
            assert!(!all.evaluate(&test_traces::plain().view()).is_keep());
        }
        let verdict = all.evaluate(&test_traces::failed().view());
        assert!(verdict.is_keep());
        assert_eq!(verdict.threshold, None);
        assert_eq!(all.evaluation_order(), EvaluationOrder::Last);
    }

    #[test]
    fn a_closure_is_asked_even_after_another_part_has_passed() {
        let all = All::new([Errors]).and(|_: &TraceView<'_>| Verdict::drop());
        let verdict = all.evaluate(&test_traces::plain().view());
        assert_eq!(verdict.decision, TailDecision::Drop);
        assert_eq!(verdict.policy, "closure");
    }

    #[test]
    fn its_negation_knows_whether_it_passed_by_chance() {
        let not = Not(All::new([Errors]).and(Fraction::new(0.5).unwrap()));
        let by_content = not.evaluate(&test_traces::random(0).view());
        assert_eq!(by_content.threshold, Some(Threshold::ALWAYS));
        let half_of_all = Not(All::new([RootNamed::new("work")]).and(Fraction::new(0.5).unwrap()));
        let by_chance = half_of_all.evaluate(&test_traces::random(0).view());
        assert_eq!(by_chance, Verdict::keep_with(None).by(|| half_of_all.name()));
    }

    #[test]
    fn parts_that_only_look_make_a_whole_that_only_looks() {
        let looks = All::new([Errors]).and(HasLog(crate::model::LogLevel::Warn));
        assert_eq!(looks.evaluation_order(), EvaluationOrder::WhileUndecided);
        let learns = looks.and(crate::tail::Slowest::percentile(0.9).unwrap());
        assert_eq!(learns.evaluation_order(), EvaluationOrder::Always);
    }
}
