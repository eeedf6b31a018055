//! Every field of a span arrives in Jaeger as it was sent.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use opentelemetry_otlp::WithExportConfig as _;
use serde_json::json;
use tailtrace::export::OtlpProtocol;
use tailtrace::model::{Link, TraceFlags, TraceState};
use tailtrace::otel::OtelExporter;
use tailtrace::{
    Exporter, InMemoryExporter, LogLevel, OtlpExporter, Pipeline, SpanId, SpanKind, Status,
    TagValue, TraceContext, TraceId, Tracer,
};

use crate::PLENTY;
use crate::seen::Seen;
use crate::servers;

#[test]
fn every_field_arrives_by_grpc() {
    let Some(jaeger) = servers::jaeger() else { return };
    check(
        "by-grpc",
        &jaeger,
        OtlpExporter::builder()
            .with_protocol(OtlpProtocol::Grpc)
            .with_endpoint(&jaeger.grpc)
            .build()
            .unwrap(),
    );
}

#[test]
fn every_field_arrives_by_grpc_with_gzip() {
    let Some(jaeger) = servers::jaeger() else { return };
    let exporter = OtlpExporter::builder()
        .with_protocol(OtlpProtocol::Grpc)
        .with_endpoint(&jaeger.grpc)
        .with_gzip(true)
        .build()
        .unwrap();
    check("by-grpc-with-gzip", &jaeger, exporter);
}

#[test]
fn every_field_arrives_by_http() {
    let Some(jaeger) = servers::jaeger() else { return };
    let exporter = OtlpExporter::builder().with_endpoint(jaeger.traces_url()).build().unwrap();
    check("by-http", &jaeger, exporter);
}

#[test]
fn every_field_arrives_by_http_with_gzip() {
    let Some(jaeger) = servers::jaeger() else { return };
    let builder = OtlpExporter::builder().with_endpoint(jaeger.traces_url());
    check("by-http-with-gzip", &jaeger, builder.with_gzip(true).build().unwrap());
}

#[test]
fn every_field_arrives_by_http_and_json() {
    let Some(jaeger) = servers::jaeger() else { return };
    let exporter = OtlpExporter::builder()
        .with_protocol(OtlpProtocol::HttpJson)
        .with_endpoint(jaeger.traces_url())
        .build()
        .unwrap();
    check("by-json", &jaeger, exporter);
}

#[test]
fn every_field_arrives_by_http_and_json_with_gzip() {
    let Some(jaeger) = servers::jaeger() else { return };
    let builder = OtlpExporter::builder()
        .with_protocol(OtlpProtocol::HttpJson)
        .with_endpoint(jaeger.traces_url());
    check("by-json-with-gzip", &jaeger, builder.with_gzip(true).build().unwrap());
}

#[test]
fn every_field_arrives_by_an_exporter_of_opentelemetry() {
    let Some(jaeger) = servers::jaeger() else { return };
    // Its connection lives on the runtime it is made in.
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let _inside = runtime.enter();
    let theirs = opentelemetry_otlp::SpanExporter::builder().with_tonic();
    let theirs = theirs.with_endpoint(&*jaeger.grpc).build().unwrap();
    check_but("by-otel-exporter", &jaeger, OtelExporter::new(theirs), |span| {
        // Its API has no bytes, and spans of ours were made by no library of theirs.
        for value in span.tags.values_mut() {
            if let Some(bytes) = value["bytesValue"].as_str() {
                *value = json!({"stringValue": hex(bytes)});
            }
        }
        span.scope = " ".to_owned();
    });
}

/// The digits of what is written in base64.
fn hex(base64: &str) -> String {
    let bytes = BASE64_STANDARD.decode(base64).unwrap();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[track_caller]
fn check(service: &str, jaeger: &servers::Server, exporter: OtlpExporter) {
    check_but(service, jaeger, exporter, |_| ());
}

/// Sends a trace that has everything, and compares what Jaeger has with what was kept, but for what
/// the way there cannot say.
#[track_caller]
fn check_but(
    service: &str,
    jaeger: &servers::Server,
    exporter: impl Exporter + 'static,
    adapt: impl Fn(&mut Seen),
) {
    let kept = InMemoryExporter::new();
    let pipeline = Pipeline::builder(service)
        .with_resource_tag("service.version", "1.2.3-ä")
        .with_resource_tag("process.pid", 42)
        .with_resource_tag("zones", TagValue::StringArray(vec!["a".into(), "b".into()]))
        .with_exporter(kept.clone())
        .with_exporter(exporter)
        .start()
        .unwrap();
    send_everything(&pipeline.tracer());
    pipeline.flush(PLENTY).unwrap();
    let stats = pipeline.stats();
    assert!(stats.balances(), "{stats}");

    let traces = kept.traces();
    assert_eq!(traces.len(), 1);
    let mut sent = Seen::sent(&traces[0]);
    sent.iter_mut().for_each(adapt);
    let mut arrived = jaeger.query().trace(traces[0].trace_id());
    sent.sort_by(|one, other| one.span_id.cmp(&other.span_id));
    arrived.sort_by(|one, other| one.span_id.cmp(&other.span_id));
    assert_eq!(sent.len(), arrived.len());
    for (sent, arrived) in sent.iter().zip(&arrived) {
        let differing = arrived.differing_from(sent);
        assert!(arrived == sent, "arrived and sent: {differing:#?}");
    }
    // What was sent had everything: a comparison of nothing with nothing would show nothing.
    let kinds: BTreeSet<u64> = sent.iter().map(|span| span.kind).collect();
    let codes: BTreeSet<u64> = sent.iter().map(|span| span.status.0).collect();
    assert_eq!((kinds.len(), codes.len()), (5, 3));
    let foreign = sent.iter().filter(|span| span.trace_state.contains("rojo=00f067aa0ba902b7"));
    assert_eq!(foreign.count(), 1, "the local root alone");
    assert!(sent.iter().any(|span| span.dropped.iter().all(|count| *count > 0)));
}

fn send_everything(tracer: &Tracer) {
    let mut caller = TraceContext::new(TraceId::new(), SpanId::new()).remote();
    caller.flags = TraceFlags::SAMPLED;
    caller.trace_state = TraceState::default().insert("rojo", "00f067aa0ba902b7").unwrap();
    let long_ago = SystemTime::UNIX_EPOCH + Duration::from_nanos(1_700_000_000_123_456_789);

    let server = tracer
        .span_builder("POST /orders/{id} → ß")
        .with_parent_context(&caller)
        .with_kind(SpanKind::Server)
        .with_start_time(long_ago)
        .start();
    server.set_status(Status::Ok);
    set_every_tag(&server);

    let client = server.child("client");
    client.set_kind(SpanKind::Client);
    client.set_status(Status::error("timeout: \"quoted\"\nand a new line"));
    client.log(LogLevel::Trace, "trace");
    client.log(LogLevel::Debug, "debug");
    client.log(LogLevel::Info, "info");
    client.log_with_fields(LogLevel::Warn, "retry", [("attempt", 3), ("of", -5)]);
    client.log_with_fields(LogLevel::Error, "", [("empty", "")]);

    let producer = client.child("producer");
    producer.set_kind(SpanKind::Producer);
    let mut other = TraceContext::new(TraceId::new(), SpanId::new());
    other.trace_state = TraceState::default().insert("k", "v").unwrap();
    producer.add_link(Link::new(other).with_tag("why", "batch").with_tag("size", 2.5));
    producer.add_link(TraceContext::new(TraceId::new(), SpanId::new()).remote());

    let consumer = producer.child("consumer");
    consumer.set_kind(SpanKind::Consumer);
    // More than the limits allow, so that something is dropped and counted.
    for at in 0..130 {
        consumer.set_tag(format!("tag.{at}"), at);
        consumer.log(LogLevel::Info, format!("log {at}"));
        consumer.add_link(TraceContext::new(TraceId::new(), SpanId::new()));
    }
    drop(consumer.child(""));
    // Inner spans end before outer ones.
    drop((consumer, producer, client));
}

fn set_every_tag(span: &tailtrace::SpanGuard) {
    span.set_tag("bool", true);
    span.set_tag("bool.false", false);
    span.set_tag("i64", 42);
    span.set_tag("i64.zero", 0);
    span.set_tag("i64.min", i64::MIN);
    span.set_tag("i64.max", i64::MAX);
    span.set_tag("f64", 1.5);
    span.set_tag("f64.tiny", f64::MIN_POSITIVE);
    span.set_tag("text", "ünïcödé \u{1F980} \"<&>\"\t\u{7f}");
    span.set_tag("text.empty", "");
    span.set_tag("bytes", TagValue::Bytes((0..=255).collect()));
    span.set_tag("bytes.one", TagValue::Bytes(vec![255]));
    span.set_tag("bools", TagValue::BoolArray(vec![true, false]));
    span.set_tag("i64s", TagValue::I64Array(vec![1, -2, i64::MAX]));
    span.set_tag("f64s", TagValue::F64Array(vec![0.25, -1e300]));
    span.set_tag("texts", TagValue::StringArray(vec!["a".into(), String::new()]));
}
