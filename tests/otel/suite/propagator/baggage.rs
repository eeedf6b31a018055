//! The header `baggage`.

use std::collections::HashMap;

use opentelemetry::baggage::BaggageExt;
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::Sampler;

use super::{child, extract, inject, traceparent};
use crate::suite::release_line;

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
    let sent = inject(&release_line::with_baggage(&arrived, changed));
    assert_eq!(sent["baggage"], "z=1,a=new,c=%C3%BC");
    // In a carrier that a proxy copied, nothing may be left of it.
    assert_eq!(inject(&release_line::with_baggage(&arrived, []))["baggage"], "");
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
