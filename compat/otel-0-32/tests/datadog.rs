//! The headers of Datadog, by the crate that its own successor left on this line of OpenTelemetry.
#![expect(deprecated, reason = "its successor is a whole SDK, and this is what services have")]

use std::collections::HashMap;

use opentelemetry_datadog::DatadogPropagator;
use tailtrace::propagation::Propagator as _;
use tailtrace::{InMemoryExporter, Incoming, Pipeline};
use tailtrace_otel_0_32::FromTextMap;

fn headers(lines: &[(&str, &str)]) -> HashMap<String, String> {
    lines.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn read(lines: &[(&str, &str)]) -> Incoming {
    let mut incoming = Incoming::default();
    FromTextMap::new(DatadogPropagator::default()).extract(&headers(lines), &mut incoming);
    incoming
}

#[test]
fn the_headers_of_datadog_are_read_and_written_by_its_own_crate() {
    let lines = [
        ("x-datadog-trace-id", "1234"),
        ("x-datadog-parent-id", "12"),
        ("x-datadog-sampling-priority", "1"),
    ];
    let caller = read(&lines).context.unwrap();
    assert_eq!((caller.trace_id.to_bits(), caller.span_id.to_bits()), (1234, 12));
    assert!(caller.flags.is_sampled() && caller.is_remote);
    let mut written = HashMap::new();
    FromTextMap::new(DatadogPropagator::default()).inject(&caller, &mut written);
    assert_eq!(written, headers(&lines));
}

#[test]
fn a_priority_that_is_not_sent_leaves_the_decision_to_the_receiver() {
    let caller = read(&[("x-datadog-trace-id", "1234"), ("x-datadog-parent-id", "12")]);
    let flags = caller.context.unwrap().flags;
    assert!(flags.is_deferred() && !flags.is_random());
}

#[test]
fn a_trace_of_ours_is_sent_with_its_decision() {
    let exporter = InMemoryExporter::new();
    let pipeline = Pipeline::builder("shop").with_exporter(exporter).start().unwrap();
    let span = pipeline.tracer().start_span("order");
    let mut written: HashMap<String, String> = HashMap::new();
    let context = span.context();
    assert!(context.flags.is_random());
    FromTextMap::new(DatadogPropagator::default()).inject(&context, &mut written);
    let decision = if context.flags.is_sampled() { "1" } else { "0" };
    assert_eq!(written["x-datadog-sampling-priority"], decision);
}
