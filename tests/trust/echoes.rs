//! What a peer sends back of the secrets in a request to it.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;

use tailtrace::export::{Batch, OtlpProtocol};
use tailtrace::testing::{span, trace};
use tailtrace::{Exporter, OtlpExporter, ZipkinExporter};

use crate::lines::Lines;

/// Exports to a peer that answers with the first line of the request, and returns all that is told of it.
fn told(status: &'static str, exporter: impl FnOnce(String) -> Box<dyn Exporter>) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let answering = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut read = [0; 1024];
        let length = stream.read(&mut read).unwrap();
        let line = String::from_utf8_lossy(&read[..length]).lines().next().unwrap().to_owned();
        let body = match status {
            "200 OK" => format!(r#"{{"partialSuccess":{{"errorMessage":"heard {line}"}}}}"#),
            _ => format!(r#"{{"message":"heard {line}"}}"#),
        };
        let head = format!("HTTP/1.1 {status}\r\ncontent-type: application/json");
        let length = body.len();
        write!(stream, "{head}\r\ncontent-length: {length}\r\n\r\n{body}").unwrap();
    });
    let log = Lines::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(log.clone())
        .finish();
    let result = tracing::subscriber::with_default(subscriber, || {
        let exporter = exporter(url);
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_all().build().unwrap();
        runtime.block_on(exporter.export(Batch::from([trace(span("GET"))])))
    });
    answering.join().unwrap();
    format!("{}{result:?}", log.text())
}

#[test]
fn a_peer_that_repeats_the_request_shows_no_secret_of_its_query() {
    const QUERY: &str = "?api_key=S3CRETKEY&sig=S3CRET%2FSIG";
    for status in ["200 OK", "400 Bad Request", "503 Service Unavailable"] {
        for protocol in [OtlpProtocol::HttpProtobuf, OtlpProtocol::HttpJson] {
            let text = told(status, |url| {
                let otlp = OtlpExporter::builder().with_protocol(protocol);
                Box::new(otlp.with_endpoint(format!("{url}/v1/traces{QUERY}")).build().unwrap())
            });
            assert!(text.contains("heard") && !text.contains("CRET"), "{text}");
        }
        let text = told(status, |url| {
            let zipkin = ZipkinExporter::builder();
            Box::new(zipkin.with_endpoint(format!("{url}/api/v2/spans{QUERY}")).build().unwrap())
        });
        // Of an answer that says yes, this exporter reads nothing.
        assert!(status == "200 OK" || text.contains("heard"), "{text}");
        assert!(!text.contains("CRET"), "{text}");
    }
}
