//! How policies combine into one decision.

use std::fmt;

use super::combined_policy::CombinedPolicy;
use super::verdict::VerdictNotes;
use super::{DropIf, EvaluationOrder, TailDecision, TailPolicy, Verdict};
use crate::model::Threshold;
use crate::trace::TraceView;

/// Combines policies: what any drops on purpose is dropped, of the rest what any keeps is kept.
///
/// This is what a pipeline's tail usually is. Without policies it has no opinion about anything, and
/// so keeps nothing.
///
/// - A drop on purpose beats every keep, wherever it comes from: a policy given to
///   [`drop_if`](Self::drop_if), a [`DropIf`], or a closure that answers [`Verdict::drop`].
/// - The verdict names the first policy, in the order they were added, that keeps the trace.
/// - Its threshold is that of the most generous keep: `ALWAYS` if one of them keeps all such traces,
///   else unknown if it is unknown for one of them, else the smallest. What a drop left to chance (a
///   [`Fraction`](crate::Fraction) in a [`DropIf`]) has spared is of unknown probability too.
/// - A policy that panics has no opinion about that trace; the ledger counts it.
///
/// **Cost.** The sum of the policies asked. Those that can only drop are asked first, and the first
/// drop ends it. Then follow the others in order; once a trace is kept for certain, those known never
/// to drop and to remember nothing are skipped, which is most of this crate's ([`EvaluationOrder`]). Closures
/// and policies that learn, such as [`Slowest`](super::Slowest), are asked about every trace that is
/// not dropped. Budgets ([`PerSecond`](super::PerSecond), [`SpansPerSecond`](super::SpansPerSecond))
/// come last and are asked only about what no other policy keeps, so that errors do not eat up the budget
/// of the rest.
///
/// OpenTelemetry: the collector's `tail_sampling` processor with drop policies first. It differs on
/// purpose in three ways: budgets are not spent on what is kept anyway, `invert_match` is a policy of
/// its own ([`Not`](super::Not)) without a precedence of its own, and a sampler is a policy itself,
/// so that samplers nest to any depth.
///
/// ```
/// use std::time::Duration;
/// use tailtrace::tail::RootNamed;
/// use tailtrace::{
///     Errors, Fraction, SlowerThan, Span, SpanId, Status, TailPolicy, TailSampler, Trace,
///     TraceContext, TraceId,
/// };
/// let tail = TailSampler::new()
///     .drop_if(RootNamed::new("GET /healthz"))
///     .keep(Errors)
///     .keep(SlowerThan(Duration::from_millis(500)).named("slow checkout"))
///     .keep(Fraction::new(0.01)?);
///
/// let id = TraceId::new();
/// let mut span = Span::new("POST /orders", TraceContext::new(id, SpanId::new()));
/// span.set_status(Status::error("no stock"));
/// span.finish();
/// let mut trace = Trace::new(id);
/// trace.add_span(span);
/// let verdict = tail.evaluate(&trace.view());
/// assert!(verdict.is_keep());
/// assert_eq!(verdict.policy, "Errors");
/// # Ok::<(), tailtrace::model::SettingError>(())
/// ```
#[derive(Default)]
pub struct TailSampler {
    /// In the order they are asked.
    parts: Vec<CombinedPolicy>,
}

impl TailSampler {
    /// A sampler without policies.
    #[must_use]
    pub const fn new() -> Self {
        Self { parts: Vec::new() }
    }

    /// Keeps what `policy` keeps, and drops what it drops.
    #[must_use]
    pub fn keep(mut self, policy: impl TailPolicy + 'static) -> Self {
        CombinedPolicy::insert(&mut self.parts, policy);
        self
    }

    /// Drops on purpose what `policy` keeps; see [`DropIf`].
    #[must_use]
    pub fn drop_if(self, policy: impl TailPolicy + 'static) -> Self {
        self.keep(DropIf(policy))
    }
}

impl TailPolicy for TailSampler {
    fn evaluate(&self, trace: &TraceView<'_>) -> Verdict {
        let mut kept: Option<Verdict> = None;
        let mut notes = VerdictNotes::default();
        let mut is_alike_everywhere = true;
        for part in &self.parts {
            let needless = match part.order {
                EvaluationOrder::First | EvaluationOrder::Always => false,
                EvaluationOrder::WhileUndecided => kept.as_ref().is_some_and(Verdict::is_certain),
                EvaluationOrder::Last => kept.is_some(),
            };
            if needless {
                continue;
            }
            let Some(verdict) = part.ask_unless_it_panics(trace) else {
                notes.panics = notes.panics.saturating_add(1);
                continue;
            };
            notes.absorb(verdict.notes);
            match verdict.decision {
                TailDecision::Drop => return verdict.with_notes(notes),
                TailDecision::Pass => notes.could_keep |= verdict.notes.could_keep,
                TailDecision::Keep => {
                    is_alike_everywhere &= verdict.notes.is_alike_everywhere;
                    match &mut kept {
                        None => kept = Some(verdict),
                        Some(kept) => {
                            kept.threshold = Threshold::either(kept.threshold, verdict.threshold);
                        }
                    }
                }
            }
        }
        notes.is_alike_everywhere = is_alike_everywhere && kept.is_some();
        kept.unwrap_or(Verdict::pass()).with_notes(notes)
    }

    fn evaluation_order(&self) -> EvaluationOrder {
        EvaluationOrder::any_of(self.parts.iter().map(|part| part.order))
    }

    fn is_self_contained(&self) -> bool {
        self.parts.iter().all(|part| part.policy.is_self_contained())
    }
}

impl fmt::Debug for TailSampler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TailSampler").field(&self.parts).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::model::Threshold;
    use crate::tail::errors::Errors;
    use crate::tail::fraction::Fraction;
    use crate::tail::test_traces;

    /// Counts how often it is asked, and keeps.
    struct Counted(Arc<AtomicU32>, EvaluationOrder);

    impl TailPolicy for Counted {
        fn evaluate(&self, _: &TraceView<'_>) -> Verdict {
            self.0.fetch_add(1, Ordering::Relaxed);
            Verdict::keep()
        }

        fn evaluation_order(&self) -> EvaluationOrder {
            self.1
        }
    }

    fn fraction(rate: f64) -> Fraction {
        Fraction::new(rate).unwrap()
    }

    fn dropping(_: &TraceView<'_>) -> Verdict {
        Verdict::drop()
    }

    fn panicking(_: &TraceView<'_>) -> Verdict {
        panic!("a policy panics")
    }

    #[test]
    fn without_policies_it_has_no_opinion() {
        let verdict = TailSampler::new().evaluate(&test_traces::failed().view());
        assert_eq!(verdict, Verdict::pass());
    }

    #[test]
    fn a_drop_beats_every_keep_wherever_it_stands() {
        let failed = test_traces::failed();
        for tail in [
            TailSampler::new().keep(Errors).drop_if(Errors.named("no")),
            TailSampler::new().keep(Errors).keep(DropIf(Errors).named("no")),
            TailSampler::new().keep(Errors).keep(dropping.named("no")),
            TailSampler::new().keep(Errors).keep(TailSampler::new().keep(dropping).named("no")),
        ] {
            let verdict = tail.evaluate(&failed.view());
            assert_eq!(verdict, Verdict::drop().by(|| "no".into()), "{tail:?}");
        }
    }

    #[test]
    fn what_randomness_alone_keeps_is_told_from_what_content_keeps_too() {
        let alike = |tail: TailSampler, trace: &crate::trace::Trace| {
            tail.evaluate(&trace.view()).is_alike_everywhere()
        };
        let sampler = || TailSampler::new().keep(fraction(0.5)).keep(Errors);
        assert!(alike(sampler(), &test_traces::random(u64::MAX)));
        assert!(!alike(sampler(), &test_traces::failed()));
        assert!(alike(TailSampler::new().keep(sampler()), &test_traces::random(u64::MAX)));
        assert!(!alike(sampler(), &test_traces::random(0)), "it is not kept");
    }

    #[test]
    fn the_first_keep_is_named_and_the_most_generous_gives_the_threshold() {
        let tail = |rates: &[f64]| {
            let none = TailSampler::new();
            rates.iter().fold(none, |tail, rate| tail.keep(fraction(*rate).named(rate.to_string())))
        };
        let trace = test_traces::random(u64::MAX);
        let verdict = tail(&[0.1, 0.5, 0.2]).evaluate(&trace.view());
        assert_eq!(verdict.policy, "0.1");
        assert_eq!(verdict.threshold, fraction(0.5).threshold());
        let with_unknown = tail(&[0.1]).keep(|_: &TraceView<'_>| Verdict::keep_with(None));
        assert_eq!(with_unknown.evaluate(&trace.view()).threshold, None);
        let verdict = with_unknown.keep(fraction(1.0)).evaluate(&trace.view());
        assert_eq!(verdict.threshold, Some(Threshold::ALWAYS));
    }

    #[test]
    fn a_policy_that_panics_is_counted_and_has_no_opinion() {
        let tail = TailSampler::new()
            .drop_if(panicking)
            .keep(panicking)
            .keep(TailSampler::new().keep(panicking))
            .keep(Errors);
        let verdict = tail.evaluate(&test_traces::failed().view());
        assert_eq!(verdict, Verdict::keep().by(|| "Errors".into()));
        assert_eq!(verdict.panics(), 3);
        let passed = tail.evaluate(&test_traces::plain().view());
        assert_eq!((passed.panics(), passed), (3, Verdict::pass()));
    }

    #[test]
    fn each_kind_of_policy_is_asked_when_it_says_so() {
        let asked_before = |other: Fraction, asked| {
            let count = Arc::new(AtomicU32::new(0));
            let counted = Counted(count.clone(), asked);
            let tail = TailSampler::new().keep(counted).keep(other);
            tail.evaluate(&test_traces::random(u64::MAX).view());
            count.load(Ordering::Relaxed)
        };
        assert_eq!(asked_before(fraction(1.0), EvaluationOrder::Last), 0);
        assert_eq!(asked_before(fraction(0.5), EvaluationOrder::Last), 0);
        assert_eq!(asked_before(fraction(0.0), EvaluationOrder::Last), 1);

        let asked_behind = |first: Fraction, asked| {
            let count = Arc::new(AtomicU32::new(0));
            let tail = TailSampler::new().keep(first).keep(Counted(count.clone(), asked));
            tail.evaluate(&test_traces::random(u64::MAX).view());
            count.load(Ordering::Relaxed)
        };
        assert_eq!(asked_behind(fraction(1.0), EvaluationOrder::WhileUndecided), 0);
        assert_eq!(asked_behind(fraction(0.5), EvaluationOrder::WhileUndecided), 1);
        assert_eq!(asked_behind(fraction(1.0), EvaluationOrder::Always), 1);
        assert_eq!(asked_behind(fraction(1.0), EvaluationOrder::First), 1);
    }

    #[test]
    fn nested_samplers_are_asked_like_their_policies() {
        let looks = TailSampler::new().keep(Errors).keep(fraction(0.5));
        assert_eq!(looks.evaluation_order(), EvaluationOrder::WhileUndecided);
        assert_eq!(looks.drop_if(Errors).evaluation_order(), EvaluationOrder::Always);
        assert_eq!(TailSampler::new().drop_if(Errors).evaluation_order(), EvaluationOrder::First);
        assert_eq!(TailSampler::new().keep(dropping).evaluation_order(), EvaluationOrder::Always);
    }
}
