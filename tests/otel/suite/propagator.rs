//! Our propagators through OpenTelemetry's interface. The marks in comments are those of the checklist
//! of W3C's, B3's and Jaeger's rules.

use std::collections::HashMap;

use opentelemetry::baggage::BaggageExt;
use opentelemetry::propagation::{Extractor, TextMapPropagator};
use opentelemetry::trace::{
    Link, SpanContext, SpanId, SpanKind, TraceContextExt, TraceFlags, TraceId, TraceState, Tracer,
    TracerProvider,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::{Sampler, ShouldSample};
use proptest::prelude::*;
use tailtrace::propagation::{
    B3Propagator, CompositePropagator, Extracted, JaegerPropagator, Propagator as OurPropagator,
};

use super::line::{self, SamplingDecision, SamplingResult};
use crate::adapter::Propagator;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN: &str = "00f067aa0ba902b7";

/// Header lines in their order, names in any case.
struct Lines<'a>(&'a [(&'a str, &'a str)]);

impl Lines<'_> {
    fn lines(&self, key: &str) -> Vec<&str> {
        let lines = self.0.iter().filter(|(name, _)| name.eq_ignore_ascii_case(key));
        lines.map(|(_, value)| *value).collect()
    }
}

impl Extractor for Lines<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.lines(key).first().copied()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.iter().map(|(name, _)| *name).collect()
    }

    #[cfg(not(before_0_31))]
    fn get_all(&self, key: &str) -> Option<Vec<&str>> {
        let lines = self.lines(key);
        if lines.is_empty() { None } else { Some(lines) }
    }
}

fn extract(lines: &[(&str, &str)]) -> Context {
    Propagator::default().extract_with_context(&Context::new(), &Lines(lines))
}

fn inject(context: &Context) -> HashMap<String, String> {
    inject_as(&Propagator::default(), context)
}

fn inject_as(propagator: &Propagator, context: &Context) -> HashMap<String, String> {
    let mut headers = HashMap::new();
    propagator.inject_context(context, &mut headers);
    headers
}

/// The context of a span that the SDK starts below another.
fn child(sampler: impl ShouldSample + 'static, parent: &Context) -> Context {
    let provider = line::builder(sampler, line::resource(Vec::new())).build();
    parent.with_span(provider.tracer("app").start_with_context("child", parent))
}

fn traceparent(flags: &str) -> String {
    format!("00-{TRACE}-{SPAN}-{flags}")
}

fn has_span(context: &Context) -> bool {
    context.span().span_context().is_valid()
}

fn own_context() -> Context {
    let span = SpanContext::new(
        TraceId::from_bytes(7_u128.to_be_bytes()),
        SpanId::from_bytes(8_u64.to_be_bytes()),
        TraceFlags::SAMPLED,
        false,
        TraceState::default(),
    );
    Context::new().with_remote_span_context(span).with_baggage([KeyValue::new("mine", "1")])
}

/// TP2, TP3, TP4, TP5.
#[test]
fn what_is_not_a_traceparent_starts_a_new_trace() {
    for refused in [
        "",
        "00",
        "00-1-1-1",
        &traceparent("1"),
        &traceparent("+1"),
        &traceparent("01-x"),
        &traceparent("0G"),
        &format!("ff-{TRACE}-{SPAN}-01"),
        &format!("0-{TRACE}-{SPAN}-01"),
        &format!("00-{}-{SPAN}-01", TRACE.to_uppercase()),
        &format!("00-{}-{SPAN}-01", "0".repeat(32)),
        &format!("00-{TRACE}-{}-01", "0".repeat(16)),
        &format!("01-{TRACE}-{SPAN}-01x"),
    ] {
        let context = extract(&[("traceparent", refused), ("tracestate", "a=1")]);
        assert!(!has_span(&context), "{refused}");
    }
    let later = extract(&[("traceparent", &format!("01-{TRACE}-{SPAN}-01-x"))]);
    assert_eq!(inject(&later)["traceparent"], traceparent("01"));
}

/// TP1, TP7, TP8, TP9, TP12.
#[test]
fn a_traceparent_is_read_and_handed_on() {
    for (sent, flags) in [("00", 0), ("01", 1), ("03", 3), ("fe", 2), ("ff", 3)] {
        let line = format!(" \t{}\t ", traceparent(sent));
        let context = extract(&[("TraceParent", &line)]);
        let span = context.span().span_context().clone();
        assert!(span.is_remote());
        assert_eq!(span.trace_flags(), TraceFlags::new(flags));
        assert_eq!(inject(&context)["traceparent"], traceparent(&format!("{flags:02x}")));
    }
}

/// TP6.
// Older lines hand over one line of a header.
#[cfg(not(before_0_31))]
#[test]
fn two_traceparents_are_none() {
    let line = traceparent("01");
    assert!(!has_span(&extract(&[("traceparent", &line), ("traceparent", &line)])));
}

/// TP10: OpenTelemetry's own spans lose the flag when they are dropped.
#[test]
fn the_random_flag_reaches_every_span_of_its_trace() {
    for (sent, keeps, outgoing) in
        [("03", true, "03"), ("03", false, "02"), ("01", true, "01"), ("01", false, "00")]
    {
        let parent = extract(&[("traceparent", &traceparent(sent))]);
        let context = match keeps {
            true => child(Sampler::AlwaysOn, &parent),
            false => child(Sampler::AlwaysOff, &parent),
        };
        let span = context.span().span_context().span_id();
        assert_ne!(span.to_string(), SPAN);
        assert_eq!(inject(&context)["traceparent"], format!("00-{TRACE}-{span}-{outgoing}"));
    }
}

#[test]
fn what_arrived_does_not_reach_another_trace() {
    let arrived = [("traceparent", &*traceparent("03")), ("tracestate", "a@b@c=1,x=2")];
    let other = own_context().span().span_context().clone();
    let context = extract(&arrived).with_remote_span_context(other);
    let headers = inject(&context);
    assert_eq!(headers["traceparent"], format!("00-{:032x}-{:016x}-01", 7, 8));
    assert!(!headers.contains_key("tracestate"));
}

/// TP12.
#[test]
fn without_a_span_nothing_is_written() {
    assert!(inject(&Context::new()).is_empty());
}

/// TP13, BG9.
#[test]
fn headers_that_say_nothing_leave_the_context_as_it_is() {
    let own = own_context();
    for lines in [
        &[][..],
        &[("traceparent", "garbage"), ("tracestate", "a=1"), ("baggage", "=,;")],
        &[("baggage", ""), ("tracestate", "a=1")],
    ] {
        let context = Propagator::default().extract_with_context(&own, &Lines(lines));
        assert_eq!(context.span().span_context(), own.span().span_context());
        assert_eq!(context.baggage().to_string(), "mine=1");
        assert_eq!(inject(&context), inject(&own));
    }
}

/// TS1.
#[test]
fn a_malformed_tracestate_costs_the_trace_nothing() {
    for state in ["a=1,b", "a=1,A=2", &"x=1,".repeat(33)] {
        let context = extract(&[("traceparent", &traceparent("01")), ("tracestate", state)]);
        assert!(has_span(&context));
        assert!(!inject(&context).contains_key("tracestate"), "{state}");
    }
}

/// TS2, TS3.
// Older lines hand over one line of a header.
#[cfg(not(before_0_31))]
#[test]
fn lines_of_a_tracestate_are_one_list() {
    let lines = [
        ("traceparent", &*traceparent("01")),
        ("tracestate", "a=1, b=2"),
        ("tracestate", ""),
        ("TraceState", ",c=3 ,"),
    ];
    let context = extract(&lines);
    assert_eq!(context.span().span_context().trace_state().header(), "a=1,b=2,c=3");
    assert_eq!(inject(&context)["tracestate"], "a=1,b=2,c=3");
}

/// TS4, TS9, TS11.
#[test]
fn keys_of_level_2_travel_with_the_trace_though_opentelemetry_cannot_hold_them() {
    let lines = [("traceparent", &*traceparent("01")), ("tracestate", "x=1,a@b@c=2,y=3")];
    let parent = extract(&lines);
    assert_eq!(parent.span().span_context().trace_state().header(), "x=1,y=3");
    let context = child(Sampler::AlwaysOn, &parent);
    assert_eq!(inject(&context)["tracestate"], "x=1,a@b@c=2,y=3");
}

/// Writes a member of its own, and takes one out.
#[derive(Clone, Debug)]
struct Writes;

impl ShouldSample for Writes {
    fn should_sample(
        &self,
        parent: Option<&Context>,
        _: TraceId,
        _: &str,
        _: &SpanKind,
        _: &[KeyValue],
        _: &[Link],
    ) -> SamplingResult {
        let state = parent.unwrap().span().span_context().trace_state().clone();
        let trace_state = state.delete("gone").unwrap().insert("y", "new").unwrap();
        let decision = SamplingDecision::RecordAndSample;
        SamplingResult { decision, attributes: Vec::new(), trace_state }
    }
}

/// TS9.
#[test]
fn what_a_sampler_changes_stands_in_front_and_the_rest_keeps_its_order() {
    let lines =
        [("traceparent", &*traceparent("01")), ("tracestate", "x=1,a@b@c=2,y=3,gone=4,z=5")];
    let context = child(Writes, &extract(&lines));
    assert_eq!(inject(&context)["tracestate"], "y=new,x=1,a@b@c=2,z=5");
}

/// TS6: the last goes.
#[test]
fn a_member_too_many_costs_the_last() {
    let members: Vec<_> = (0..31).map(|number| format!("k{number}=1")).collect();
    let state = format!("a@b@c=1,{}", members.join(","));
    let lines = [("traceparent", &*traceparent("01")), ("tracestate", &*state)];
    let sent = inject(&child(Writes, &extract(&lines)))["tracestate"].clone();
    assert!(sent.starts_with("y=new,a@b@c=1,k0=1,") && sent.ends_with(",k29=1"), "{sent}");
}

/// BG1, BG2, BG3, BG4.
// Older lines hand over one line of a header.
#[cfg(not(before_0_31))]
#[test]
fn baggage_of_several_lines_is_read_by_the_letter() {
    let context = extract(&[("baggage", "a=b=c, user=Zo%C3%AB;p"), ("baggage", "bad=%FF;ttl=30")]);
    let get = |name: &str| context.baggage().get(name).map(|value| value.as_str().to_owned());
    assert_eq!(get("a").as_deref(), Some("b=c"));
    assert_eq!(get("user").as_deref(), Some("Zoë"));
    assert_eq!(get("bad").as_deref(), Some("\u{fffd}"));
    assert_eq!(context.baggage().get_with_metadata("bad").unwrap().1.as_str(), "ttl=30");
}

/// BG5, BG10, and the order, which OpenTelemetry's baggage does not have.
#[test]
fn baggage_that_nobody_changed_is_handed_on_as_it_arrived() {
    let sent = "z=1;ttl=30,m=100%2541,a=%5C%22%2C%3B,k=2";
    let lines = [("traceparent", &*traceparent("01")), ("baggage", sent)];
    let context = child(Sampler::AlwaysOn, &extract(&lines));
    assert_eq!(inject(&context)["baggage"], sent);
}

/// BG8.
#[test]
fn changes_of_the_baggage_are_sent() {
    let arrived = extract(&[("traceparent", &traceparent("01")), ("baggage", "z=1,b=2,a=3")]);
    let changed = [KeyValue::new("z", "1"), KeyValue::new("a", "new"), KeyValue::new("c", "ü")];
    let sent = inject(&line::with_baggage(&arrived, changed));
    assert_eq!(sent["baggage"], "z=1,a=new,c=%C3%BC");
    assert!(!inject(&line::with_baggage(&arrived, [])).contains_key("baggage"));
}

/// OpenTelemetry: baggage does not need a trace.
#[test]
fn baggage_without_a_span_is_sent_alone() {
    let context = Context::new().with_baggage([KeyValue::new("tenant", "acme")]);
    let alone = HashMap::from([("baggage".to_owned(), "tenant=acme".to_owned())]);
    assert_eq!(inject(&context), alone);
    let arrived = extract(&[("traceparent", "bad"), ("baggage", "tenant=acme")]);
    assert_eq!(inject(&arrived), alone);
}

/// BG11, Z3, J9.
#[test]
fn the_fields_are_those_of_the_formats() {
    let fields = |propagator: &Propagator| -> Vec<String> {
        propagator.fields().map(str::to_owned).collect()
    };
    assert_eq!(fields(&Propagator::default()), ["traceparent", "tracestate", "baggage"]);
    assert_eq!(fields(&Propagator::new(B3Propagator::single())), ["b3"]);
    assert_eq!(fields(&Propagator::new(JaegerPropagator)), ["uber-trace-id"]);
}

/// Z1, Z6, Z8.
#[test]
fn debug_of_b3_reaches_every_sampled_span_of_its_trace() {
    let b3 = Propagator::new(B3Propagator::single());
    let line = format!("{TRACE}-{SPAN}-d-00f067aa0ba902b8");
    let parent = b3.extract_with_context(&Context::new(), &Lines(&[("b3", &line)]));
    assert!(parent.span().span_context().is_sampled());
    assert_eq!(inject_as(&b3, &parent)["b3"], format!("{TRACE}-{SPAN}-d"));
    let context = child(Sampler::AlwaysOn, &parent);
    assert!(inject_as(&b3, &context)["b3"].ends_with("-d"));
    let dropped = child(Sampler::AlwaysOff, &parent);
    assert!(inject_as(&b3, &dropped)["b3"].ends_with("-0"));
}

/// Z7.
#[test]
fn what_b3_deferred_stays_so_until_somebody_decides() {
    let b3 = Propagator::new(B3Propagator::single());
    let line = format!("{TRACE}-{SPAN}");
    let parent = b3.extract_with_context(&Context::new(), &Lines(&[("b3", &line)]));
    assert_eq!(inject_as(&b3, &parent)["b3"], line);
    assert!(inject_as(&b3, &child(Sampler::AlwaysOn, &parent))["b3"].ends_with("-1"));
    assert!(inject_as(&b3, &child(Sampler::AlwaysOff, &parent))["b3"].ends_with("-0"));
}

/// J5, J6.
#[test]
fn baggage_in_header_names_is_found_and_sent() {
    let jaeger = Propagator::new(JaegerPropagator);
    let trace = format!("{TRACE}:{SPAN}:0:1");
    let lines = [
        ("uber-trace-id", &*trace),
        ("Uberctx-Tenant", "ac%20me"),
        ("x-other", "1"),
        ("uberctx-b", "2"),
    ];
    let context = jaeger.extract_with_context(&Context::new(), &Lines(&lines));
    assert_eq!(context.baggage().get("tenant").map(ToString::to_string), Some("ac me".to_owned()));
    let sent = inject_as(&jaeger, &context);
    assert_eq!((&*sent["uberctx-tenant"], &*sent["uberctx-b"]), ("ac%20me", "2"));
    assert_eq!(sent["uber-trace-id"], trace);
    // An own carrier of OpenTelemetry.
    let again = jaeger.extract_with_context(&Context::new(), &sent);
    assert_eq!(inject_as(&jaeger, &again), sent);
}

/// Hazard: these run while OpenTelemetry's stack of contexts is borrowed.
#[test]
fn the_current_context_may_be_read_and_written_through_the_short_forms() {
    let propagator = Propagator::new(CompositePropagator::default());
    let arrived = extract(&[("traceparent", &traceparent("01")), ("baggage", "a=1")]);
    let _guard = arrived.attach();
    let mut headers = HashMap::new();
    propagator.inject(&mut headers);
    assert_eq!((&*headers["traceparent"], &*headers["baggage"]), (&*traceparent("01"), "a=1"));
    let same = propagator.extract(&HashMap::<String, String>::new());
    assert_eq!(same.span().span_context().span_id().to_string(), SPAN);
}

proptest! {
    #[test]
    fn the_way_through_opentelemetry_changes_no_header(
        lines in proptest::collection::vec(
            (
                prop_oneof![
                    Just("traceparent"), Just("tracestate"), Just("baggage"), Just("b3"),
                    Just("uber-trace-id"), Just("uberctx-a"),
                ],
                prop_oneof![
                    any::<String>(),
                    "[a-z@]{1,3}=[ -~]{0,9}(,[a-z@]{1,3}=[ -~]{0,9}){0,3}",
                    Just(traceparent("03")),
                    Just(format!("{TRACE}-{SPAN}-d")),
                    Just(format!("{TRACE}:{SPAN}:0:3")),
                ],
            ),
            0..6,
        ),
    ) {
        let composite = || CompositePropagator::new(vec![
            Box::new(CompositePropagator::default()),
            Box::new(B3Propagator::single()),
            Box::new(JaegerPropagator),
        ]);
        let lines = lines.iter().map(|(name, value)| (*name, &**value)).collect();
        let lines: Vec<(&str, &str)> = line::carried(lines);
        let propagator = Propagator::new(composite());
        let context = propagator.extract_with_context(&Context::new(), &Lines(&lines));
        prop_assert_eq!(inject_as(&propagator, &context), directly(&composite(), &Lines(&lines)));
    }
}

/// What our propagator hands on of the headers without OpenTelemetry in between.
fn directly(propagator: &impl OurPropagator, lines: &Lines<'_>) -> HashMap<String, String> {
    let (mut extracted, mut sent) = (Extracted::default(), HashMap::new());
    propagator.extract(lines, &mut extracted);
    match extracted.clone().into_context() {
        Some(context) => propagator.inject(&context, &mut sent),
        None => propagator.inject_baggage(&extracted.baggage, &mut sent),
    }
    sent
}

impl tailtrace::propagation::Extractor for Lines<'_> {
    fn visit(&self, name: &str, each: &mut dyn FnMut(&[u8])) {
        let lines = self.0.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name));
        lines.for_each(|(_, value)| each(value.as_bytes()));
    }

    fn visit_prefix(&self, prefix: &str, each: &mut dyn FnMut(&str, &[u8])) {
        for (name, value) in self.0 {
            if let Some(rest) = name.strip_prefix(prefix) {
                each(rest, value.as_bytes());
            }
        }
    }
}
