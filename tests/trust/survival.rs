//! What a stranger cannot buy inside a network, where ids and flags are followed.

use std::collections::HashMap;
use std::time::Duration;

use tailtrace::model::Threshold;
use tailtrace::pipeline::PipelineBuilder;
use tailtrace::record::RecordLimits;
use tailtrace::tail::{All, PerSecond, Slowest, SpansPerSecond};
use tailtrace::time::{ManualClock, Tick};
use tailtrace::{
    AdaptiveSampler, AlwaysOn, Errors, FixedRateSampler, Fraction, InMemoryExporter,
    ParentBasedSampler, Pipeline, Sampler, SamplingRequest, SamplingResult, TailSampler, TraceId,
    TraceView, Tracer, Verdict,
};

fn headers(trace_id: u128, flags: u8, state: &str) -> HashMap<String, String> {
    HashMap::from([
        ("traceparent".to_owned(), format!("00-{trace_id:032x}-00f067aa0ba902b7-{flags:02x}")),
        ("tracestate".to_owned(), state.to_owned()),
    ])
}

fn started(
    builder: PipelineBuilder,
    sampler: impl Sampler + 'static,
    tail: TailSampler,
) -> (Pipeline, InMemoryExporter) {
    let memory = InMemoryExporter::new();
    let builder = builder.with_sampler(sampler).with_tail(tail).with_exporter(memory.clone());
    (builder.start().unwrap(), memory)
}

/// How many of 200 open traces survive 800 traces with these headers and the sampled flag, where there is room for 250.
fn survivors(chosen: impl Fn(u128) -> u128, state: &str) -> usize {
    let limits = RecordLimits::default().with_live_traces(250);
    let builder = Pipeline::builder("shop").with_limits(limits);
    let sampler = ParentBasedSampler::new(|_: &SamplingRequest<'_>| SamplingResult::record());
    let tail = TailSampler::new().keep(|_: &TraceView<'_>| Verdict::keep());
    let (pipeline, memory) = started(builder, sampler, tail);
    let tracer = pipeline.tracer();
    let strangers: Vec<_> = (1..=50)
        .map(|at| {
            tracer.start_span_with_context("evil", tracer.extract(&headers(chosen(at), 1, state)))
        })
        .collect();
    let open: Vec<_> = (0..200).map(|_| tracer.start_span("ours")).collect();
    let more: Vec<_> = (51..=800)
        .map(|at| {
            tracer.start_span_with_context("evil", tracer.extract(&headers(chosen(at), 1, state)))
        })
        .collect();
    drop((strangers, open, more));
    pipeline.flush(Duration::from_secs(30)).ok();
    let spans = memory.spans();
    spans.iter().filter(|span| span.operation_name() == "ours").count()
}

#[test]
fn no_flag_and_no_choice_of_bits_makes_open_traces_survive_others() {
    let random = |at: u128| at.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835) | 1;
    let highest = |at: u128| at << 64 | 0xffff_ffff_ffff_ffff;
    let honest = survivors(random, "a=1");
    // A quarter of what there is room for, and chance: were the flag worth something, none of ours would be left.
    assert!(honest >= 20, "{honest} of 200");
    for (what, survived) in
        [("ids", survivors(highest, "a=1")), ("rv", survivors(random, "ot=rv:ffffffffffffff"))]
    {
        // As many as with honest ids, and chance.
        assert!(survived + 40 >= honest, "{what}: {survived} of {honest}");
    }
}

#[test]
fn a_callers_threshold_claims_no_more_than_was_seen() {
    let memory = InMemoryExporter::new();
    let sampler = ParentBasedSampler::new(FixedRateSampler::new(0.01).unwrap());
    let tracer = Tracer::new("shop", sampler, memory.clone());
    let requests = 2_000;
    for at in 1..=requests {
        let evil = headers(at << 64 | 0xff_ffff_ffff_ffff, 1, "ot=th:ffffffffffffff");
        drop(tracer.start_span_with_context("evil", tracer.extract(&evil)));
    }
    tracer.shutdown(Duration::from_secs(30)).unwrap();
    let traces = memory.traces();
    let claimed =
        traces.iter().filter_map(|trace| trace.threshold()).map(Threshold::adjusted_count);
    let claimed: f64 = claimed.sum();
    assert_eq!(traces.len() as u128, requests);
    assert!(claimed <= 4.0 * requests as f64 + 4096.0, "{claimed}");
}

/// Where the rest is dropped at the head, and where a tail has it recorded.
#[test]
fn a_caller_that_really_samples_one_in_a_hundred_is_believed() {
    let dropping = ParentBasedSampler::new(AlwaysOn);
    let recording = ParentBasedSampler::new(AlwaysOn)
        .with_remote_parent_not_sampled(|_: &SamplingRequest<'_>| SamplingResult::record());
    for sampler in [dropping, recording] {
        let tail = TailSampler::new().keep(Errors);
        let (pipeline, memory) = started(Pipeline::builder("shop"), sampler, tail);
        let tracer = pipeline.tracer();
        let rate = Threshold::from_probability(0.01).unwrap();
        for at in 0..10_000_u128 {
            let is_sampled = at % 100 == 0;
            let id = (at + 1) << 64 | if is_sampled { 0xff_ffff_ffff_ffff } else { 1 };
            let state = if is_sampled { format!("ot=th:{rate}") } else { "a=1".to_owned() };
            let incoming = tracer.extract(&headers(id, u8::from(is_sampled), &state));
            drop(tracer.start_span_with_context("GET", incoming));
        }
        pipeline.shutdown(Duration::from_secs(30)).unwrap();
        let traces = memory.traces();
        let claimed =
            traces.iter().filter_map(|trace| trace.threshold()).map(Threshold::adjusted_count);
        let claimed: f64 = claimed.sum();
        assert!((claimed - 10_000.0).abs() < 100.0, "{claimed}");
    }
}

#[test]
fn a_budget_has_a_ceiling_that_no_choice_of_ids_passes() {
    let sampler = AdaptiveSampler::per_second(10.0).unwrap();
    let mut sampled = 0;
    for second in 1..=5_u64 {
        for at in 1..=10_000_u64 {
            let id = u128::from(second * 10_000 + at) << 64 | 0xff_ffff_ffff_ffff;
            let id = TraceId::from_bits(id).unwrap();
            let now = Tick::from_nanos(second * 1_000_000_000 + at * 90_000);
            sampled += u64::from(
                sampler.should_sample(&SamplingRequest::new(id, "GET", now)).is_sampled(),
            );
        }
    }
    assert!(sampled <= 5 * 20 * 10 + 200, "{sampled} in five seconds");
}

#[test]
fn operations_that_callers_make_up_are_no_way_around_the_ceiling() {
    let sampler = AdaptiveSampler::per_second(10.0).unwrap();
    let names: Vec<String> = (0..1_000).map(|at| format!("GET /{at}")).collect();
    for second in 1..=3_u64 {
        let mut sampled = 0;
        for at in 1..=200_u64 {
            for (number, name) in (1_u64..).zip(&names) {
                let id = u128::from(number * 1_000 + at) << 64 | 0xff_ffff_ffff_ffff;
                let id = TraceId::from_bits(id).unwrap();
                let now = Tick::from_nanos(second * 1_000_000_000 + at * 4_000_000);
                let request = SamplingRequest::new(id, name, now);
                sampled += u64::from(sampler.should_sample(&request).is_sampled());
            }
        }
        // The 256 operations that have a target each, and one's burst.
        assert!(sampled <= 4 * 256 * 10 + 20 * 10, "{sampled} in a second");
    }
}

#[test]
fn operations_that_callers_made_up_take_the_places_of_others_only_while_they_are_called() {
    let sampler = AdaptiveSampler::per_second(10.0).unwrap();
    let ask = |second: u64, name: &str| {
        let id = TraceId::from_bits(1_u128 << 64 | 0xff_ffff_ffff_ffff).unwrap();
        let now = Tick::from_nanos(second * 1_000_000_000);
        drop(sampler.should_sample(&SamplingRequest::new(id, name, now)));
    };
    (0..1_000).for_each(|at| ask(1, &format!("GET /{at}")));
    for second in 2..=15 {
        ask(second, "checkout");
    }
    let rates = sampler.rates();
    assert_eq!(rates, [("checkout".to_owned(), 1.0)]);
}

/// How many of 5,000 traces in 5.5 seconds a tail keeps; the ids are the highest, or spread.
fn kept_by(tail: TailSampler, highest: bool) -> usize {
    let clock = ManualClock::new();
    let builder = Pipeline::builder("shop").with_clock(clock.clock());
    let sampler = |_: &SamplingRequest<'_>| SamplingResult::record();
    let (pipeline, memory) = started(builder, sampler, tail);
    let tracer = pipeline.tracer();
    for at in 1..=5_000_u128 {
        let spread = at.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835) | 1;
        let id = if highest { at << 64 | 0xffff_ffff_ffff_ffff } else { spread };
        clock.advance(Duration::from_millis(1));
        let incoming = tracer.extract(&headers(id, 1, "ot=rv:ffffffffffffff"));
        let span = tracer.start_span_with_context("GET", incoming);
        clock.advance(Duration::from_micros(if at % 100 == 0 { 900 } else { 100 }));
        drop(span);
    }
    pipeline.shutdown(Duration::from_secs(30)).unwrap();
    memory.traces().len()
}

#[test]
fn no_choice_of_ids_passes_a_budget_of_the_tail() {
    for highest in [false, true] {
        // Ten a second and a burst of ten, for five seconds, also behind a rate that all of these ids pass.
        let alone = kept_by(TailSampler::new().keep(PerSecond::new(10.0).unwrap()), highest);
        assert!(alone <= 75, "{alone}");
        let spans = kept_by(TailSampler::new().keep(SpansPerSecond::new(10.0).unwrap()), highest);
        assert!(spans <= 75, "{spans}");
        let both = All::new([Fraction::new(0.01).unwrap()]).and(PerSecond::new(10.0).unwrap());
        let both = kept_by(TailSampler::new().keep(both), highest);
        assert!(both <= 75, "{both}");
        // The slowest hundredth is that, whatever the ids.
        let slowest = kept_by(TailSampler::new().keep(Slowest::percentile(0.99).unwrap()), highest);
        assert!(slowest <= 60, "{slowest}");
    }
}
