//! What a real Jaeger makes of what we send by its own formats.
//!
//! `tests/interop/run.sh` at the top of the repository starts it, names it in the environment and runs
//! this program too. Without it every test says that it was skipped.

// Shared with the main crate's tests, which use more of them.
#![allow(dead_code)]

mod client;
#[path = "../../../tests/interop/query.rs"]
mod query;
#[path = "../../../tests/interop/seen.rs"]
mod seen;

use std::collections::BTreeMap;
use std::env;
use std::io::{self, Write};
use std::time::Duration;

use serde_json::json;
use tailtrace::{AlwaysOn, InMemoryExporter, LogLevel, Pipeline, SpanKind, Status};
use tailtrace_jaeger::ThriftExporter;

use client::Client;
use query::{Query, wait_for};
use seen::Seen;

const LONG: Duration = Duration::from_secs(60);

/// An address of the server; `None` when the test is to be skipped, which this says.
fn address(kind: &str) -> Option<String> {
    let address = env::var(format!("TAILTRACE_INTEROP_JAEGER_{kind}")).ok();
    if address.is_none() {
        let why = "no server is named in the environment; tests/interop/run.sh starts them";
        // A write to stderr that fails has nowhere to be reported.
        let _ = writeln!(io::stderr(), "!! SKIPPED a test by Jaeger's own formats: {why}");
    }
    address
}

#[test]
fn a_trace_arrives_by_udp() {
    let Some(agent) = address("AGENT") else { return };
    check("by-agent", ThriftExporter::agent().with_endpoint(agent).build().unwrap());
}

#[test]
fn a_trace_arrives_by_http() {
    let Some(collector) = address("THRIFT") else { return };
    let builder = ThriftExporter::collector(Client);
    check(
        "by-collector",
        builder.with_endpoint(format!("{collector}/api/traces")).build().unwrap(),
    );
}

#[track_caller]
fn check(service: &str, exporter: ThriftExporter) {
    let Some(address) = address("QUERY") else { return };
    let kept = InMemoryExporter::new();
    let pipeline = Pipeline::builder(service.to_owned())
        .with_sampler(AlwaysOn)
        .with_exporter(kept.clone())
        .with_exporter(exporter)
        .start()
        .unwrap();
    let tracer = pipeline.tracer();
    let server = tracer.span_builder("post /orders").with_kind(SpanKind::Server).start();
    server.set_tag("text", "ünïcödé");
    server.set_tag("number", -42);
    server.set_tag("fraction", 0.25);
    server.set_tag("yes", true);
    let client = server.child("charge");
    client.set_kind(SpanKind::Client);
    client.set_status(Status::error("declined"));
    client.log(LogLevel::Warn, "the bank has answered");
    drop((client, server));
    pipeline.flush(LONG).unwrap();

    let trace = kept.traces().remove(0);
    // Nothing tells when a datagram has arrived.
    let arrived = wait_for("the trace", || {
        let spans = Query(&address).trace(trace.trace_id());
        (spans.len() == 2).then_some(spans)
    });
    let arrived: BTreeMap<_, _> =
        arrived.into_iter().map(|span| (span.span_id.clone(), span)).collect();
    for sent in &Seen::sent(&trace) {
        let arrived = &arrived[&sent.span_id];
        assert_eq!((&arrived.name, arrived.kind), (&sent.name, sent.kind));
        assert_eq!(arrived.parent, sent.parent);
        // Jaeger counts in microseconds.
        assert_eq!(arrived.start / 1_000, sent.start / 1_000);
        assert_eq!(arrived.status.0, sent.status.0);
        assert_eq!(arrived.resource["service.name"], json!({"stringValue": service}));
        for (key, value) in &sent.tags {
            assert_eq!(arrived.tags.get(key), Some(value), "{key}");
        }
        assert_eq!(arrived.logs.len(), sent.logs.len());
        for (arrived, sent) in arrived.logs.iter().zip(&sent.logs) {
            assert_eq!(
                (&arrived.name, &arrived.fields["level"]),
                (&sent.name, &sent.fields["level"])
            );
        }
    }
}
