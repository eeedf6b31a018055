//! B3 and Jaeger, and what all formats have in common.

use std::collections::HashMap;

use opentelemetry::Context;
use opentelemetry::baggage::BaggageExt;
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::TraceContextExt;
use opentelemetry_sdk::trace::Sampler;
use tailtrace::propagation::{B3Propagator, CompositePropagator, JaegerPropagator};

use super::{Lines, SPAN, TRACE, child, extract, inject_as, traceparent};
use crate::adapter::Propagator;

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
