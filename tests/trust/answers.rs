//! What a collector, or who took its place, can do to an exporter by its answers.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tailtrace::export::{Batch, OtlpProtocol};
use tailtrace::testing::{span, trace};
use tailtrace::{Exporter, JaegerExporter, OtlpExporter, ZipkinExporter};

/// Answers one request with the beginning, and then with what repeats until the client breaks the connection. Returns
/// how many bytes went out.
fn endless(beginning: Vec<u8>, repeated: &'static [u8]) -> (String, JoinHandle<usize>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let answering = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut reader = stream.try_clone().unwrap();
        // The request is taken from the line, so that the client does not wait for that.
        let reading =
            thread::spawn(move || while reader.read(&mut [0; 4096]).is_ok_and(|n| n > 0) {});
        let sent =
            write_until_broken(&mut stream, &beginning, &repeated.repeat(4096 / repeated.len()));
        reading.join().unwrap();
        sent
    });
    (url, answering)
}

fn write_until_broken(stream: &mut TcpStream, beginning: &[u8], repeated: &[u8]) -> usize {
    let mut sent = 0;
    let mut next = beginning;
    while stream.write_all(next).is_ok() {
        sent += next.len();
        next = repeated;
    }
    sent
}

/// Exports a batch, without any limit of time, to a peer whose answer has no end.
#[track_caller]
fn assert_broken(exporter: &dyn Exporter, sent: JoinHandle<usize>, what: &str) {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().build().unwrap();
    let batch = Batch::from([trace(span("GET"))]);
    let result = runtime.block_on(exporter.export(batch));
    if let Err(error) = result {
        assert!(error.is_retryable(), "{what}: {error}");
    }
    runtime.block_on(exporter.shutdown()).unwrap();
    drop(runtime);
    // The buffers of the system on the way hold some megabytes, of which the client reads nothing more.
    let sent = sent.join().unwrap();
    assert!(sent < 24 * 1024 * 1024, "{what}: {sent} bytes");
}

/// Calls for each exporter that speaks HTTP/1 to a peer of this answer.
fn each_by_http(beginning: &'static [u8], repeated: &'static [u8]) {
    let never = Duration::ZERO;
    for protocol in [OtlpProtocol::HttpProtobuf, OtlpProtocol::HttpJson] {
        let (url, sent) = endless(beginning.to_vec(), repeated);
        let otlp = OtlpExporter::builder().with_protocol(protocol).with_timeout(never);
        assert_broken(&otlp.with_base_endpoint(url).build().unwrap(), sent, "OTLP");
    }
    let (url, sent) = endless(beginning.to_vec(), repeated);
    let jaeger = JaegerExporter::builder().with_endpoint(url + "/v1/traces").with_timeout(never);
    // By its path it is one of HTTP.
    assert_broken(&jaeger.build().unwrap(), sent, "Jaeger");
    let (url, sent) = endless(beginning.to_vec(), repeated);
    let zipkin = ZipkinExporter::builder().with_endpoint(url + "/api/v2/spans");
    assert_broken(&zipkin.with_timeout(never).build().unwrap(), sent, "Zipkin");
}

#[test]
fn answers_that_only_inform_end_by_their_bytes() {
    each_by_http(b"", b"HTTP/1.1 100 Continue\r\n\r\n");
    each_by_http(b"", b"HTTP/1.1 103 Early Hints\r\nlink: </a>; rel=preload\r\n\r\n");
}

#[test]
fn heads_and_bodies_without_an_end_are_not_read_to_it() {
    each_by_http(b"HTTP/1.1 200 OK\r\n", b"x-more: more\r\n");
    each_by_http(b"HTTP/1.1 503 Busy\r\n\r\n", b"busy ");
    // One byte of the body in six of the line.
    each_by_http(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", b"1\r\nx\r\n");
}

/// A frame of HTTP/2.
fn frame(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![0, 0, payload.len() as u8, kind, flags, 0, 0, 0, stream];
    frame.extend(payload);
    frame
}

#[test]
fn a_call_of_grpc_ends_by_the_bytes_of_its_answer() {
    // Of stream 1: the status 100 as a literal, the end of its headers, and not of the stream.
    const INFORMS: &[u8] = &[0, 0, 5, 1, 4, 0, 0, 0, 1, 8, 3, b'1', b'0', b'0'];
    const PING: &[u8] = &[0, 0, 8, 6, 1, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8];
    const SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];
    for repeated in [INFORMS, PING, SETTINGS] {
        let (url, sent) = endless(frame(4, 0, 0, &[]), repeated);
        let grpc = OtlpExporter::builder().with_protocol(OtlpProtocol::Grpc).with_endpoint(&*url);
        assert_broken(&grpc.with_timeout(Duration::ZERO).build().unwrap(), sent, "OTLP");
        let (url, sent) = endless(frame(4, 0, 0, &[]), repeated);
        let jaeger = JaegerExporter::builder().with_endpoint(url).with_timeout(Duration::ZERO);
        assert_broken(&jaeger.build().unwrap(), sent, "Jaeger");
    }
}
