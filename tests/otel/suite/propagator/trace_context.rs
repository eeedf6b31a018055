//! The headers `traceparent` and `tracestate`.

use opentelemetry::baggage::BaggageExt;
use opentelemetry::propagation::TextMapPropagator as _;
use opentelemetry::trace::{
    Link, SpanContext, SpanId, SpanKind, TraceContextExt, TraceFlags, TraceId, TraceState,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::{Sampler, ShouldSample};

use super::{Lines, SPAN, TRACE, child, extract, has_span, inject, traceparent};
use crate::adapter::Propagator;
use crate::suite::release_line::{SdkSamplingDecision, SdkSamplingResult};

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
    let arrived = [("traceparent", &*traceparent("03")), ("tracestate", "x=2")];
    let other = own_context().span().span_context().clone();
    let context = extract(&arrived).with_remote_span_context(other);
    let headers = inject(&context);
    assert_eq!(headers["traceparent"], format!("00-{:032x}-{:016x}-01", 7, 8));
    // In a carrier that a proxy copied, nothing may be left of it.
    assert_eq!(headers["tracestate"], "");
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
    ) -> SdkSamplingResult {
        let state = parent.unwrap().span().span_context().trace_state().clone();
        let trace_state = state.delete("gone").unwrap().insert("y", "new").unwrap();
        let decision = SdkSamplingDecision::RecordAndSample;
        SdkSamplingResult { decision, attributes: Vec::new(), trace_state }
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
