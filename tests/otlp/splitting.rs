//! Batches that take several requests.

use std::time::{Duration, SystemTime};

use tailtrace::delivery::{AsyncExporter, DeliveryConfig};
use tailtrace::export::{Batch, OtlpProtocol};
use tailtrace::model::Resource;
use tailtrace::testing::{SpanFactory, span, trace};
use tailtrace::{Exporter, LogLevel, OtlpExporter, Span, SpanId, Trace, TraceContext, TraceId};

use crate::Caller;
use crate::http::partial;
use crate::server::{Reply, Server, Speaks};

const MOST: usize = 4 * 1024 * 1024;

/// A span of about 256 KiB.
fn large(name: String) -> SpanFactory {
    (0..16).fold(span(name), |span, tag| span.tag(format!("tag.{tag}"), "x".repeat(16 * 1024)))
}

/// A trace of about 10 MiB.
fn large_trace(service: &str, spans: usize) -> Trace {
    let root = (1..spans).fold(large(format!("{service}-0")), |root, number| {
        root.child(large(format!("{service}-{number}")))
    });
    trace(root).with_resource(Resource::new(service))
}

fn caller(server: &Server) -> Caller {
    Caller::new(OtlpExporter::builder().with_endpoint(server.url("/v1/traces")))
}

fn names(service: &str, spans: usize) -> Vec<String> {
    (0..spans).map(|number| format!("{service}-{number}")).collect()
}

#[test]
fn a_large_trace_is_split_and_no_request_exceeds_4_mib() {
    let server = Server::http(|_| Reply::ok());
    caller(&server).export(&[large_trace("a", 40), large_trace("b", 3)]).unwrap();
    let heard = server.so_far();
    assert_eq!(heard.len(), 3);
    for request in &heard {
        assert!(request.body.len() <= MOST);
        for spans in request.message().resource_spans {
            assert!(spans.scope_spans.iter().all(|scope| !scope.spans.is_empty()));
        }
    }
    let all: Vec<String> = heard.iter().flat_map(|request| request.names()).collect();
    assert_eq!(all, [names("a", 40), names("b", 3)].concat());
}

#[test]
fn json_is_split_too() {
    let server = Server::http(|_| Reply::ok());
    let caller = Caller::new(
        OtlpExporter::builder()
            .with_protocol(OtlpProtocol::HttpJson)
            .with_endpoint(server.url("/")),
    );
    caller.export(&[large_trace("a", 20)]).unwrap();
    let heard = server.so_far();
    let bodies: Vec<usize> = heard.iter().map(|request| request.body.len()).collect();
    assert!(bodies.len() == 2 && bodies.iter().all(|len| *len <= MOST), "{bodies:?}");
}

#[test]
fn a_span_that_is_too_large_by_itself_goes_alone() {
    let mut giant = Span::new("giant", TraceContext::new(TraceId::new(), SpanId::new()));
    for _ in 0..128 {
        let text = "x".repeat(16 * 1024);
        giant.log_at(
            SystemTime::now(),
            LogLevel::Info,
            text.clone(),
            [("a", text.clone()), ("b", text)],
        );
    }
    let mut batch = [trace(span("root")), trace(span("last"))];
    batch[0].add_span(giant);
    let server = Server::http(|_| Reply::ok());
    caller(&server).export(&batch).unwrap();
    let names: Vec<_> = server.so_far().iter().map(|request| request.names()).collect();
    assert_eq!(names, [["root"], ["giant"], ["last"]]);
}

#[test]
fn what_has_arrived_is_not_sent_again_when_the_rest_is() {
    let busy = Reply::status(503);
    let replies = [Reply::ok(), busy.clone(), busy.clone(), Reply::ok(), busy, Reply::ok()];
    let server = Server::replies(Speaks::Http, replies);
    let caller = caller(&server);
    let traces = [large_trace("a", 40)];
    let mut batch = Batch::from(&traces[..]);
    for _ in 0..3 {
        batch = caller.export_batch(batch).unwrap_err().into_left().unwrap();
    }
    caller.export_batch(batch).unwrap();
    let heard: Vec<_> = server.so_far().iter().map(|request| request.names()).collect();
    assert_eq!(heard.len(), 6);
    assert!(heard[1] == heard[2] && heard[2] == heard[3] && heard[4] == heard[5]);
    let arrived = [&heard[0][..], &heard[3], &heard[5]].concat();
    assert_eq!(arrived, names("a", 40));
    // The same traces once more are another batch.
    caller.export(&traces).unwrap();
    assert_eq!(server.so_far().len(), 3);
}

#[test]
fn another_batch_after_one_that_was_given_up_is_sent_as_a_whole() {
    let server = Server::replies(Speaks::Http, [Reply::ok(), Reply::status(503), Reply::ok()]);
    let caller = caller(&server);
    assert!(caller.refused(&[large_trace("a", 40)]).is_retryable());
    assert_eq!(server.so_far().len(), 2);
    caller.export(&[large_trace("a", 40)]).unwrap();
    assert_eq!(server.so_far().len(), 3);
}

#[test]
fn a_request_that_is_refused_costs_its_own_spans_only() {
    let replies = [Reply::ok(), Reply::status(400), Reply::status(503), Reply::ok()];
    let server = Server::replies(Speaks::Http, replies);
    let caller = caller(&server);
    let error = caller.refused(&[large_trace("a", 40)]);
    let heard: Vec<_> = server.so_far().iter().map(|request| request.names()).collect();
    assert_eq!(heard.len(), 3);
    assert_eq!(error.rejected_spans(), Some(heard[1].len() as u64));
    assert!(error.to_string().contains("400 Bad Request"), "{error}");
    caller.export_batch(error.into_left().unwrap()).unwrap();
    let rest = server.so_far();
    let names: Vec<_> = rest.iter().map(|request| request.names()).collect();
    assert_eq!(names, [&heard[2][..]]);
}

#[test]
fn what_was_rejected_before_a_failure_is_told_with_it() {
    let some = Reply::ok().with_body(partial(2, "too old"));
    let server = Server::replies(Speaks::Http, [some, Reply::status(503), Reply::ok()]);
    let caller = caller(&server);
    let error = caller.refused(&[large_trace("a", 20)]);
    assert!(error.is_retryable() && error.to_string().contains("rejected 2 of"), "{error}");
    assert_eq!(error.rejected_spans(), Some(2));
    caller.export_batch(error.into_left().unwrap()).unwrap();
}

#[test]
fn what_has_arrived_is_not_sent_again_when_delivery_stops_waiting_for_the_rest() {
    let server = Server::replies(Speaks::Http, [Reply::ok(), Reply::Hang, Reply::ok()]);
    let patient = OtlpExporter::builder().with_endpoint(server.url("/"));
    let exporter = patient.with_timeout(Duration::ZERO).build().unwrap();
    // Long enough for the first request on a slow machine.
    let config = DeliveryConfig::default().with_export_timeout(Duration::from_secs(3));
    let exporter = AsyncExporter::with_config(exporter, config);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(exporter.export(large_trace("a", 30).into())).unwrap();
    let report = exporter.shutdown_within(Duration::from_secs(60)).unwrap();
    assert_eq!((report.sent, report.dropped()), (30, 0));
    let heard: Vec<_> = server.so_far().iter().map(|request| request.names()).collect();
    // What got no answer is sent again, in smaller requests.
    assert!(heard.len() > 3 && heard[2].len() < heard[1].len(), "{heard:?}");
    assert_eq!([&heard[0][..], &heard[2..].concat()].concat(), names("a", 30));
}

#[test]
fn what_has_arrived_is_counted_as_sent_when_the_rest_is_given_up() {
    let server = Server::replies(Speaks::Http, [Reply::ok(), Reply::Hang]);
    let patient = OtlpExporter::builder().with_endpoint(server.url("/"));
    let exporter = AsyncExporter::new(patient.with_timeout(Duration::ZERO).build().unwrap());
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(exporter.export(large_trace("a", 30).into())).unwrap();
    let mut heard = Vec::new();
    while heard.len() < 2 {
        heard.extend(server.so_far());
        std::thread::yield_now();
    }
    let late = exporter.shutdown_within(Duration::from_millis(1)).unwrap_err();
    let accepted = heard[0].names().len() as u64;
    assert_eq!((late.report().sent, late.report().dropped()), (accepted, 30 - accepted));
    assert_eq!(exporter.lost(), 30 - accepted);
}
