//! What holds for every head sampler, seen from outside.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use tailtrace::model::{Link, Random, Randomness, TraceFlags};
use tailtrace::sampling::{
    AlwaysRecord, PrioritySampler, RateLimitingSampler, Rule, RuleBasedSampler,
};
use tailtrace::time::Tick;
use tailtrace::{
    AdaptiveSampler, AlwaysOff, AlwaysOn, FixedRateSampler, ParentBasedSampler, Sampler,
    SamplingDecision, SamplingRequest, SamplingResult, SpanId, SpanKind, TagValue, TraceContext,
    TraceId,
};

type Tags = Vec<(Cow<'static, str>, TagValue)>;
type Named = (&'static str, Box<dyn Sampler>);

fn fixed(rate: f64) -> FixedRateSampler {
    FixedRateSampler::new(rate).unwrap()
}

fn priority() -> PrioritySampler {
    PrioritySampler::new(0.25, 0.75, Duration::from_millis(500), 0.5).unwrap()
}

fn rules() -> RuleBasedSampler {
    RuleBasedSampler::new(fixed(0.5))
        .rule(Rule::named("GET /health*"), AlwaysOff)
        .rule(Rule::kind(SpanKind::Server).with_tag("a", 1), AlwaysOn)
        .rule(Rule::named("*a*b*"), priority())
}

/// Samplers whose answer depends on the request alone.
fn consistent() -> Vec<Named> {
    let delegates = ParentBasedSampler::new(fixed(0.5))
        .with_remote_parent_sampled(fixed(0.9))
        .with_remote_parent_not_sampled(AlwaysRecord::new(AlwaysOff))
        .with_local_parent_sampled(rules())
        .with_local_parent_not_sampled(priority());
    let followed = ParentBasedSampler::new(fixed(0.1));
    vec![
        ("AlwaysOn", Box::new(AlwaysOn)),
        ("AlwaysOff", Box::new(AlwaysOff)),
        ("AlwaysRecord", Box::new(AlwaysRecord::new(AlwaysOff))),
        ("FixedRateSampler", Box::new(fixed(0.1))),
        ("FixedRateSampler at 0", Box::new(fixed(0.0))),
        ("FixedRateSampler at 1", Box::new(fixed(1.0))),
        ("PrioritySampler", Box::new(priority())),
        ("ParentBasedSampler", Box::new(followed)),
        ("ParentBasedSampler with delegates", Box::new(delegates)),
        ("RuleBasedSampler", Box::new(rules())),
    ]
}

/// Samplers that remember what came before.
fn stateful() -> Vec<Named> {
    let adaptive = || AdaptiveSampler::per_second(2.0).unwrap();
    let one_rate = adaptive().with_max_operations(0).unwrap();
    let limit = RateLimitingSampler::per_second(1.0).unwrap();
    let picked = RuleBasedSampler::new(adaptive());
    vec![
        ("AdaptiveSampler", Box::new(adaptive())),
        ("AdaptiveSampler with one rate", Box::new(one_rate)),
        ("RateLimitingSampler", Box::new(limit)),
        ("RuleBasedSampler over AdaptiveSampler", Box::new(picked)),
    ]
}

fn all() -> Vec<Named> {
    let mut all = consistent();
    all.extend(stateful());
    all
}

/// All that a request borrows from.
#[derive(Clone, Debug)]
struct Case {
    trace_id: TraceId,
    name: String,
    kind: SpanKind,
    tags: Tags,
    links: Vec<Link>,
    parent: Option<TraceContext>,
    now: u64,
}

impl Case {
    fn request(&self) -> SamplingRequest<'_> {
        let now = Tick::from_nanos(self.now);
        let request = SamplingRequest::new(self.trace_id, &self.name, now)
            .with_kind(self.kind)
            .with_tags(&self.tags)
            .with_links(&self.links);
        match &self.parent {
            Some(parent) => request.with_parent(parent),
            None => request,
        }
    }
}

fn trace_ids() -> impl Strategy<Value = TraceId> {
    (1..=u128::MAX).prop_map(|bits| TraceId::from_bits(bits).unwrap())
}

fn names() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("GET /healthz".to_owned()),
        "[ab/ ]{0,6}",
        any::<String>(),
        Just("long".repeat(10_000)),
    ]
}

fn kinds() -> impl Strategy<Value = SpanKind> {
    prop::sample::select(vec![
        SpanKind::Internal,
        SpanKind::Server,
        SpanKind::Client,
        SpanKind::Producer,
        SpanKind::Consumer,
    ])
}

fn tags() -> impl Strategy<Value = Tags> {
    let value = prop_oneof![
        any::<i64>().prop_map(TagValue::from),
        Just(TagValue::from(1)),
        any::<f64>().prop_map(TagValue::from),
        any::<bool>().prop_map(TagValue::from),
        any::<String>().prop_map(TagValue::from),
    ];
    prop::collection::vec(("[ab]".prop_map(Cow::Owned), value), 0..4)
}

fn parents() -> impl Strategy<Value = TraceContext> {
    let ot = prop_oneof![
        Just(String::new()),
        "th:[0-9a-f]{1,14}",
        "th:[0-9a-f]{1,14};rv:[0-9a-f]{14}",
        "[a-z0-9:;]{0,30}",
    ];
    let baggage = prop::sample::select(vec![
        ("other", ""),
        ("priority", "high"),
        ("has_error", "true"),
        ("priority", "low"),
    ]);
    (trace_ids(), any::<bool>(), any::<bool>(), ot, baggage).prop_map(
        |(trace_id, sampled, remote, ot, (name, value))| {
            let mut parent = TraceContext::new(trace_id, SpanId::new())
                .with_flags(TraceFlags::default().with_sampled(sampled));
            if let Ok(changed) = parent.trace_state.insert("ot", &ot) {
                parent.trace_state = changed;
            }
            parent.baggage = parent.baggage.with(name, value).unwrap();
            if remote { parent.remote() } else { parent }
        },
    )
}

fn cases() -> impl Strategy<Value = Case> {
    let now = prop_oneof![0..20_000_000_000_u64, any::<u64>()];
    let parent = prop::option::of(parents());
    let links = prop::option::of(parents());
    (trace_ids(), names(), kinds(), tags(), links, parent, now).prop_map(
        |(trace_id, name, kind, tags, links, parent, now)| Case {
            trace_id,
            name,
            kind,
            tags,
            links: links.into_iter().map(Link::new).collect(),
            parent,
            now,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn no_sampler_panics_and_what_is_sampled_reaches_its_threshold(
        cases in prop::collection::vec(cases(), 1..20),
    ) {
        for (sampler, ask) in all() {
            for case in &cases {
                let request = case.request();
                let result = ask.should_sample(&request);
                if let Some(threshold) = result.threshold {
                    prop_assert!(result.is_sampled(), "{} on {:?}", sampler, case);
                    prop_assert!(threshold.accepts(request.randomness), "{} on {:?}", sampler, case);
                }
            }
        }
    }

    #[test]
    fn the_same_request_gets_the_same_answer(case in cases(), other in cases()) {
        let (one, two) = (consistent(), consistent());
        for ((sampler, ask), (_, again)) in one.iter().zip(&two) {
            let first = ask.should_sample(&case.request());
            let _ = ask.should_sample(&other.request());
            prop_assert_eq!(&ask.should_sample(&case.request()), &first, "{}", sampler);
            prop_assert_eq!(&again.should_sample(&case.request()), &first, "{}", sampler);
        }
    }

    #[test]
    fn the_same_history_gets_the_same_answers(cases in prop::collection::vec(cases(), 1..20)) {
        let (one, two) = (stateful(), stateful());
        for ((sampler, ask), (_, again)) in one.iter().zip(&two) {
            for case in &cases {
                let answers = [ask, again].map(|ask| ask.should_sample(&case.request()));
                prop_assert_eq!(&answers[0], &answers[1], "{}", sampler);
            }
        }
    }

    #[test]
    fn more_randomness_never_turns_a_sample_into_less(case in cases(), more in any::<u64>()) {
        for (sampler, ask) in consistent() {
            let mut request = case.request();
            let before = ask.should_sample(&request).is_sampled();
            request.randomness = Randomness::from_bits(more).max(request.randomness);
            let after = ask.should_sample(&request).is_sampled();
            prop_assert!(!before || after, "{}", sampler);
        }
    }

    #[test]
    fn a_sampler_answers_the_same_through_any_handle(case in cases()) {
        let request = case.request();
        let expected = rules().should_sample(&request);
        let boxed: Box<dyn Sampler> = Box::new(rules());
        let shared: Arc<dyn Sampler> = Arc::new(rules());
        let kept = Arc::new(rules());
        let handle: Box<dyn Sampler> = Box::new(Arc::clone(&kept));
        let closure = |request: &SamplingRequest<'_>| kept.should_sample(request);
        let nested = AlwaysRecord::new(Arc::clone(&shared));
        prop_assert_eq!(&boxed.should_sample(&request), &expected);
        prop_assert_eq!(&shared.should_sample(&request), &expected);
        prop_assert_eq!(&handle.should_sample(&request), &expected);
        prop_assert_eq!(&Sampler::should_sample(&closure, &request), &expected);
        prop_assert_eq!(nested.should_sample(&request).is_sampled(), expected.is_sampled());
    }
}

/// A request each millisecond, with seeded randomness.
fn stream(seed: u64, count: u64) -> impl Iterator<Item = SamplingRequest<'static>> {
    let random = Random::seeded(seed);
    (0..count).map(move |n| {
        let now = Tick::from_nanos(1_000_000_000 + n * 1_000_000);
        let mut request = SamplingRequest::new(TraceId::new(), "op", now);
        request.randomness = Randomness::from_bits(random.next_u64());
        request
    })
}

#[test]
fn the_adjusted_counts_of_the_sampled_add_up_to_all_traces() {
    let adaptive = AdaptiveSampler::per_second(100.0).unwrap();
    let samplers: [(&str, &dyn Sampler); 4] = [
        ("FixedRateSampler", &fixed(0.1)),
        ("PrioritySampler", &priority()),
        ("RuleBasedSampler", &rules()),
        ("AdaptiveSampler", &adaptive),
    ];
    let count = |result: SamplingResult| Some(result.threshold?.adjusted_count());
    for (name, sampler) in samplers {
        let sampled =
            stream(5, 100_000).filter_map(|request| count(sampler.should_sample(&request)));
        let estimated: f64 = sampled.sum();
        let error = (estimated - 100_000.0).abs() / 100_000.0;
        assert!(error < 0.05, "{name} estimates {estimated} of 100000");
    }
}

#[test]
fn only_what_drops_on_purpose_drops() {
    for (name, sampler) in all() {
        let drops = stream(6, 1_000)
            .filter(|request| sampler.should_sample(request).decision == SamplingDecision::Drop)
            .count();
        let expected = if name == "AlwaysOff" { 1_000 } else { 0 };
        assert_eq!(drops, expected, "{name}");
    }
}
