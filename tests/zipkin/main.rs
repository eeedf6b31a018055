//! Zipkin over real sockets: what arrives, and what the answers lead to.

#[path = "../config/server.rs"]
mod server;

use std::collections::HashMap;
use std::net::TcpListener;
use std::time::Duration;

use server::Server;
use tailtrace::export::{Batch, ExportError};
use tailtrace::pipeline::PipelineBuilder;
use tailtrace::propagation::{B3Propagator, Propagator};
use tailtrace::testing::{span, trace};
use tailtrace::{
    AlwaysOn, Exporter, Incoming, LogLevel, Pipeline, SpanKind, ZipkinExporter, config,
};
use zipkin_types::Span;

const PLENTY: Duration = Duration::from_secs(60);

fn spans(body: &[u8]) -> Vec<Span> {
    serde_json::from_slice(body).unwrap()
}

fn at(server: &Server) -> ZipkinExporter {
    let url = format!("{}/api/v2/spans", server.url);
    ZipkinExporter::builder().with_endpoint(url).build().unwrap()
}

fn pipeline(exporter: ZipkinExporter) -> PipelineBuilder {
    Pipeline::builder("checkout").with_sampler(AlwaysOn).with_exporter(exporter)
}

/// The fate of one trace, exported as delivery does it.
fn export(exporter: &ZipkinExporter) -> Result<(), ExportError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(exporter.export(Batch::from([trace(span("op"))])))
}

#[test]
fn all_spans_of_a_pipeline_arrive_and_the_ledger_balances() {
    let server = Server::start();
    let pipeline = pipeline(at(&server)).start().unwrap();
    let tracer = pipeline.tracer();
    {
        let order = tracer.start_span("POST /orders");
        let charge = order.child("charge_card");
        charge.set_kind(SpanKind::Client);
        charge.set_tag("peer.service", "bank");
        charge.log(LogLevel::Warn, "asking again");
        charge.set_error(&std::io::Error::other("card declined"));
    }
    pipeline.shutdown(PLENTY).unwrap();
    assert_eq!(pipeline.stats().exported, 2);
    assert!(pipeline.stats().balances(), "{}", pipeline.stats());

    let seen = server.next();
    assert_eq!(seen.line, "POST /api/v2/spans HTTP/1.1");
    assert_eq!(seen.header("content-type"), Some("application/json"));
    let agent = concat!("tailtrace/", env!("CARGO_PKG_VERSION"));
    assert_eq!(seen.header("user-agent"), Some(agent));
    let spans = spans(&seen.body);
    let (order, charge) = (&spans[0], &spans[1]);
    assert_eq!((order.name(), charge.name()), (Some("POST /orders"), Some("charge_card")));
    assert_eq!(charge.parent_id().map(|id| id.to_string()), Some(order.id().to_string()));
    assert_eq!(order.local_endpoint().unwrap().service_name(), Some("checkout"));
    assert_eq!(charge.remote_endpoint().unwrap().service_name(), Some("bank"));
    assert_eq!(charge.tags()["error"], "card declined");
    assert_eq!(charge.annotations()[0].value(), "\"asking again\": {\"level\":\"WARN\"}");
    assert!(!order.debug());
}

#[test]
fn the_bytes_of_its_requests_are_counted_by_the_operation_that_they_are_of() {
    let server = Server::start();
    let pipeline = pipeline(at(&server)).start().unwrap();
    let tracer = pipeline.tracer();
    drop(tracer.start_span("order").child("charge"));
    tracer.start_span("search").set_tag("query", "q".repeat(10_000));
    pipeline.shutdown(PLENTY).unwrap();
    let rows = pipeline.stats_by_operation();
    let bytes: Vec<_> = rows.iter().map(|row| row.bytes_sent).collect();
    assert_eq!(bytes.iter().sum::<u64>(), server.next().body.len() as u64);
    assert!(bytes[0] < 2_000 && bytes[1] > 10_000, "{rows:?}");
}

#[test]
fn a_trace_that_is_debugged_says_so() {
    let server = Server::start();
    let pipeline = pipeline(at(&server)).start().unwrap();
    let headers = HashMap::from([(
        "b3".to_owned(),
        "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-d".to_owned(),
    )]);
    let mut incoming = Incoming::default();
    B3Propagator::single().extract(&headers, &mut incoming);
    let caller = incoming.into_context().unwrap();
    drop(pipeline.tracer().span_builder("op").with_parent_context(&caller).start());
    pipeline.shutdown(PLENTY).unwrap();
    let span = spans(&server.next().body).remove(0);
    assert!(span.debug());
    assert_eq!(span.parent_id().map(|id| id.to_string()).as_deref(), Some("00f067aa0ba902b7"));
}

#[test]
fn a_server_that_is_busy_gets_the_same_spans_again() {
    let server = Server::answering("503 Service Unavailable\r\nretry-after: 0");
    let pipeline = pipeline(at(&server)).start().unwrap();
    drop(pipeline.tracer().start_span("op"));
    pipeline.shutdown(PLENTY).unwrap();
    assert_eq!(pipeline.stats().exported, 1);
    assert_eq!(server.next().body, server.next().body);
}

#[test]
fn what_zipkin_refuses_is_not_sent_again_and_the_cure_is_named() {
    let server = Server::answering("404 Not Found");
    let error = export(&at(&server)).unwrap_err();
    assert!(!error.is_retryable());
    assert!(error.to_string().contains("/api/v2/spans at Zipkin"), "{error}");
}

#[test]
fn a_refused_connection_may_be_tried_again_and_names_zipkin() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("http://{closed}/api/v2/spans");
    let error =
        export(&ZipkinExporter::builder().with_endpoint(&url).build().unwrap()).unwrap_err();
    assert!(error.is_retryable());
    let told = format!("connection refused at {url}; is Zipkin listening for spans there?");
    assert_eq!(error.to_string(), told);
}

#[test]
fn compressed_spans_and_headers_are_sent_as_asked() {
    let server = Server::start();
    let exporter = ZipkinExporter::builder()
        .with_endpoint(&server.url)
        .with_header("x-tenant", "acme")
        .with_gzip(true);
    export(&exporter.build().unwrap()).unwrap();
    let seen = server.next();
    assert_eq!(seen.line, "POST / HTTP/1.1");
    assert_eq!(seen.header("x-tenant"), Some("acme"));
    assert_eq!(seen.header("content-encoding"), Some("gzip"));
    assert_eq!(seen.body[..2], [0x1f, 0x8b]);
}

#[test]
fn what_cannot_be_used_is_refused_by_its_value() {
    let refused = |url: &str| {
        let error = ZipkinExporter::builder().with_endpoint(url).build().unwrap_err();
        error.to_string()
    };
    assert!(refused("zipkin:9411").contains("\"zipkin:9411\""));
    assert!(refused("ftp://zipkin").contains("http://"));
}

#[test]
fn after_its_shutdown_it_refuses() {
    let server = Server::start();
    let exporter = at(&server);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(exporter.shutdown()).unwrap();
    assert!(!export(&exporter).unwrap_err().is_retryable());
}

#[test]
fn the_environment_asks_for_it() {
    let server = Server::start();
    let vars = HashMap::from([
        ("OTEL_TRACES_EXPORTER", "zipkin".to_owned()),
        ("OTEL_EXPORTER_ZIPKIN_ENDPOINT", format!("{}/spans", server.url)),
        ("OTEL_SERVICE_NAME", "shop".to_owned()),
    ]);
    let settings = config::from_vars(&|name| vars.get(name).cloned());
    assert_eq!(settings.warnings(), []);
    let pipeline = settings.pipeline().unwrap().start().unwrap();
    drop(pipeline.tracer().start_span("op"));
    pipeline.shutdown(PLENTY).unwrap();
    let seen = server.next();
    assert_eq!(seen.line, "POST /spans HTTP/1.1");
    assert_eq!(spans(&seen.body)[0].local_endpoint().unwrap().service_name(), Some("shop"));
}
