//! The bytes that the statistics by policy and by operation tell are those of the requests that a peer took.

use std::time::Duration;

use tailtrace::delivery::{AsyncExporter, DeliveryConfig, Retry};
use tailtrace::export::{OtlpExporterBuilder, OtlpProtocol};
use tailtrace::ledger::KeptStats;
use tailtrace::tail::RootNamed;
use tailtrace::{Errors, Exporter, LogLevel, OtlpExporter, Pipeline, TailSampler};

use crate::server::{PLENTY, Received, Reply, Server, Speaks};

fn at(server: &Server) -> OtlpExporterBuilder {
    OtlpExporter::builder().with_endpoint(server.url("/v1/traces"))
}

/// Keeps three traces, by two policies and of two operations, and waits until they are gone.
fn run(exporter: impl Exporter + 'static, config: DeliveryConfig) -> Pipeline {
    let retry = Retry::default().with_initial(Duration::from_millis(1));
    let tail = TailSampler::new().keep(Errors).keep(RootNamed::new("order*"));
    let builder = Pipeline::builder("shop").with_tail(tail).with_exporter(exporter);
    let pipeline = builder.with_delivery(config.with_retry(retry)).start().unwrap();
    let tracer = pipeline.tracer();
    let failed = tracer.start_span("search");
    failed.child("index").set_tag("query", "q".repeat(10_000));
    failed.log(LogLevel::Error, "no index");
    drop(failed);
    for _ in 0..2 {
        drop(tracer.start_span("order").child("charge"));
    }
    let _ = pipeline.shutdown(PLENTY);
    pipeline
}

fn bytes_sent(rows: &[KeptStats], name: &str) -> u64 {
    rows.iter().find(|row| row.name == name).unwrap().bytes_sent
}

/// By policy and by operation the bytes add up to those that came, each with its share.
#[track_caller]
fn assert_shared(pipeline: &Pipeline, came: usize) {
    for rows in [pipeline.stats_by_policy(), pipeline.stats_by_operation()] {
        let sum: u64 = rows.iter().map(|row| row.bytes_sent).sum();
        assert_eq!(sum, came as u64, "{rows:?}");
    }
    let failed = bytes_sent(&pipeline.stats_by_policy(), "Errors");
    assert_eq!(failed, bytes_sent(&pipeline.stats_by_operation(), "search"));
    let orders = bytes_sent(&pipeline.stats_by_operation(), "order");
    // The long text is the failed trace's own, though it has fewer spans than the orders have.
    assert!(failed > 10_000 && (200..4_000).contains(&orders), "{failed} and {orders}");
}

fn size(request: &Received) -> usize {
    let is_grpc = request.header("content-type") == Some("application/grpc");
    // gRPC puts five bytes before a message.
    request.body.len() - if is_grpc { 5 } else { 0 }
}

#[test]
fn they_are_the_bodies_of_the_requests_whatever_the_protocol() {
    for protocol in [OtlpProtocol::HttpProtobuf, OtlpProtocol::HttpJson, OtlpProtocol::Grpc] {
        let server = match protocol {
            OtlpProtocol::Grpc => Server::grpc(|_| Reply::code(0)),
            _ => Server::http(|_| Reply::ok()),
        };
        let path = if protocol == OtlpProtocol::Grpc { "" } else { "/v1/traces" };
        let exporter = at(&server).with_endpoint(server.url(path)).with_protocol(protocol);
        let pipeline = run(exporter.build().unwrap(), DeliveryConfig::default());
        assert_shared(&pipeline, server.so_far().iter().map(size).sum());
    }
}

#[test]
fn they_are_counted_before_compression() {
    let server = Server::http(|_| Reply::ok());
    let pipeline = run(at(&server).with_gzip(true).build().unwrap(), DeliveryConfig::default());
    let came: usize = server.so_far().iter().map(size).sum();
    assert!(came < 5_000, "{came}");
    assert!(bytes_sent(&pipeline.stats_by_policy(), "Errors") > 10_000);
}

#[test]
fn a_request_that_the_peer_did_not_take_counts_nothing() {
    let server = Server::replies(Speaks::Http, [Reply::status(503), Reply::ok()]);
    let pipeline = run(at(&server).build().unwrap(), DeliveryConfig::default());
    let requests = server.so_far();
    assert!(requests.len() > 1, "the first was not taken");
    assert_shared(&pipeline, requests.iter().skip(1).map(size).sum());

    let server = Server::http(|_| Reply::status(400));
    let pipeline = run(at(&server).build().unwrap(), DeliveryConfig::default());
    assert!(pipeline.stats_by_policy().iter().all(|row| row.bytes_sent == 0));
}

#[test]
fn an_exporter_with_a_queue_of_its_own_counts_for_the_pipeline() {
    let server = Server::http(|_| Reply::ok());
    let exporter = AsyncExporter::new(at(&server).build().unwrap());
    let pipeline = run(exporter, DeliveryConfig::default());
    assert_shared(&pipeline, server.so_far().iter().map(size).sum());
}

#[test]
fn the_parts_of_a_trace_that_is_larger_than_the_queue_count_under_its_operation() {
    let server = Server::http(|_| Reply::ok());
    let config = DeliveryConfig::default().with_max_queued_bytes(4_000);
    let pipeline = run(at(&server).build().unwrap(), config);
    let rows = pipeline.stats_by_operation();
    assert_eq!(rows.len(), 2, "{rows:?}");
    let came: usize = server.so_far().iter().map(size).sum();
    assert_eq!(rows.iter().map(|row| row.bytes_sent).sum::<u64>(), came as u64);
}
