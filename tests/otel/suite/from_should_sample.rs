//! Samplers of OpenTelemetry in our pipelines.

use std::sync::{Arc, Mutex};

use opentelemetry::baggage::BaggageExt;
use opentelemetry::trace::{Link, SpanContext, SpanKind, TraceContextExt, TraceId, TraceState};
use opentelemetry::{Context, KeyValue, Value};
use opentelemetry_sdk::trace::{Sampler as OtelSampler, ShouldSample};
use tailtrace::model::{TagRef, TraceFlags};
use tailtrace::time::Clock;
use tailtrace::{Sampler, SamplingDecision, SamplingRequest, SpanId, TagValue, TraceContext};

use super::release_line::{self, SdkSamplingDecision, SdkSamplingResult};
use super::support::{LONG, errors_with};
use crate::adapter::FromShouldSample;
use crate::adapter::convert::to_trace_id;

/// What a sampler was told.
#[derive(Clone, Debug, Default)]
struct Told {
    parent: Option<SpanContext>,
    baggage: Vec<(String, String)>,
    trace_id: Option<TraceId>,
    name: String,
    kind: Option<SpanKind>,
    attributes: Vec<KeyValue>,
    links: Vec<Link>,
}

/// Answers what it was made with.
#[derive(Clone, Debug)]
struct Scripted {
    result: SdkSamplingResult,
    told: Arc<Mutex<Told>>,
}

impl Scripted {
    fn new(decision: SdkSamplingDecision, state: &str) -> Self {
        let trace_state = state.parse().unwrap();
        let attributes = vec![KeyValue::new("rule", "vip"), KeyValue::new("weight", 2)];
        let told = Arc::new(Mutex::new(Told::default()));
        Self { result: SdkSamplingResult { decision, attributes, trace_state }, told }
    }
}

impl ShouldSample for Scripted {
    fn should_sample(
        &self,
        parent_context: Option<&Context>,
        trace_id: TraceId,
        name: &str,
        span_kind: &SpanKind,
        attributes: &[KeyValue],
        links: &[Link],
    ) -> SdkSamplingResult {
        let context = parent_context.unwrap();
        let parent = context.has_active_span().then(|| context.span().span_context().clone());
        let baggage = context.baggage().iter();
        *self.told.lock().unwrap() = Told {
            parent,
            baggage: baggage
                .map(|(key, (value, _))| (key.to_string(), value.to_string()))
                .collect(),
            trace_id: Some(trace_id),
            name: name.to_owned(),
            kind: Some(span_kind.clone()),
            attributes: attributes.to_vec(),
            links: links.to_vec(),
        };
        self.result.clone()
    }
}

fn id() -> tailtrace::TraceId {
    tailtrace::TraceId::new()
}

#[test]
fn each_decision_has_its_counterpart_and_the_threshold_comes_from_the_state() {
    for (sdk_decision, state, decision, probability) in [
        (SdkSamplingDecision::Drop, "ot=th:8", SamplingDecision::Drop, None),
        (SdkSamplingDecision::RecordOnly, "ot=th:8", SamplingDecision::Record, None),
        (SdkSamplingDecision::RecordAndSample, "x=1,ot=th:8", SamplingDecision::Sample, Some(0.5)),
        (SdkSamplingDecision::RecordAndSample, "x=1", SamplingDecision::Sample, None),
    ] {
        let sampler = FromShouldSample::new(Scripted::new(sdk_decision, state));
        let decided =
            sampler.should_sample(&SamplingRequest::new(id(), "order", Clock::system().now()));
        assert_eq!(decided.decision, decision);
        assert_eq!(decided.threshold.map(|threshold| threshold.probability()), probability);
        let tags = [("rule".into(), TagValue::from("vip")), ("weight".into(), TagValue::I64(2))];
        assert_eq!(decided.tags, tags);
    }
}

#[test]
fn the_sampler_is_told_all_that_is_known() {
    let scripted = Scripted::new(SdkSamplingDecision::Drop, "");
    let told = Arc::clone(&scripted.told);
    let mut parent =
        TraceContext::new(id(), SpanId::new()).with_flags(TraceFlags::SAMPLED).remote();
    parent.trace_state = "x=1".parse().unwrap();
    parent.baggage = parent.baggage.with("tenant", "acme").unwrap();
    let tags = [("items".into(), TagValue::I64(3))];
    let links =
        [tailtrace::model::Link::new(TraceContext::new(id(), SpanId::new())).with_tag("why", 1)];
    let request = SamplingRequest::new(id(), "order", Clock::system().now())
        .with_parent(&parent)
        .with_kind(tailtrace::SpanKind::Server)
        .with_tags(&tags)
        .with_links(&links);
    let _ = FromShouldSample::new(scripted).should_sample(&request);
    let told = told.lock().unwrap().clone();
    let seen = told.parent.unwrap();
    assert!(seen.is_remote() && seen.is_sampled());
    assert_eq!(
        (seen.trace_id(), seen.trace_state().header().as_str()),
        (told.trace_id.unwrap(), "x=1")
    );
    assert_eq!(told.trace_id, Some(to_trace_id(parent.trace_id)));
    assert_eq!(told.baggage, [("tenant".to_owned(), "acme".to_owned())]);
    assert_eq!((told.name.as_str(), told.kind), ("order", Some(SpanKind::Server)));
    assert_eq!(told.attributes, [KeyValue::new("items", 3)]);
    assert_eq!(told.links[0].attributes[0].value, Value::I64(1));
}

#[test]
fn a_new_trace_has_no_parent() {
    let scripted = Scripted::new(SdkSamplingDecision::Drop, "");
    let told = Arc::clone(&scripted.told);
    let request = SamplingRequest::new(id(), "order", Clock::system().now());
    let _ = FromShouldSample::new(scripted).should_sample(&request);
    assert_eq!(told.lock().unwrap().parent, None);
}

#[test]
fn samplers_of_the_sdk_decide_by_the_parent() {
    let sampler = OtelSampler::ParentBased(Box::new(OtelSampler::AlwaysOff));
    let sampler = FromShouldSample::new(release_line::boxed(sampler));
    for (flags, decision) in [
        (TraceFlags::SAMPLED, SamplingDecision::Sample),
        (TraceFlags::default(), SamplingDecision::Drop),
    ] {
        let parent = TraceContext::new(id(), SpanId::new()).with_flags(flags).remote();
        let request = SamplingRequest::new(id(), "order", Clock::system().now());
        assert_eq!(sampler.should_sample(&request.with_parent(&parent)).decision, decision);
    }
}

#[test]
fn in_a_pipeline_what_is_only_recorded_is_left_to_the_tail() {
    let sampler = FromShouldSample::new(Scripted::new(SdkSamplingDecision::RecordOnly, ""));
    let (pipeline, memory) = errors_with(sampler);
    let tracer = pipeline.tracer();
    drop(tracer.start_span("well"));
    tracer.start_span("bad").set_error(&std::io::Error::other("declined"));
    pipeline.shutdown(LONG).unwrap();
    let spans = memory.spans();
    assert_eq!((spans.len(), spans[0].operation_name()), (1, "bad"));
    assert_eq!(spans[0].tag("rule"), Some(TagRef::Str("vip")));
}

#[test]
fn a_sampler_that_panics_leaves_the_trace_to_the_tail() {
    #[derive(Clone, Debug)]
    struct Panics;

    impl ShouldSample for Panics {
        fn should_sample(
            &self,
            _: Option<&Context>,
            _: TraceId,
            _: &str,
            _: &SpanKind,
            _: &[KeyValue],
            _: &[Link],
        ) -> SdkSamplingResult {
            panic!("no words")
        }
    }

    let (pipeline, memory) = errors_with(FromShouldSample::new(Panics));
    pipeline.tracer().start_span("bad").set_error(&std::io::Error::other("declined"));
    pipeline.shutdown(LONG).unwrap();
    assert_eq!((memory.span_count(), pipeline.stats().panics), (1, 1));
}

#[test]
fn a_state_that_cannot_be_read_has_no_threshold() {
    let mut scripted = Scripted::new(SdkSamplingDecision::RecordAndSample, "");
    scripted.result.trace_state = TraceState::from_key_value([("ot", "th:zz")]).unwrap();
    let sampler = FromShouldSample::new(scripted);
    let decided =
        sampler.should_sample(&SamplingRequest::new(id(), "order", Clock::system().now()));
    assert_eq!((decided.decision, decided.threshold), (SamplingDecision::Sample, None));
}
