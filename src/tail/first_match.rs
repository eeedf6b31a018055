//! Rules: the first that applies decides.

use std::fmt;

use super::verdict::{VerdictNotes, rarer};
use super::{EvaluationOrder, TailDecision, TailPolicy, Verdict};
use crate::trace::TraceView;

/// Rules in order: the policy of the first rule whose condition keeps the trace decides alone.
///
/// Use it for rates by kind of traffic: all of the checkouts, 10 % of the searches, 1 % of the rest.
/// In a [`TailSampler`](super::TailSampler) policies add up; here a later rule never keeps what an
/// earlier one was responsible for, and so each rate is what it says. If no rule applies there is no
/// opinion. The verdict is called by the name of the deciding policy.
///
/// Any policy serves as a condition; one that drops on purpose drops the trace. The threshold is that
/// of the policy, or the condition's if that is larger; it is unknown when an earlier condition was
/// left to chance.
///
/// **Cost.** The conditions up to the first that applies, and one policy. A policy that learns, such
/// as [`Slowest`](super::Slowest), learns only from what its rule is responsible for.
///
/// OpenTelemetry: no policy of `tail_sampling` (its `composite` splits a budget); the rules of the
/// collector's `dynamic_sampling` processor and of other samplers by rules work this way.
///
/// ```
/// use tailtrace::tail::{FirstMatch, RootNamed, TagEquals};
/// use tailtrace::{Errors, Fraction};
/// let by_traffic = FirstMatch::new()
///     .rule(Errors, Fraction::new(1.0)?)
///     .rule(TagEquals::new("tenant", "noisy"), Fraction::new(0.001)?)
///     .rule(RootNamed::new("GET /search*"), Fraction::new(0.1)?)
///     .otherwise(Fraction::new(0.01)?);
/// # let _ = by_traffic;
/// # Ok::<(), tailtrace::model::SettingError>(())
/// ```
#[derive(Debug, Default)]
pub struct FirstMatch {
    rules: Vec<Rule>,
}

struct Rule {
    /// `None` applies to every trace.
    condition: Option<Box<dyn TailPolicy>>,
    policy: Box<dyn TailPolicy>,
}

impl FirstMatch {
    /// No rules yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { rules: Vec::new() }
    }

    /// Lets `policy` decide what `condition` keeps, unless a rule before applies.
    #[must_use]
    pub fn rule(
        mut self,
        condition: impl TailPolicy + 'static,
        policy: impl TailPolicy + 'static,
    ) -> Self {
        self.rules.push(Rule { condition: Some(Box::new(condition)), policy: Box::new(policy) });
        self
    }

    /// Lets `policy` decide what no rule so far applies to. Rules added later never apply.
    #[must_use]
    pub fn otherwise(mut self, policy: impl TailPolicy + 'static) -> Self {
        self.rules.push(Rule { condition: None, policy: Box::new(policy) });
        self
    }
}

impl FirstMatch {
    /// Whether any part is one that could drop on purpose.
    fn may_drop(&self) -> bool {
        let may = |part: &dyn TailPolicy| {
            matches!(part.evaluation_order(), EvaluationOrder::First | EvaluationOrder::Always)
        };
        self.rules
            .iter()
            .any(|rule| may(&*rule.policy) || rule.condition.as_deref().is_some_and(may))
    }
}

impl TailPolicy for FirstMatch {
    fn evaluate(&self, trace: &TraceView<'_>) -> Verdict {
        let mut notes = VerdictNotes::default();
        for rule in &self.rules {
            let applies = match &rule.condition {
                None => Verdict::keep(),
                Some(condition) => condition.evaluate(trace).by(|| condition.name()),
            };
            notes.absorb(applies.notes);
            match applies.decision {
                TailDecision::Drop => return applies.with_notes(notes),
                TailDecision::Pass => notes.could_keep |= applies.notes.could_keep,
                TailDecision::Keep => {
                    // With other luck another rule would have decided.
                    let by_chance = notes.could_keep || !applies.is_certain();
                    notes.could_drop |= by_chance && self.may_drop();
                    return rule.decide(trace, &applies, notes);
                }
            }
        }
        notes.could_drop |= notes.could_keep && self.may_drop();
        Verdict::pass().with_notes(notes)
    }

    fn evaluation_order(&self) -> EvaluationOrder {
        let mut conditions = self.rules.iter().filter_map(|rule| rule.condition.as_ref());
        if conditions
            .all(|condition| condition.evaluation_order() == EvaluationOrder::WhileUndecided)
        {
            EvaluationOrder::any_of(self.rules.iter().map(|rule| rule.policy.evaluation_order()))
        } else {
            EvaluationOrder::Always
        }
    }

    fn is_self_contained(&self) -> bool {
        self.rules.iter().all(|rule| {
            let condition = rule.condition.as_ref();
            rule.policy.is_self_contained()
                && condition.is_none_or(|policy| policy.is_self_contained())
        })
    }
}

impl Rule {
    /// The verdict of the policy, once the condition has said that it applies.
    fn decide(&self, trace: &TraceView<'_>, applies: &Verdict, mut notes: VerdictNotes) -> Verdict {
        let mut verdict = self.policy.evaluate(trace).by(|| self.policy.name());
        notes.absorb(verdict.notes);
        match verdict.decision {
            TailDecision::Keep if notes.could_keep => verdict.threshold = None,
            TailDecision::Keep => verdict.threshold = rarer(verdict.threshold, applies.threshold),
            TailDecision::Pass => {
                notes.could_keep |= verdict.notes.could_keep || !applies.is_certain();
            }
            TailDecision::Drop => {}
        }
        verdict.with_notes(notes)
    }
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.condition {
            Some(condition) => write!(f, "{}: {}", condition.name(), self.policy.name()),
            None => write!(f, "otherwise: {}", self.policy.name()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tail::errors::Errors;
    use crate::tail::fraction::Fraction;
    use crate::tail::{DropIf, Not, PerSecond, RootNamed, TailSampler, test_traces};

    fn fraction(rate: f64) -> Fraction {
        Fraction::new(rate).unwrap()
    }

    #[test]
    fn the_first_rule_that_applies_decides_alone() {
        let rules = FirstMatch::new()
            .rule(RootNamed::new("work"), fraction(0.0))
            .rule(Errors, fraction(1.0).named("errors"))
            .otherwise(fraction(1.0).named("rest"));
        assert_eq!(rules.evaluate(&test_traces::plain().view()), Verdict::pass());
        let other = test_traces::trace(0, "other", 1, std::time::Duration::ZERO);
        assert_eq!(rules.evaluate(&other.view()).policy, "rest");
        assert_eq!(rules.evaluation_order(), EvaluationOrder::WhileUndecided);
    }

    #[test]
    fn without_a_rule_that_applies_there_is_no_opinion() {
        let rules = FirstMatch::new().rule(Errors, fraction(1.0));
        assert_eq!(rules.evaluate(&test_traces::plain().view()), Verdict::pass());
        let none = FirstMatch::new();
        assert_eq!(none.evaluate(&test_traces::plain().view()), Verdict::pass());
    }

    #[test]
    fn a_condition_left_to_chance_counts_into_the_threshold() {
        let applies = FirstMatch::new().rule(fraction(0.25), fraction(0.5));
        let verdict = applies.evaluate(&test_traces::random(u64::MAX).view());
        assert_eq!(verdict.threshold, fraction(0.25).threshold());

        let missed = FirstMatch::new().rule(fraction(0.25), fraction(0.0)).otherwise(fraction(1.0));
        let verdict = missed.evaluate(&test_traces::random(0).view());
        assert!(verdict.is_keep());
        assert_eq!(verdict.threshold, None);
    }

    #[test]
    fn a_condition_may_drop_on_purpose() {
        let rules = FirstMatch::new().rule(DropIf(Errors), fraction(1.0)).otherwise(fraction(1.0));
        let verdict = rules.evaluate(&test_traces::failed().view());
        assert_eq!(verdict.decision, TailDecision::Drop);
        assert_eq!(verdict.policy, "Errors");
    }

    #[test]
    fn what_a_rule_left_to_chance_kept_from_being_dropped_has_an_unknown_threshold() {
        let rules = || {
            FirstMatch::new()
                .rule(Not(fraction(0.5)), Errors)
                .otherwise(DropIf(RootNamed::new("work")))
        };
        let tail = TailSampler::new().keep(rules()).keep(fraction(1.0));
        let spared = tail.evaluate(&test_traces::random(0).view());
        assert_eq!(spared, Verdict::keep_with(None).by(|| "Fraction".into()));
        let dropped = tail.evaluate(&test_traces::random(u64::MAX).view());
        assert_eq!(dropped.decision, TailDecision::Drop);
        let missed = FirstMatch::new().rule(fraction(0.5), DropIf(RootNamed::new("work")));
        let tail = TailSampler::new().keep(missed).keep(fraction(1.0));
        assert_eq!(tail.evaluate(&test_traces::random(0).view()).threshold, None);
    }

    #[test]
    fn rules_of_budgets_are_a_budget_and_mixed_ones_are_always_asked() {
        let budget = || PerSecond::new(1.0).unwrap();
        let budgets = FirstMatch::new().rule(Errors, budget()).otherwise(budget());
        assert_eq!(budgets.evaluation_order(), EvaluationOrder::Last);
        assert_eq!(budgets.otherwise(fraction(0.1)).evaluation_order(), EvaluationOrder::Always);
    }
}
