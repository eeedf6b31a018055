//! Accounts that say what happened, and no more.

use std::time::Duration;

use tailtrace::delivery::{DeliveryConfig, Retry};
use tailtrace::export::{Batching, OtlpProtocol};
use tailtrace::ledger::Reason;
use tailtrace::{Exporter, OtlpExporter, Pipeline};

use super::server::{Reply, Server, Speaks};
use super::support::PLENTY;

fn pipeline_with(exporter: impl Exporter + 'static) -> Pipeline {
    let retry = Retry::default().with_budget(Duration::from_millis(1));
    // One batch of all, sent by a flush.
    let whole = Batching::default().with_max_spans(usize::MAX).with_max_bytes(usize::MAX);
    let config = DeliveryConfig::default().with_retry(retry);
    Pipeline::builder("test")
        .with_delivery(config.with_batching(whole.with_max_age(Duration::MAX)))
        .with_exporter(exporter)
        .start()
        .unwrap()
}

fn pipeline(server: &Server) -> Pipeline {
    let exporter = OtlpExporter::builder().with_endpoint(server.url("/v1/traces"));
    pipeline_with(exporter.build().unwrap())
}

/// Every exporter that sends a batch in several requests, to a peer that answers the first one and is busy then.
fn each_exporter(first: Answered, check: impl Fn(&Pipeline, &Server)) {
    let otlp = |protocol, speaks| {
        let server = server(speaks, first);
        let builder = OtlpExporter::builder().with_protocol(protocol);
        let exporter = builder.with_base_endpoint(server.url("")).build().unwrap();
        check(&pipeline_with(exporter), &server);
    };
    otlp(OtlpProtocol::HttpProtobuf, Speaks::Http);
    otlp(OtlpProtocol::HttpJson, Speaks::Http);
    otlp(OtlpProtocol::Grpc, Speaks::Grpc);
    #[cfg(feature = "jaeger")]
    {
        let server = server(Speaks::Http, first);
        let exporter = tailtrace::JaegerExporter::new(server.url("/v1/traces")).unwrap();
        check(&pipeline_with(exporter), &server);
    }
    #[cfg(feature = "zipkin")]
    {
        let server = server(Speaks::Http, first);
        let exporter = tailtrace::ZipkinExporter::new(server.url("/api/v2/spans")).unwrap();
        check(&pipeline_with(exporter), &server);
    }
}

#[derive(Clone, Copy)]
enum Answered {
    Taken,
    Refused,
}

fn server(speaks: Speaks, first: Answered) -> Server {
    let (taken, refused, busy) = match speaks {
        Speaks::Http => (Reply::ok(), Reply::status(400), Reply::status(503)),
        Speaks::Grpc => (Reply::code(0), Reply::code(3), Reply::code(14)),
    };
    let first = match first {
        Answered::Taken => taken,
        Answered::Refused => refused,
    };
    Server::replies(speaks, [first, busy])
}

const SPANS: u64 = 4_501;

/// Sends a trace that takes several requests in every format.
fn send_large(pipeline: &Pipeline) {
    let root = pipeline.tracer().start_span("root");
    // As long again in JSON, where Zipkin takes more in a request.
    let text = "\"".repeat(1_500);
    for _ in 1..SPANS {
        root.child("child").set_tag("text", &*text);
    }
    drop(root);
    assert!(pipeline.flush(PLENTY).is_err());
}

/// The spans of the first request, by the ids of their trace in whatever format.
fn of_first_request(server: &Server) -> u64 {
    let seen = server.next();
    match seen.header("content-type") {
        Some("application/json") => {
            let text = std::str::from_utf8(&seen.body).unwrap();
            text.matches("\"traceId\"").count() as u64
        }
        _ => seen.names().len() as u64,
    }
}

#[test]
fn what_a_peer_took_before_the_rest_was_given_up_is_no_loss() {
    each_exporter(Answered::Taken, |pipeline, server| {
        send_large(pipeline);
        let taken = of_first_request(server);
        assert!(taken > 1_000 && taken < SPANS, "{taken}");
        let stats = pipeline.stats();
        assert!(stats.balances(), "{stats}");
        let lost = stats.dropped_by(Reason::RetriesExhausted);
        assert_eq!((stats.exported, lost, stats.lost()), (taken, SPANS - taken, lost));
    });
}

#[test]
fn what_a_peer_refused_before_the_rest_was_given_up_is_counted_apart() {
    each_exporter(Answered::Refused, |pipeline, server| {
        send_large(pipeline);
        let refused = of_first_request(server);
        assert!(refused > 1_000 && refused < SPANS, "{refused}");
        let stats = pipeline.stats();
        assert!(stats.balances(), "{stats}");
        let rest = stats.dropped_by(Reason::RetriesExhausted);
        assert_eq!((stats.exported, stats.dropped_by(Reason::Refused)), (0, refused));
        assert_eq!(rest, SPANS - refused);
    });
}

#[test]
fn a_shutdown_after_an_earlier_loss_is_well_and_tells_of_it() {
    let server = Server::replies(Speaks::Http, [Reply::status(400), Reply::ok()]);
    let pipeline = pipeline(&server);
    drop(pipeline.tracer().start_span("lost"));
    assert_eq!(pipeline.flush(PLENTY).unwrap_err().report().dropped(), 1);
    drop(pipeline.tracer().start_span("sent"));
    let report = pipeline.shutdown(PLENTY).unwrap();
    assert_eq!((report.sent, report.dropped(), report.lost_before()), (1, 0, 1));
    assert!(report.to_string().ends_with("; 1 were lost before"), "{report}");
}
