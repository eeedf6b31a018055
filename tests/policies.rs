//! What holds for all tail policies, on any trace.

use std::ops::Range;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use proptest::prelude::*;
use proptest::sample::Index;
use tailtrace::model::TagArg;
use tailtrace::sampling::PrioritySampler;
use tailtrace::tail::{
    All, Any, DropIf, EvaluationOrder, FirstMatch, HasLog, Not, PerSecond, RootNamed, Slowest,
    SpanCount, SpanSlowerThan, SpansPerSecond, TagEquals, TagInRange, TagMatches, TailDecision,
};
use tailtrace::{
    Errors, Fraction, LogLevel, SlowerThan, Span, SpanId, Status, TagValue, TailPolicy,
    TailSampler, Trace, TraceContext, TraceId, TraceView, Verdict,
};

const NAMES: [&str; 4] = ["GET /orders/*", "GET /orders/5", "", "härte \u{1f980}\0"];
const KEYS: [&str; 3] = ["status", "tenant", ""];
const LEVELS: [LogLevel; 3] = [LogLevel::Debug, LogLevel::Warn, LogLevel::Error];

/// A span to be made.
#[derive(Clone, Debug)]
struct Made {
    name: usize,
    /// Below the span with this index, a foreign span, or nothing.
    parent: Option<Index>,
    start_millis: u64,
    /// `None` for a span that does not end.
    millis: Option<u64>,
    is_error: bool,
    tags: Vec<(usize, TagValue)>,
    logs: Vec<usize>,
}

fn value() -> impl Strategy<Value = TagValue> {
    prop_oneof![
        any::<bool>().prop_map(TagValue::from),
        any::<i64>().prop_map(TagValue::from),
        (490..610_i64).prop_map(TagValue::from),
        any::<f64>().prop_map(TagValue::from),
        Just(TagValue::from(f64::NAN)),
        "\\PC{0,12}".prop_map(TagValue::from),
        Just(TagValue::from("ö".repeat(5000))),
        any::<Vec<u8>>().prop_map(TagValue::from),
        any::<Vec<i64>>().prop_map(TagValue::from),
        Just(TagValue::from(vec!["acme", "noisy"])),
    ]
}

fn span() -> impl Strategy<Value = Made> {
    (
        0..NAMES.len(),
        any::<Option<Index>>(),
        0_u64..2_000,
        proptest::option::weighted(
            0.9,
            prop_oneof![Just(0), 0_u64..3_000, Just(u64::MAX / 2_000_000)],
        ),
        proptest::bool::weighted(0.2),
        proptest::collection::vec((0..KEYS.len(), value()), 0..4),
        proptest::collection::vec(0..LEVELS.len(), 0..3),
    )
        .prop_map(|(name, parent, start_millis, millis, is_error, tags, logs)| Made {
            name,
            parent,
            start_millis,
            millis,
            is_error,
            tags,
            logs,
        })
}

fn spans() -> impl Strategy<Value = Vec<Made>> {
    proptest::collection::vec(span(), 0..6)
}

/// A trace whose randomness is `bits`.
fn trace(spans: &[Made], bits: u64) -> Trace {
    let id = TraceId::from_bits((1 << 64) | u128::from(bits)).expect("not zero");
    // The ids below stand for spans of the trace, the ones above for foreign ones.
    let span_id = |index: usize| SpanId::from_bits(index as u64 + 1).expect("not zero");
    let mut trace = Trace::new(id);
    for (index, made) in spans.iter().enumerate() {
        let mut context = TraceContext::new(id, span_id(index));
        context.parent_span_id = made.parent.map(|parent| span_id(parent.index(spans.len() + 2)));
        let start: SystemTime = UNIX_EPOCH + Duration::from_millis(made.start_millis);
        let mut span = Span::started_at(NAMES[made.name], context, start);
        for (key, value) in &made.tags {
            span.set_tag(KEYS[*key], TagArg::from(value));
        }
        for level in &made.logs {
            span.log(LEVELS[*level], "said");
        }
        if made.is_error {
            span.set_status(Status::error("failed"));
        }
        if let Some(millis) = made.millis {
            span.finish_at(start + Duration::from_millis(millis));
        }
        trace.add_span(span);
    }
    trace
}

fn boxed(policy: impl TailPolicy + 'static) -> Box<dyn TailPolicy> {
    Box::new(policy)
}

/// One or more of every kind.
fn every_policy() -> Vec<Box<dyn TailPolicy>> {
    let second = Duration::from_secs(1);
    let fraction = |rate| Fraction::new(rate).expect("a rate");
    let per_second = || PerSecond::new(2.0).expect("a budget");
    let spans_per_second = SpansPerSecond::new(3.0).expect("a budget");
    let slowest = || {
        let slowest = Slowest::percentile(0.5).expect("a percentile");
        slowest.with_warm_up(0).expect("a warm-up")
    };
    vec![
        boxed(Errors),
        boxed(Errors::by_status()),
        boxed(SlowerThan(second)),
        boxed(SpanSlowerThan(second)),
        boxed(TagEquals::new("tenant", "acme")),
        boxed(TagMatches::new("tenant", "a*e")),
        boxed(TagInRange::new("status", 500..600)),
        boxed(TagInRange::new::<f64>("status", ..)),
        boxed(HasLog(LogLevel::Warn)),
        boxed(RootNamed::new("GET /*")),
        boxed(SpanCount::at_least(2)),
        boxed(SpanCount::new(..)),
        boxed(fraction(0.0)),
        boxed(fraction(0.5)),
        boxed(fraction(1.0)),
        boxed(per_second()),
        boxed(spans_per_second.with_burst(4).expect("a burst")),
        boxed(slowest()),
        boxed(slowest().with_max_operations(1).expect("a number of operations")),
        boxed(PrioritySampler::new(0.25, 1.0, second, 0.5).expect("rates")),
        boxed(DropIf(fraction(0.5))),
        boxed(Not(fraction(0.5))),
        boxed(Not(per_second())),
        boxed(Errors.named("wrong")),
        boxed(All::new([fraction(0.5)]).and(SpanCount::at_least(1)).and(per_second())),
        boxed(All::new([slowest(), slowest()])),
        boxed(Any::new([fraction(0.25)]).or(Errors).or(per_second())),
        boxed(All::new(Vec::<Errors>::new())),
        boxed(Any::new(Vec::<Errors>::new())),
        boxed(
            FirstMatch::new()
                .rule(DropIf(Errors), fraction(1.0))
                .rule(fraction(0.5), slowest())
                .otherwise(per_second()),
        ),
        boxed(FirstMatch::new()),
        boxed(TailSampler::new().drop_if(Errors).keep(fraction(0.5)).keep(slowest())),
        boxed(TailSampler::new()),
        boxed(|trace: &TraceView<'_>| match trace.span_count() {
            0 => Verdict::drop(),
            1 => Verdict::keep(),
            _ => Verdict::pass(),
        }),
    ]
}

proptest! {
    #[test]
    fn every_policy_answers_every_trace_in_order(
        traces in proptest::collection::vec((spans(), any::<u64>()), 1..8),
    ) {
        for policy in every_policy() {
            prop_assert!(!policy.name().is_empty());
            for (spans, bits) in &traces {
                let trace = trace(spans, *bits);
                let view = trace.view();
                let verdict = policy.evaluate(&view).by(|| policy.name());
                match verdict.decision {
                    TailDecision::Pass => prop_assert_eq!(&verdict, &Verdict::pass()),
                    TailDecision::Drop => {
                        prop_assert_eq!(verdict.threshold, None);
                        prop_assert!(!verdict.policy.is_empty());
                        prop_assert!(matches!(policy.evaluation_order(), EvaluationOrder::First | EvaluationOrder::Always));
                    }
                    TailDecision::Keep => {
                        prop_assert!(!verdict.policy.is_empty());
                        let fits = verdict.threshold.is_none_or(|at| at.accepts(view.randomness()));
                        prop_assert!(fits, "{}: {verdict:?} at {}", policy.name(), view.randomness());
                        prop_assert!(policy.evaluation_order() != EvaluationOrder::First);
                        prop_assert!(policy.evaluation_order() != EvaluationOrder::Last || verdict.threshold.is_none());
                    }
                }
                if policy.evaluation_order() == EvaluationOrder::WhileUndecided {
                    let again = policy.evaluate(&view).by(|| policy.name());
                    prop_assert_eq!(again, verdict);
                }
            }
        }
    }
}

/// A policy made of others, as a tree.
#[derive(Clone, Debug)]
enum Tree {
    Errors,
    ErrorsByStatus,
    SpanCount(Range<usize>),
    HasLog(usize),
    Root(usize),
    /// In quarters.
    Fraction(u8),
    Not(Box<Tree>),
    DropIf(Box<Tree>),
    All(Vec<Tree>),
    Any(Vec<Tree>),
    Sampler {
        drop_if: Vec<Tree>,
        keep: Vec<Tree>,
    },
    FirstMatch(Vec<(Tree, Tree)>),
}

fn tree() -> impl Strategy<Value = Tree> {
    let leaf = prop_oneof![
        Just(Tree::Errors),
        Just(Tree::ErrorsByStatus),
        (0_usize..3, 0_usize..4).prop_map(|(from, more)| Tree::SpanCount(from..from + more)),
        (0..LEVELS.len()).prop_map(Tree::HasLog),
        (1..NAMES.len()).prop_map(Tree::Root),
        (0_u8..=4).prop_map(Tree::Fraction),
    ];
    leaf.prop_recursive(4, 24, 3, |inner| {
        let some = || proptest::collection::vec(inner.clone(), 0..4);
        prop_oneof![
            inner.clone().prop_map(|tree| Tree::Not(tree.into())),
            inner.clone().prop_map(|tree| Tree::DropIf(tree.into())),
            some().prop_map(Tree::All),
            some().prop_map(Tree::Any),
            (proptest::collection::vec(inner.clone(), 0..2), some())
                .prop_map(|(drop_if, keep)| Tree::Sampler { drop_if, keep }),
            proptest::collection::vec((inner.clone(), inner.clone()), 0..3)
                .prop_map(Tree::FirstMatch),
        ]
    })
}

impl Tree {
    fn build(&self) -> Box<dyn TailPolicy> {
        let built = |trees: &[Self]| trees.iter().map(Self::build).collect::<Vec<_>>();
        match self {
            Self::Errors => boxed(Errors),
            Self::ErrorsByStatus => boxed(Errors::by_status()),
            Self::SpanCount(range) => boxed(SpanCount::new(range.clone())),
            Self::HasLog(level) => boxed(HasLog(LEVELS[*level])),
            Self::Root(name) => boxed(RootNamed::new(NAMES[*name])),
            Self::Fraction(quarters) => {
                boxed(Fraction::new(f64::from(*quarters) / 4.0).expect("a rate"))
            }
            Self::Not(tree) => boxed(Not(tree.build())),
            Self::DropIf(tree) => boxed(DropIf(tree.build())),
            Self::All(trees) => boxed(All::new(built(trees))),
            Self::Any(trees) => boxed(Any::new(built(trees))),
            Self::Sampler { drop_if, keep } => {
                let tail = built(keep).into_iter().fold(TailSampler::new(), TailSampler::keep);
                boxed(built(drop_if).into_iter().fold(tail, TailSampler::drop_if))
            }
            Self::FirstMatch(rules) => {
                let none = FirstMatch::new();
                boxed(rules.iter().fold(none, |rules, (condition, policy)| {
                    rules.rule(condition.build(), policy.build())
                }))
            }
        }
    }

    /// The decision by the book: no order, nothing skipped.
    fn decide(&self, spans: &[Made], bits: u64) -> TailDecision {
        use TailDecision::{Drop, Keep, Pass};
        let keep_if = |condition| if condition { Keep } else { Pass };
        let each = |trees: &[Self]| {
            let decisions = trees.iter().map(|tree| tree.decide(spans, bits));
            decisions.collect::<Vec<_>>()
        };
        let any_of = |decisions: Vec<TailDecision>| match () {
            () if decisions.contains(&Drop) => Drop,
            () => keep_if(decisions.contains(&Keep)),
        };
        match self {
            Self::Errors => keep_if(spans.iter().any(|span| {
                let has_logged = span.logs.iter().any(|level| LEVELS[*level] == LogLevel::Error);
                span.is_error || has_logged
            })),
            Self::ErrorsByStatus => keep_if(spans.iter().any(|span| span.is_error)),
            Self::SpanCount(range) => keep_if(range.contains(&spans.len())),
            Self::HasLog(least) => {
                keep_if(spans.iter().any(|span| span.logs.iter().any(|level| level >= least)))
            }
            Self::Root(name) => keep_if(root(spans).is_some_and(|root| root.name == *name)),
            Self::Fraction(quarters) => {
                keep_if(bits & ((1 << 56) - 1) >= u64::from(4 - quarters) << 54)
            }
            Self::Not(tree) => match tree.decide(spans, bits) {
                Keep => Pass,
                Pass => Keep,
                Drop => Drop,
            },
            Self::DropIf(tree) => match tree.decide(spans, bits) {
                Pass => Pass,
                Keep | Drop => Drop,
            },
            Self::All(trees) => match each(trees) {
                decisions if decisions.contains(&Drop) => Drop,
                decisions => keep_if(!trees.is_empty() && !decisions.contains(&Pass)),
            },
            Self::Any(trees) => any_of(each(trees)),
            Self::Sampler { drop_if, keep } => match any_of(each(drop_if)) {
                Pass => any_of(each(keep)),
                Keep | Drop => Drop,
            },
            Self::FirstMatch(rules) => {
                for (condition, policy) in rules {
                    match condition.decide(spans, bits) {
                        Pass => {}
                        Keep => return policy.decide(spans, bits),
                        Drop => return Drop,
                    }
                }
                Pass
            }
        }
    }
}

/// The first span, as added, whose parent is not among the spans.
fn root(spans: &[Made]) -> Option<&Made> {
    spans.iter().find(|span| {
        let parent = span.parent.map(|parent| parent.index(spans.len() + 2));
        parent.is_none_or(|parent| parent >= spans.len())
    })
}

/// Every 16th of the randomness, and the last value of all.
fn all_luck() -> impl Iterator<Item = u64> {
    (0..16_u64).map(|sixteenth| sixteenth << 52).chain([(1 << 56) - 1])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn combined_policies_decide_like_boolean_logic_that_skips_nothing(
        tree in tree(),
        spans in spans(),
    ) {
        let policy = tree.build();
        for bits in all_luck() {
            let verdict = policy.evaluate(&trace(&spans, bits).view());
            prop_assert_eq!(verdict.decision, tree.decide(&spans, bits), "at {:x}", bits);
        }
    }

    #[test]
    fn a_known_threshold_says_the_truth_about_every_trace_like_the_kept_one(
        tree in tree(),
        spans in spans(),
    ) {
        let policy = tree.build();
        let verdicts: Vec<_> = all_luck()
            .map(|bits| (bits, policy.evaluate(&trace(&spans, bits).view())))
            .collect();
        for (bits, verdict) in verdicts.iter().filter(|(_, verdict)| verdict.is_keep()) {
            let Some(threshold) = verdict.threshold else { continue };
            prop_assert!(*bits >= threshold.bits());
            for (other, verdict) in &verdicts {
                let kept = verdict.is_keep();
                prop_assert!(kept || *other < threshold.bits(), "{threshold}, but not {other:x}");
            }
        }
    }
}

#[test]
fn the_slowest_hundredth_of_each_operation_is_kept() {
    let policy = Slowest::percentile(0.99).expect("a percentile");
    let random = tailtrace::model::Random::seeded(3);
    let mut kept = [0_u32; 2];
    for _ in 0..20_000 {
        for (operation, name) in [1, 2].into_iter().zip(["quick", "slow"]) {
            let id = TraceId::random(&random);
            let mut span = Span::started_at(name, TraceContext::new(id, SpanId::new()), UNIX_EPOCH);
            // A long tail: one in a hundred takes ten times the least, and longer.
            let luck = (random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64;
            let least = Duration::from_millis(10_u64.pow(operation));
            span.finish_at(UNIX_EPOCH + least.mul_f64((1.0 - luck).powf(-0.5)));
            let mut trace = Trace::new(id);
            trace.add_span(span);
            let is_kept = policy.evaluate(&trace.view()).is_keep();
            kept[operation as usize - 1] += u32::from(is_kept);
        }
    }
    // A hundredth is 200. The resolution costs up to 6 % of it, and chance four times 14.
    let near = 132..=256;
    assert!(kept.iter().all(|kept| near.contains(kept)), "{kept:?}");
}
