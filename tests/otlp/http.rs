//! OTLP/HTTP: what a request looks like, and what each answer leads to.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{self, Sender};
use std::thread;
use std::time::Duration;

use flate2::read::GzDecoder;
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use prost::Message;
use tailtrace::export::OtlpProtocol;
use tailtrace::testing::{span, trace};
use tailtrace::{Exporter, OtlpExporter, Trace};

use crate::Caller;
use crate::server::{PLENTY, Reply, Server, Speaks};

fn batch() -> [Trace; 1] {
    [trace(span("root").child(span("child")))]
}

fn caller(server: &Server) -> Caller {
    Caller::new(OtlpExporter::builder().with_endpoint(server.url("/v1/traces")))
}

pub(crate) fn partial(rejected_spans: i64, error_message: &str) -> Vec<u8> {
    let error_message = error_message.to_owned();
    let partial_success = Some(ExportTracePartialSuccess { rejected_spans, error_message });
    ExportTraceServiceResponse { partial_success }.encode_to_vec()
}

#[test]
fn a_request_is_a_post_with_the_headers_of_the_protocol_and_those_of_the_program() {
    let server = Server::http(|_| Reply::ok());
    let builder = OtlpExporter::builder().with_endpoint(server.url("/some/path?key=1"));
    let caller = Caller::new(
        builder
            .with_header("X-Team", "one")
            .with_header("x-team", "two")
            .with_header("Api-Key", "k"),
    );
    caller.export(&batch()).unwrap();
    let heard = server.next();
    assert_eq!((&*heard.method, &*heard.path), ("POST", "/some/path?key=1"));
    assert_eq!(heard.header("content-type"), Some("application/x-protobuf"));
    assert_eq!(heard.header("content-encoding"), None);
    assert_eq!(heard.header("content-length"), Some(&*heard.body.len().to_string()));
    let version = env!("CARGO_PKG_VERSION");
    let agent = format!("tailtrace/{version} OTel-OTLP-Exporter-Rust/{version}");
    assert_eq!(heard.header("user-agent"), Some(&*agent));
    assert_eq!((heard.header("x-team"), heard.header("api-key")), (Some("two"), Some("k")));
    assert_eq!(heard.names(), ["root", "child"]);
}

#[test]
fn json_says_that_it_is_json() {
    let server = Server::http(|_| Reply::ok());
    let caller = Caller::new(
        OtlpExporter::builder()
            .with_protocol(OtlpProtocol::HttpJson)
            .with_base_endpoint(server.url("")),
    );
    caller.export(&batch()).unwrap();
    let heard = server.next();
    assert_eq!(heard.header("content-type"), Some("application/json"));
    assert_eq!(heard.path, "/v1/traces");
}

#[test]
fn a_compressed_request_holds_the_same() {
    let server = Server::http(|_| Reply::ok());
    let builder = OtlpExporter::builder().with_endpoint(server.url("/v1/traces"));
    Caller::new(builder.with_gzip(true)).export(&batch()).unwrap();
    let heard = server.next();
    assert_eq!(heard.header("content-encoding"), Some("gzip"));
    let mut plain = Vec::new();
    GzDecoder::new(&*heard.body).read_to_end(&mut plain).unwrap();
    let message = ExportTraceServiceRequest::decode(&*plain).unwrap();
    assert_eq!(message.resource_spans[0].scope_spans[0].spans.len(), 2);
}

#[test]
fn one_connection_serves_one_request_after_the_other() {
    let server = Server::http(|_| Reply::ok());
    let caller = caller(&server);
    for _ in 0..3 {
        caller.export(&batch()).unwrap();
        assert_eq!(server.next().connection, 0);
    }
}

#[test]
fn a_connection_that_was_closed_meanwhile_is_replaced_without_a_failure() {
    let closing = Reply::ok().with_header("connection", "close");
    let server = Server::replies(Speaks::Http, [closing]);
    let caller = caller(&server);
    for connection in 0..3 {
        caller.export(&batch()).unwrap();
        assert_eq!(server.next().connection, connection);
    }
}

/// Reads one request and answers that all is well.
fn answer_once(stream: &TcpStream) -> io::Result<()> {
    answer(stream, b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
}

/// Reads one request and answers with these bytes.
fn answer(mut stream: &TcpStream, bytes: &[u8]) -> io::Result<()> {
    let mut reader = BufReader::new(stream);
    let (mut line, mut length) = (String::new(), 0);
    while line != "\r\n" {
        line.clear();
        reader.read_line(&mut line)?;
        if let Some(text) = line.to_lowercase().strip_prefix("content-length: ") {
            length = text.trim().parse().map_err(io::Error::other)?;
        }
    }
    io::copy(&mut reader.take(length), &mut io::sink())?;
    stream.write_all(bytes)
}

#[test]
fn a_connection_that_was_closed_while_it_lay_idle_is_replaced_without_a_failure() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url = format!("http://{}/v1/traces", listener.local_addr().unwrap());
    let (close, closing) = mpsc::channel();
    let (tell, closed) = mpsc::channel();
    let server = thread::spawn(move || {
        for stream in listener.incoming().take(3) {
            let stream = stream.unwrap();
            answer_once(&stream).unwrap();
            closing.recv().unwrap();
            drop(stream);
            tell.send(()).unwrap();
        }
    });
    let caller = Caller::new(OtlpExporter::builder().with_endpoint(url));
    for _ in 0..3 {
        caller.export(&batch()).unwrap();
        close.send(()).unwrap();
        closed.recv_timeout(PLENTY).unwrap();
    }
    server.join().unwrap();
}

#[test]
fn each_status_has_its_fate() {
    for status in [200, 202, 204] {
        let server = Server::replies(Speaks::Http, [Reply::status(status)]);
        caller(&server).export(&batch()).unwrap();
    }
    for status in
        [301, 307, 400, 401, 403, 404, 405, 408, 413, 415, 429, 500, 501, 502, 503, 504, 505]
    {
        let server = Server::replies(Speaks::Http, [Reply::status(status)]);
        let error = caller(&server).refused(&batch());
        assert_eq!(error.is_retryable(), [429, 502, 503, 504].contains(&status), "{error}");
        let told = error.to_string();
        assert!(told.contains(&server.url("/v1/traces")) && told.contains(&status.to_string()));
        assert_eq!(server.so_far().len(), 1, "it was sent once");
    }
}

#[test]
fn the_wait_that_the_peer_asks_for_is_passed_on() {
    for status in [429, 503] {
        let busy = Reply::status(status).with_header("retry-after", "7");
        let server = Server::replies(Speaks::Http, [busy]);
        let error = caller(&server).refused(&batch());
        assert_eq!(error.retry_after(), Some(Duration::from_secs(7)));
    }
    // In the past.
    let busy = Reply::status(503).with_header("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT");
    let server = Server::replies(Speaks::Http, [busy]);
    assert_eq!(caller(&server).refused(&batch()).retry_after(), Some(Duration::ZERO));
}

#[test]
fn spans_that_were_rejected_are_counted_and_not_sent_again() {
    let reply = Reply::ok().with_body(partial(1, "too old"));
    let server = Server::replies(Speaks::Http, [reply]);
    let error = caller(&server).refused(&batch());
    assert_eq!((error.rejected_spans(), error.is_retryable()), (Some(1), false));
    let told = error.to_string();
    assert!(told.contains("rejected 1 of 2 spans") && !told.contains("too old"), "{told}");
    let all = Reply::ok().with_body(partial(i64::MAX, "too old"));
    let server = Server::replies(Speaks::Http, [all]);
    let error = caller(&server).refused(&batch());
    assert_eq!((error.rejected_spans(), error.is_retryable()), (None, false));
    let json = r#"{"partialSuccess":{"rejectedSpans":"1","errorMessage":"too old"}}"#;
    let reply = Reply::ok().with_header("content-type", "application/json").with_body(json);
    let server = Server::replies(Speaks::Http, [reply]);
    let caller = Caller::new(
        OtlpExporter::builder()
            .with_protocol(OtlpProtocol::HttpJson)
            .with_endpoint(server.url("/")),
    );
    assert_eq!(caller.refused(&batch()).rejected_spans(), Some(1));
}

#[test]
fn a_remark_of_a_peer_that_took_everything_is_no_failure_and_is_repeated_once_for_who_looks() {
    let reply = Reply::ok().with_body(partial(0, "use a newer version"));
    let server = Server::replies(Speaks::Http, [reply]);
    let caller = caller(&server);
    let (write, lines) = mpsc::channel();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::DEBUG)
        .with_writer(move || Lines(write.clone()))
        .finish();
    tracing::subscriber::with_default(subscriber, || {
        for _ in 0..3 {
            caller.export(&batch()).unwrap();
        }
    });
    let told: Vec<String> = lines.try_iter().filter(|line| line.contains("tailtrace")).collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("DEBUG") && told[0].contains("use a newer version"));
}

/// Hears what a subscriber writes.
struct Lines(Sender<String>);

impl Write for Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let _ = self.0.send(String::from_utf8_lossy(line).into_owned());
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn an_answer_without_end_is_not_read_to_its_end() {
    let endless = Reply::ok().with_body(vec![b'x'; 5 * 1024 * 1024]);
    let server = Server::replies(Speaks::Http, [endless]);
    caller(&server).export(&batch()).unwrap();
}

#[test]
fn what_was_accepted_is_not_sent_again_though_the_rest_of_the_answer_does_not_come() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url = format!("http://{}/v1/traces", listener.local_addr().unwrap());
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        answer(&stream, b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n")?;
        // Until the other side gives up.
        stream.read(&mut [0])
    });
    let timeout = Duration::from_millis(100);
    let caller = Caller::new(OtlpExporter::builder().with_endpoint(url).with_timeout(timeout));
    caller.export(&batch()).unwrap();
    drop(caller);
    assert_eq!(server.join().unwrap().unwrap_or(0), 0);
}

#[test]
fn no_answer_in_time_is_tried_again() {
    let server = Server::replies(Speaks::Http, [Reply::Hang, Reply::ok()]);
    let builder = OtlpExporter::builder().with_endpoint(server.url("/v1/traces"));
    let caller = Caller::new(builder.with_timeout(Duration::from_millis(100)));
    let error = caller.refused(&batch());
    assert!(error.is_retryable() && error.to_string().contains("within 100ms"), "{error}");
    caller.export(&batch()).unwrap();
    assert_eq!((server.next().connection, server.next().connection), (0, 1));
}

#[test]
fn a_peer_that_nobody_is_says_where_to_look() {
    let free = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap();
    let url = format!("http://{free}/v1/traces");
    let caller = Caller::new(OtlpExporter::builder().with_endpoint(&*url));
    let error = caller.refused(&batch());
    assert!(error.is_retryable());
    let expected = format!("connection refused at {url}; is a collector listening for OTLP there?");
    assert_eq!(error.to_string(), expected);
}

#[test]
fn a_connection_that_breaks_before_the_answer_is_tried_again() {
    let server = Server::replies(Speaks::Http, [Reply::Close, Reply::ok()]);
    let caller = caller(&server);
    let error = caller.refused(&batch());
    assert!(error.is_retryable() && error.to_string().contains("broke"), "{error}");
    caller.export(&batch()).unwrap();
}

#[test]
fn a_peer_that_speaks_another_protocol_is_named() {
    let server = Server::grpc(|_| Reply::code(0));
    let error = caller(&server).refused(&batch());
    assert!(error.is_retryable());
    let asked = "does a collector take OTLP by HTTP there? If it takes gRPC, set OTEL_EXPORTER_OTLP_PROTOCOL=grpc, or \
                 `with_protocol(OtlpProtocol::Grpc)` in the program";
    assert!(error.to_string().ends_with(asked), "{error}");
}

#[test]
fn after_the_shutdown_nothing_is_sent() {
    let server = Server::http(|_| Reply::ok());
    let caller = caller(&server);
    caller.export(&batch()).unwrap();
    caller.runtime.block_on(caller.exporter.shutdown()).unwrap();
    assert!(!caller.refused(&batch()).is_retryable());
    assert_eq!(server.so_far().len(), 1);
}

#[cfg(not(feature = "tls"))]
#[test]
fn https_without_the_feature_for_it_is_refused_with_its_name() {
    let error = OtlpExporter::builder().with_endpoint("https://localhost/x").build().unwrap_err();
    let told = error.to_string();
    assert!(told.contains("https://localhost/x") && told.contains("tls-native-roots"), "{told}");
}
