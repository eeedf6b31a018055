//! From the span to the peer: every span arrives once, and the ledger knows of each.

use std::time::Duration;

use tailtrace::delivery::{DeliveryConfig, Retry};
use tailtrace::export::{OtlpExporterBuilder, OtlpProtocol};
use tailtrace::ledger::{Reason, Stats};
use tailtrace::{Fraction, OtlpExporter, Pipeline, SpanId, TailSampler, TraceContext, TraceId};

use crate::http::partial;
use crate::server::{PLENTY, Reply, Server, Speaks};

const TRACES: usize = 500;
const SPANS: usize = 20;
const ALL: u64 = (TRACES * SPANS) as u64;

fn start(builder: OtlpExporterBuilder) -> Pipeline {
    let retry = Retry::default().with_initial(Duration::from_millis(1));
    let config = DeliveryConfig::default().with_retry(retry);
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
                assert_eq!(span.flags & 0x301, 0x101, "sampled, and not called from elsewhere");
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
    let stats = run(OtlpExporter::builder().with_endpoint(server.url("/v1/traces")));
    assert_eq!((stats.exported, stats.failed()), (ALL, 0));
    assert_complete(&server);
}

#[test]
fn a_span_that_was_called_from_another_process_says_so_and_its_children_do_not() {
    let server = Server::http(|_| Reply::ok());
    let all = TailSampler::new().keep(Fraction::new(1.0).unwrap());
    let exporter = OtlpExporter::builder().with_endpoint(server.url("/v1/traces")).build().unwrap();
    let builder = Pipeline::builder("checkout").with_tail(all).with_exporter(exporter);
    let pipeline = builder.start().unwrap();
    let caller = TraceContext::new(TraceId::new(), SpanId::new()).remote();
    let root = pipeline.tracer().start_span_with_context("root", &caller);
    drop(root.child("child"));
    drop(root);
    pipeline.shutdown(PLENTY).unwrap();
    let mut message = server.next().message();
    let spans = message.resource_spans.pop().unwrap().scope_spans.pop().unwrap().spans;
    let told: Vec<_> = spans.iter().map(|span| (&*span.name, span.flags)).collect();
    assert_eq!(told, [("root", 0x301), ("child", 0x101)]);
    assert_eq!(spans[0].parent_span_id, caller.span_id.to_bytes());
    assert!(spans.iter().all(|span| span.trace_state == "ot=th:0"), "{spans:?}");
}

#[test]
fn every_span_arrives_by_grpc() {
    let server = Server::grpc(|_| Reply::code(0));
    let stats = run(OtlpExporter::builder()
        .with_protocol(OtlpProtocol::Grpc)
        .with_endpoint(server.url("")));
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
    let stats = run(OtlpExporter::builder().with_endpoint(server.url("/v1/traces")));
    assert_eq!((stats.exported, stats.failed()), (ALL, 0));
}

#[test]
fn what_is_refused_or_rejected_is_in_the_ledger() {
    let server = Server::replies(Speaks::Http, [Reply::status(400), Reply::ok()]);
    let stats = run(OtlpExporter::builder().with_endpoint(server.url("/v1/traces")));
    let refused = stats.dropped_by(Reason::Refused);
    assert!(refused > 0 && stats.exported + refused == ALL, "{stats}");
    let some = Reply::ok().with_body(partial(3, "too old"));
    let server = Server::replies(Speaks::Http, [some, Reply::ok()]);
    let stats = run(OtlpExporter::builder().with_endpoint(server.url("/v1/traces")));
    assert_eq!((stats.exported, stats.dropped_by(Reason::Refused)), (ALL - 3, 3));
}
