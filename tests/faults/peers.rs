//! Peers that are not what they seem, and what the operator is told of them.

use std::sync::OnceLock;
use std::time::Duration;

use tailtrace::delivery::{DeliveryConfig, Retry};
use tailtrace::export::OtlpProtocol;
use tailtrace::{Exporter, OtlpExporter, Pipeline};

use super::lines::Lines;
use super::server::{Reply, Server, Speaks};
use super::support::PLENTY;

/// The log of the whole test program, in which each test looks for its own peer: the exporter writes from a
/// thread of its own.
fn log() -> &'static Lines {
    static LOG: OnceLock<Lines> = OnceLock::new();
    LOG.get_or_init(|| {
        let log = Lines::default();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::DEBUG)
            .with_ansi(false)
            .with_writer(log.clone())
            .finish();
        let _ = tracing::subscriber::set_global_default(subscriber);
        log
    })
}

/// The lines of this crate about a peer.
fn lines_about(peer: &str) -> Vec<String> {
    let text = log().text();
    let ours = text.lines().filter(|line| line.contains(" tailtrace: ") && line.contains(peer));
    ours.map(str::to_owned).collect()
}

/// Exports a few traces one by one.
fn export(exporter: impl Exporter + 'static) {
    let retry = Retry::default().with_budget(Duration::from_millis(1));
    let config = DeliveryConfig::default().with_retry(retry);
    let builder = Pipeline::builder("test").with_delivery(config).with_exporter(exporter);
    let pipeline = builder.start().unwrap();
    for _ in 0..3 {
        drop(pipeline.tracer().start_span("op"));
        let _ = pipeline.flush(PLENTY);
    }
    let _ = pipeline.shutdown(PLENTY);
}

/// Exports to a peer that answers with a page; what is told.
fn told_of_a_page(path: &str, exporter: impl FnOnce(String) -> Box<dyn Exporter>) {
    let page = Reply::ok().with_header("content-type", "text/html").with_body("<h1>Log in</h1>");
    let server = Server::replies(Speaks::Http, [page]);
    let peer = server.url(path);
    export(exporter(peer.clone()));
    let lines = lines_about(&peer);
    assert!(lines.len() == 1 && lines[0].contains("WARN"), "{lines:?}");
    assert!(lines[0].contains("HTML") && !lines[0].contains("Log in"), "{lines:?}");
}

#[test]
fn a_page_of_html_in_place_of_an_answer_is_told_once() {
    log();
    for protocol in [OtlpProtocol::HttpProtobuf, OtlpProtocol::HttpJson] {
        let builder = OtlpExporter::builder().with_protocol(protocol);
        told_of_a_page("/v1/traces", |peer| Box::new(builder.with_endpoint(peer).build().unwrap()));
    }
    #[cfg(feature = "jaeger")]
    told_of_a_page("/v1/traces", |peer| Box::new(tailtrace::JaegerExporter::new(peer).unwrap()));
    #[cfg(feature = "zipkin")]
    told_of_a_page("/api/v2/spans", |peer| Box::new(tailtrace::ZipkinExporter::new(peer).unwrap()));
}

#[test]
fn plain_text_beyond_this_machine_is_told_once() {
    log();
    // The proxy is the peer: nothing leaves the machine in a test.
    let proxy = Server::http(|_| Reply::ok());
    let builder = OtlpExporter::builder().with_endpoint("http://far.example:4318/v1/traces");
    export(builder.with_proxy(proxy.url("")).build().unwrap());
    let lines = lines_about("far.example");
    assert!(lines.len() == 1 && lines[0].contains("WARN"), "{lines:?}");
    assert!(lines[0].contains("without TLS"), "{lines:?}");
    assert!(lines_about(&proxy.url("")).is_empty(), "this machine is no one else's");
}

#[test]
fn what_a_peer_says_stands_in_the_log_at_the_level_debug_only() {
    log();
    let refusals = [
        (Speaks::Http, Reply::status(400).with_body("LOUD WORDS")),
        (Speaks::Http, Reply::status(503).with_body("LOUD WORDS")),
        (
            Speaks::Grpc,
            Reply::Grpc { code: 3, message: "LOUD WORDS", details: Vec::new(), body: Vec::new() },
        ),
    ];
    for (speaks, refusal) in refusals {
        let server = Server::replies(speaks, [refusal]);
        let peer = server.url("");
        let protocol = match speaks {
            Speaks::Http => OtlpProtocol::HttpProtobuf,
            Speaks::Grpc => OtlpProtocol::Grpc,
        };
        let builder = OtlpExporter::builder().with_protocol(protocol);
        export(builder.with_base_endpoint(&*peer).build().unwrap());
        let lines = lines_about(&peer);
        let (loud, rest): (Vec<_>, Vec<_>) =
            lines.iter().partition(|line| line.contains("LOUD WORDS"));
        assert!(!loud.is_empty() && loud.iter().all(|line| line.contains("DEBUG")), "{loud:?}");
        assert!(rest.iter().any(|line| line.contains("WARN")), "{rest:?}");
    }
}
