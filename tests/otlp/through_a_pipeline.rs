//! From the span to the peer: every span arrives once, and the ledger knows of each.

use std::time::Duration;

use tailtrace::{
    DeliveryConfig, OtlpExporter, OtlpExporterBuilder, Pipeline, Reason, Retry, Stats,
};

use crate::http::partial;
use crate::server::{PLENTY, Reply, Server, Speaks};

const TRACES: usize = 500;
const SPANS: usize = 20;
const ALL: u64 = (TRACES * SPANS) as u64;

fn start(builder: OtlpExporterBuilder) -> Pipeline {
    let retry = Retry { initial: Duration::from_millis(1), ..Retry::default() };
    let config = DeliveryConfig { retry, ..DeliveryConfig::default() };
    let pipeline = Pipeline::builder("checkout").with_delivery(config);
    pipeline.with_exporter(builder.build().unwrap()).start().unwrap()
}

/// Makes all traces, waits until they are gone and returns the account.
fn run(builder: OtlpExporterBuilder) -> Stats {
    let pipeline = start(builder);
    let tracer = pipeline.tracer();
    for number in 0..TRACES {
        let root = tracer.start_span(format!("root {number}"));
        for step in 1..SPANS {
            root.child("step").set_tag("step", step);
        }
    }
    // Its own account may say that spans were rejected; the ledger is what counts here.
    let _ = pipeline.shutdown(PLENTY);
    let stats = pipeline.stats();
    assert!(stats.balances(), "{stats}");
    stats
}

/// The ids of all spans that came, which are as many as there were.
#[track_caller]
fn assert_complete(server: &Server) {
    let mut ids = Vec::new();
    for request in server.so_far() {
        for spans in request.message().resource_spans {
            for span in spans.scope_spans.into_iter().flat_map(|scope| scope.spans) {
                assert_eq!(span.flags, 0x103 & span.flags);
                assert_eq!(span.flags & 1, 1, "kept traces are sampled");
                ids.push((span.trace_id, span.span_id));
            }
        }
    }
    assert_eq!(ids.len() as u64, ALL);
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len() as u64, ALL, "a span came twice");
}

#[test]
fn every_span_arrives_by_http() {
    let server = Server::http(|_| Reply::ok());
    let stats = run(OtlpExporter::http().with_endpoint(server.url("/v1/traces")));
    assert_eq!((stats.exported, stats.failed()), (ALL, 0));
    assert_complete(&server);
}

#[test]
fn every_span_arrives_by_grpc() {
    let server = Server::grpc(|_| Reply::code(0));
    let stats = run(OtlpExporter::grpc().with_endpoint(server.url("")));
    assert_eq!((stats.exported, stats.failed()), (ALL, 0));
    assert_complete(&server);
}

#[test]
fn a_peer_that_fails_now_and_then_gets_every_span_all_the_same() {
    let mut tries = 0;
    let server = Server::http(move |_| {
        tries += 1;
        match tries % 3 {
            0 => Reply::Close,
            1 => Reply::status(503),
            _ => Reply::ok(),
        }
    });
    let stats = run(OtlpExporter::http().with_endpoint(server.url("/v1/traces")));
    assert_eq!((stats.exported, stats.failed()), (ALL, 0));
}

#[test]
fn what_is_refused_or_rejected_is_in_the_ledger() {
    let server = Server::replies(Speaks::Http, [Reply::status(400), Reply::ok()]);
    let stats = run(OtlpExporter::http().with_endpoint(server.url("/v1/traces")));
    let refused = stats.dropped_by(Reason::Refused);
    assert!(refused > 0 && stats.exported + refused == ALL, "{stats}");
    let some = Reply::ok().with_body(partial(3, "too old"));
    let server = Server::replies(Speaks::Http, [some, Reply::ok()]);
    let stats = run(OtlpExporter::http().with_endpoint(server.url("/v1/traces")));
    assert_eq!((stats.exported, stats.dropped_by(Reason::Refused)), (ALL - 3, 3));
}
