//! Any headers, through OpenTelemetry and past it.

use std::collections::HashMap;

use opentelemetry::Context;
use opentelemetry::propagation::TextMapPropagator;
use proptest::prelude::*;
use tailtrace::Incoming;
use tailtrace::propagation::{
    B3Propagator, CompositePropagator, JaegerPropagator, Propagator as OurPropagator,
};

use super::{Lines, SPAN, TRACE, inject_as, traceparent};
use crate::adapter::Propagator;
use crate::suite::release_line;

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
        let lines: Vec<(&str, &str)> = release_line::carried(lines);
        let propagator = Propagator::new(composite());
        let context = propagator.extract_with_context(&Context::new(), &Lines(&lines));
        let mut sent = inject_as(&propagator, &context);
        for name in ["tracestate", "jaeger-baggage"] {
            let came = lines.iter().any(|(other, _)| other.eq_ignore_ascii_case(name));
            let is_empty = sent.get(name).is_some_and(String::is_empty);
            prop_assert!(came || !is_empty, "an empty {name} that nobody sent");
        }
        // An empty line stands for one that is removed elsewhere.
        let stands_for_none = |name: &str| matches!(name, "tracestate" | "jaeger-baggage");
        sent.retain(|name, line| !line.is_empty() || !stands_for_none(name));
        prop_assert_eq!(sent, directly(&composite(), &Lines(&lines)));
    }
}

/// What our propagator hands on of the headers without OpenTelemetry in between.
fn directly(propagator: &impl OurPropagator, lines: &Lines<'_>) -> HashMap<String, String> {
    let (mut incoming, mut sent) = (Incoming::default(), HashMap::new());
    propagator.extract(lines, &mut incoming);
    match incoming.clone().into_context() {
        Some(context) => propagator.inject(&context, &mut sent),
        None => propagator.inject_baggage(&incoming.baggage, &mut sent),
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
