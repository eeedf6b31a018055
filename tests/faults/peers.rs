//! Peers that are not what they seem, and what the operator is told of them.

use std::sync::OnceLock;
use std::time::Duration;

use tailtrace::delivery::{DeliveryConfig, Retry};
use tailtrace::export::OtlpProtocol;
use tailtrace::{Exporter, OtlpExporter, Pipeline};

use super::lines::Lines;
use super::relay::Relay;
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

/// A peer, and how long the log was when it began to listen: another may have had its port before.
struct Watched<'a> {
    peer: &'a str,
    since: usize,
}

impl<'a> Watched<'a> {
    fn new(peer: &'a str) -> Self {
        Self { peer, since: log().text().len() }
    }

    /// The lines of this crate about the peer.
    fn lines(&self) -> Vec<String> {
        let text = log().text();
        let lines = text[self.since..].lines();
        let ours = lines.filter(|line| line.contains(" tailtrace: ") && line.contains(self.peer));
        ours.map(str::to_owned).collect()
    }
}

/// Exports a few traces one by one.
fn export(exporter: impl Exporter + 'static) {
    export_within(Duration::from_millis(1), exporter);
}

fn export_within(budget: Duration, exporter: impl Exporter + 'static) {
    let retry = Retry::default().with_budget(budget);
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
    let watched = Watched::new(&peer);
    export(exporter(peer.clone()));
    let lines = watched.lines();
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
    let collector = Server::grpc(|_| Reply::code(0));
    let tunnel = Relay::proxy(collector.address);
    let url = proxy.url("");
    let watched = Watched::new(&url);
    let http = OtlpExporter::builder().with_endpoint("http://far.example:4318/v1/traces");
    export(http.with_proxy(proxy.url("")).build().unwrap());
    let grpc = OtlpExporter::builder().with_protocol(OtlpProtocol::Grpc);
    let grpc = grpc.with_endpoint("http://far-grpc.example:4317").with_proxy(tunnel.url(""));
    export(grpc.build().unwrap());
    let mut hosts = vec!["far.example", "far-grpc.example"];
    #[cfg(feature = "zipkin")]
    {
        let zipkin = tailtrace::ZipkinExporter::builder().with_proxy(proxy.url(""));
        let zipkin = zipkin.with_endpoint("http://far-zipkin.example:9411/api/v2/spans");
        export(zipkin.build().unwrap());
        hosts.push("far-zipkin.example");
    }
    for host in hosts {
        let lines = Watched { peer: host, since: 0 }.lines();
        assert!(lines.len() == 1 && lines[0].contains("WARN"), "{lines:?}");
        assert!(lines[0].contains("without TLS"), "{lines:?}");
    }
    assert!(watched.lines().is_empty(), "this machine is no one else's");
}

/// An exporter for each protocol, with a peer that answers so.
fn each_exporter(http: &Reply, grpc: &Reply, check: impl Fn(&Watched<'_>, Box<dyn Exporter>)) {
    for protocol in [OtlpProtocol::HttpProtobuf, OtlpProtocol::HttpJson, OtlpProtocol::Grpc] {
        let (speaks, reply) = match protocol {
            OtlpProtocol::Grpc => (Speaks::Grpc, grpc),
            _ => (Speaks::Http, http),
        };
        let server = Server::replies(speaks, [reply.clone()]);
        let peer = server.url("");
        let builder = OtlpExporter::builder().with_protocol(protocol);
        check(&Watched::new(&peer), Box::new(builder.with_base_endpoint(&*peer).build().unwrap()));
    }
    #[cfg(feature = "zipkin")]
    {
        let server = Server::replies(Speaks::Http, [http.clone()]);
        let peer = server.url("/api/v2/spans");
        check(&Watched::new(&peer), Box::new(tailtrace::ZipkinExporter::new(&*peer).unwrap()));
    }
}

#[test]
fn what_a_peer_says_stands_in_the_log_at_the_level_debug_only() {
    log();
    let says =
        |code| Reply::Grpc { code, message: "LOUD WORDS", details: Vec::new(), body: Vec::new() };
    for (status, code) in [(400, 3), (503, 14)] {
        let http = Reply::status(status).with_body("LOUD WORDS");
        each_exporter(&http, &says(code), |peer, exporter| {
            export(exporter);
            let lines = peer.lines();
            let (loud, rest): (Vec<_>, Vec<_>) =
                lines.iter().partition(|line| line.contains("LOUD WORDS"));
            assert!(!loud.is_empty() && loud.iter().all(|line| line.contains("DEBUG")), "{loud:?}");
            assert!(rest.iter().any(|line| line.contains("WARN")), "{rest:?}");
        });
    }
}

#[test]
fn an_exporter_that_begins_to_lose_spans_is_one_line() {
    log();
    for (status, code) in [(400, 3), (503, 14)] {
        each_exporter(&Reply::status(status), &Reply::code(code), |peer, exporter| {
            export_within(Duration::ZERO, exporter);
            let lines = peer.lines();
            assert!(lines.len() == 1 && lines[0].contains("lost spans"), "{lines:?}");
        });
    }
}
