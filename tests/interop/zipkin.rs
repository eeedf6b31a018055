//! What Zipkin's format can say arrives, in a Jaeger that takes it.

use std::collections::BTreeMap;

use serde_json::json;
use tailtrace::{InMemoryExporter, LogLevel, Pipeline, SpanKind, Status, TagValue, ZipkinExporter};

use crate::PLENTY;
use crate::seen::Seen;
use crate::servers;

#[test]
fn a_trace_arrives_by_zipkin() {
    let Some(url) = servers::zipkin_url() else { return };
    check("by-zipkin", ZipkinExporter::builder().with_endpoint(url).build().unwrap());
}

#[test]
fn a_trace_arrives_by_zipkin_with_gzip() {
    let Some(url) = servers::zipkin_url() else { return };
    let builder = ZipkinExporter::builder().with_endpoint(url).with_gzip(true);
    check("by-zipkin-with-gzip", builder.build().unwrap());
}

#[track_caller]
fn check(service: &str, exporter: ZipkinExporter) {
    let Some(jaeger) = servers::jaeger() else { return };
    let kept = InMemoryExporter::new();
    let pipeline = Pipeline::builder(service)
        .with_exporter(kept.clone())
        .with_exporter(exporter)
        .start()
        .unwrap();
    let tracer = pipeline.tracer();
    let server = tracer.span_builder("post /orders").with_kind(SpanKind::Server).start();
    server.set_tag("text", "ünïcödé \"quoted\"");
    server.set_tag("number", -42);
    server.set_tag("list", TagValue::I64Array(vec![1, 2]));
    let client = server.child("charge");
    client.set_kind(SpanKind::Client);
    client.set_status(Status::error("declined"));
    client.log(LogLevel::Info, "the bank has answered");
    drop((client, server));
    pipeline.flush(PLENTY).unwrap();

    let trace = kept.traces().remove(0);
    let sent = Seen::sent(&trace);
    let arrived: BTreeMap<_, _> = jaeger
        .query()
        .trace(trace.trace_id())
        .into_iter()
        .map(|span| (span.span_id.clone(), span))
        .collect();
    assert_eq!(arrived.len(), 2);
    for sent in &sent {
        let arrived = &arrived[&sent.span_id];
        assert_eq!((&arrived.name, arrived.kind), (&sent.name, sent.kind));
        assert_eq!(arrived.parent, sent.parent);
        // Zipkin counts in microseconds.
        assert_eq!(arrived.start / 1_000, sent.start / 1_000);
        assert!((arrived.end / 1_000).abs_diff(sent.end / 1_000) <= 1);
        assert_eq!(arrived.status.0, sent.status.0);
        assert_eq!(arrived.resource["service.name"], json!({"stringValue": service}));
    }
    // All values are text there.
    let server = &arrived[&sent[0].span_id];
    for (key, value) in [("text", "ünïcödé \"quoted\""), ("number", "-42"), ("list", "[1,2]")] {
        assert_eq!(server.tags[key], json!({"stringValue": value}));
    }
    let client = &arrived[&sent[1].span_id];
    assert_eq!(client.tags["error"], json!({"stringValue": "declined"}));
    assert_eq!(client.logs.len(), 1);
    assert_eq!(client.logs[0].name, "the bank has answered");
    assert_eq!(client.logs[0].time / 1_000, sent[1].logs[0].time / 1_000);
}
