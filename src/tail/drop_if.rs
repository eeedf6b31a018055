//! Drop on purpose.

use std::borrow::Cow;

use super::verdict::VerdictNotes;
use super::{EvaluationOrder, TailDecision, TailPolicy, Verdict};
use crate::trace::TraceView;

/// Drops on purpose what a policy keeps, even if other policies keep it.
///
/// Use it for what is of no interest even if it fails or is slow: health checks, crawlers, load
/// tests. [`TailSampler::drop_if`](super::TailSampler::drop_if) is the short form. It costs what the
/// policy costs, and combinators ask it first. The drop is called by the policy's name.
///
/// What only chance has spared, as with a [`Fraction`](crate::Fraction), loses its threshold: a trace
/// that other policies keep then stands for an unknown number of its likes.
///
/// OpenTelemetry: the collector's `drop` policy, whose list of sub-policies is an
/// [`All`](super::All) here; an empty one drops nothing instead of everything.
///
/// ```
/// use std::time::Duration;
/// use tailtrace::tail::{All, DropIf, Not, RootNamed};
/// use tailtrace::SlowerThan;
/// let quick_probes = DropIf(
///     All::new([RootNamed::new("GET /healthz")]).and(Not(SlowerThan(Duration::from_secs(1)))),
/// );
/// # let _ = quick_probes;
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct DropIf<P>(pub P);

impl<P: TailPolicy> TailPolicy for DropIf<P> {
    fn evaluate(&self, trace: &TraceView<'_>) -> Verdict {
        let inner = self.0.evaluate(trace);
        let VerdictNotes { panics, could_keep, could_drop, .. } = inner.notes;
        if inner.decision == TailDecision::Pass {
            return Verdict::pass().with_notes(VerdictNotes {
                panics,
                could_keep: false,
                could_drop: could_drop || could_keep,
                is_alike_everywhere: false,
            });
        }
        let mut verdict = Verdict::drop().with_notes(inner.notes);
        verdict.policy = inner.policy;
        verdict.by(|| self.0.name())
    }

    fn name(&self) -> Cow<'static, str> {
        self.0.name()
    }

    fn evaluation_order(&self) -> EvaluationOrder {
        EvaluationOrder::First
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
    use crate::tail::{TailSampler, test_traces};

    #[test]
    fn what_is_kept_inside_is_dropped_and_the_rest_is_not_its_business() {
        let verdict = DropIf(Errors).evaluate(&test_traces::failed().view());
        assert_eq!(verdict, Verdict::drop().by(|| "Errors".into()));
        assert_eq!(DropIf(Errors).evaluate(&test_traces::plain().view()), Verdict::pass());
    }

    #[test]
    fn what_chance_has_spared_is_kept_with_an_unknown_threshold() {
        let tail = TailSampler::new()
            .drop_if(Fraction::new(0.5).unwrap())
            .keep(Errors.named("all"))
            .keep(|_: &TraceView<'_>| Verdict::keep());
        let spared = tail.evaluate(&test_traces::random(0).view());
        assert_eq!(spared, Verdict::keep_with(None).by(|| "closure".into()));
        let dropped = tail.evaluate(&test_traces::random(u64::MAX).view());
        assert_eq!(dropped.decision, TailDecision::Drop);
    }
}
