//! OTLP/gRPC: what a call looks like, and what each status leads to.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::Duration;

use flate2::read::GzDecoder;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;
use tailtrace::export::OtlpProtocol;
use tailtrace::testing::{span, trace};
use tailtrace::{OtlpExporter, Trace};

use crate::Caller;
use crate::http::partial;
use crate::server::{Reply, Server, Speaks};

fn batch() -> [Trace; 1] {
    [trace(span("root").child(span("child")))]
}

fn caller(server: &Server) -> Caller {
    Caller::new(
        OtlpExporter::builder().with_protocol(OtlpProtocol::Grpc).with_endpoint(server.url("")),
    )
}

#[derive(Clone, PartialEq, Message)]
struct RetryInfo {
    #[prost(message, optional, tag = "1")]
    retry_delay: Option<Delay>,
}

#[derive(Clone, PartialEq, Message)]
struct Delay {
    #[prost(int64, tag = "1")]
    seconds: i64,
    #[prost(int32, tag = "2")]
    nanos: i32,
}

#[derive(Clone, PartialEq, Message)]
struct Any {
    #[prost(string, tag = "1")]
    type_url: String,
    #[prost(bytes = "vec", tag = "2")]
    value: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
struct Details {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(message, repeated, tag = "3")]
    details: Vec<Any>,
}

fn asking_for(code: i32, seconds: i64, nanos: i32) -> Reply {
    let info = RetryInfo { retry_delay: Some(Delay { seconds, nanos }) };
    let any = |name: &str, value| Any { type_url: format!("type.googleapis.com/{name}"), value };
    let details = vec![
        any("google.rpc.DebugInfo", vec![1, 2, 3]),
        any("google.rpc.RetryInfo", info.encode_to_vec()),
    ];
    let details = Details { code, details }.encode_to_vec();
    Reply::Grpc { code, message: "busy", details, body: Vec::new() }
}

#[test]
fn a_call_names_the_method_and_carries_the_headers_of_the_program() {
    let server = Server::grpc(|_| Reply::code(0));
    let builder = OtlpExporter::builder()
        .with_protocol(OtlpProtocol::Grpc)
        .with_endpoint(server.url("/prefix"));
    let caller = Caller::new(builder.with_header("Api-Key", "secret"));
    caller.export(&batch()).unwrap();
    let heard = server.next();
    let method = "/prefix/opentelemetry.proto.collector.trace.v1.TraceService/Export";
    assert_eq!((&*heard.method, &*heard.path), ("POST", method));
    assert_eq!(heard.header("content-type"), Some("application/grpc"));
    assert_eq!(heard.header("te"), Some("trailers"));
    assert_eq!(heard.header("api-key"), Some("secret"));
    assert_eq!(heard.header("grpc-encoding"), None);
    assert!(heard.header("grpc-timeout").is_some());
    let version = env!("CARGO_PKG_VERSION");
    let agent = format!("tailtrace/{version} OTel-OTLP-Exporter-Rust/{version}");
    assert_eq!(heard.header("user-agent"), Some(&*agent));
    assert_eq!(heard.body[0], 0);
    assert_eq!(heard.names(), ["root", "child"]);
}

#[test]
fn without_a_limit_the_peer_is_told_of_none() {
    let server = Server::grpc(|_| Reply::code(0));
    let builder =
        OtlpExporter::builder().with_protocol(OtlpProtocol::Grpc).with_endpoint(server.url(""));
    Caller::new(builder.with_timeout(Duration::ZERO)).export(&batch()).unwrap();
    assert_eq!(server.next().header("grpc-timeout"), None);
}

#[test]
fn a_compressed_call_holds_the_same() {
    let server = Server::grpc(|_| Reply::code(0));
    let builder =
        OtlpExporter::builder().with_protocol(OtlpProtocol::Grpc).with_endpoint(server.url(""));
    Caller::new(builder.with_gzip(true)).export(&batch()).unwrap();
    let heard = server.next();
    assert_eq!((heard.header("grpc-encoding"), heard.body[0]), (Some("gzip"), 1));
    let mut plain = Vec::new();
    GzDecoder::new(&heard.body[5..]).read_to_end(&mut plain).unwrap();
    let message = ExportTraceServiceRequest::decode(&*plain).unwrap();
    assert_eq!(message.resource_spans[0].scope_spans[0].spans.len(), 2);
}

#[test]
fn one_connection_serves_one_call_after_the_other() {
    let server = Server::grpc(|_| Reply::code(0));
    let caller = caller(&server);
    for _ in 0..3 {
        caller.export(&batch()).unwrap();
        assert_eq!(server.next().connection, 0);
    }
}

#[test]
fn each_status_has_its_fate() {
    for code in 1..=16 {
        let server = Server::replies(Speaks::Grpc, [Reply::code(code)]);
        let error = caller(&server).refused(&batch());
        assert_eq!(error.is_retryable(), [1, 4, 10, 11, 14, 15].contains(&code), "{error}");
        assert_eq!(error.retry_after(), None);
        assert!(error.to_string().starts_with(&server.url(" answered ")), "{error}");
        assert_eq!(server.so_far().len(), 1, "it was sent once");
    }
}

#[test]
fn the_wait_that_the_peer_asks_for_is_passed_on() {
    for code in [8, 14] {
        let server = Server::replies(Speaks::Grpc, [asking_for(code, 2, 500_000_000)]);
        let error = caller(&server).refused(&batch());
        assert!(error.is_retryable() && !error.to_string().contains("busy"), "{error}");
        assert_eq!(error.retry_after(), Some(Duration::from_millis(2_500)));
    }
    let server = Server::replies(Speaks::Grpc, [asking_for(3, 2, 0)]);
    assert!(!caller(&server).refused(&batch()).is_retryable());
    let server = Server::replies(Speaks::Grpc, [asking_for(14, -2, 0)]);
    assert_eq!(caller(&server).refused(&batch()).retry_after(), Some(Duration::ZERO));
}

#[test]
fn spans_that_were_rejected_are_counted_and_not_sent_again() {
    let reply = Reply::code(0).with_body(partial(1, "too old"));
    let server = Server::replies(Speaks::Grpc, [reply]);
    let error = caller(&server).refused(&batch());
    assert_eq!((error.rejected_spans(), error.is_retryable()), (Some(1), false));
    let remark = Reply::code(0).with_body(partial(0, "hello"));
    let server = Server::replies(Speaks::Grpc, [remark]);
    caller(&server).export(&batch()).unwrap();
}

#[test]
fn a_proxy_that_answers_by_http_is_understood() {
    for (status, retryable) in [
        (400, false),
        (401, false),
        (404, false),
        (429, true),
        (502, true),
        (503, true),
        (504, true),
    ] {
        let server = Server::replies(Speaks::Grpc, [Reply::status(status)]);
        let error = caller(&server).refused(&batch());
        assert_eq!(error.is_retryable(), retryable, "{status}: {error}");
    }
}

#[test]
fn no_answer_in_time_is_tried_again() {
    let server = Server::replies(Speaks::Grpc, [Reply::Hang, Reply::code(0)]);
    let builder =
        OtlpExporter::builder().with_protocol(OtlpProtocol::Grpc).with_endpoint(server.url(""));
    let caller = Caller::new(builder.with_timeout(Duration::from_millis(100)));
    let error = caller.refused(&batch());
    assert!(error.is_retryable() && error.to_string().contains("within 100ms"), "{error}");
    caller.export(&batch()).unwrap();
}

#[test]
fn a_peer_that_nobody_is_says_where_to_look() {
    let free = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap();
    let url = format!("http://{free}");
    let error =
        Caller::new(OtlpExporter::builder().with_protocol(OtlpProtocol::Grpc).with_endpoint(&*url))
            .refused(&batch());
    assert!(error.is_retryable());
    let expected = format!("connection refused at {url}; is a collector listening for OTLP there?");
    assert_eq!(error.to_string(), expected);
}

#[test]
fn a_connection_that_breaks_before_the_answer_is_tried_again() {
    let server = Server::replies(Speaks::Grpc, [Reply::Close, Reply::code(0)]);
    let caller = caller(&server);
    let error = caller.refused(&batch());
    assert!(error.is_retryable() && error.to_string().contains("broke"), "{error}");
    caller.export(&batch()).unwrap();
}

#[test]
fn a_peer_that_takes_http_is_told_of_with_the_way_to_speak_it() {
    // One that knows no HTTP/2 and hangs up, or says so; and one that does, where the path of gRPC is none.
    let silent = Server::http(|_| Reply::ok());
    let http2 = Server::grpc(|_| Reply::status(404));
    let talking = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", talking.local_addr().unwrap());
    let answering = std::thread::spawn(move || {
        let (mut connection, _) = talking.accept().unwrap();
        connection.write_all(b"HTTP/1.1 505 HTTP Version Not Supported\r\n\r\n").unwrap();
        // Until the client has read it.
        let _ = connection.read_to_end(&mut Vec::new());
    });
    for (url, is_retryable) in [(silent.url(""), true), (http2.url(""), false), (url, true)] {
        let builder = OtlpExporter::builder().with_protocol(OtlpProtocol::Grpc);
        let error = Caller::new(builder.with_endpoint(url)).refused(&batch());
        assert_eq!(error.is_retryable(), is_retryable, "{error}");
        let cure = "If it takes HTTP, set OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf, or ";
        assert!(error.to_string().contains(cure), "{error}");
    }
    answering.join().unwrap();
}
