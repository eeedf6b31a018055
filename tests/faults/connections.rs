//! Connections that die without a sign, links that are slow, and peers behind something.

use std::time::Duration;

use tailtrace::export::{Batch, ExportError, OtlpProtocol};
use tailtrace::testing::{span, trace};
use tailtrace::{Exporter, OtlpExporter, Trace};
use tokio::runtime::{Builder, Runtime};

use super::relay::{Carries, Relay};
use super::server::{Reply, Server, Speaks};

/// An exporter with the runtime that delivery would give it.
struct Caller {
    runtime: Runtime,
    exporter: Box<dyn Exporter>,
}

impl Caller {
    fn new(exporter: impl Exporter + 'static) -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        Self { runtime, exporter: Box::new(exporter) }
    }

    fn export(&self, batch: Batch) -> Result<(), ExportError> {
        self.runtime.block_on(self.exporter.export(batch))
    }
}

const BOTH: [Speaks; 2] = [Speaks::Http, Speaks::Grpc];
/// Long enough for an answer on a busy machine.
const LIMIT: Duration = Duration::from_secs(1);

fn server(speaks: Speaks) -> Server {
    Server::start(speaks, move |_| match speaks {
        Speaks::Http => Reply::ok(),
        Speaks::Grpc => Reply::code(0),
    })
}

fn caller(speaks: Speaks, relay: &Relay, limit: Duration) -> Caller {
    let protocol = match speaks {
        Speaks::Http => OtlpProtocol::HttpProtobuf,
        Speaks::Grpc => OtlpProtocol::Grpc,
    };
    let builder = OtlpExporter::builder().with_protocol(protocol).with_timeout(limit);
    Caller::new(builder.with_base_endpoint(relay.url("")).build().unwrap())
}

fn one() -> Batch {
    Batch::from(trace(span("op")))
}

#[test]
fn a_connection_that_died_without_a_sign_costs_one_try() {
    for speaks in BOTH {
        let server = server(speaks);
        let relay = Relay::start(server.address, |_| Carries::ALL);
        let caller = caller(speaks, &relay, LIMIT);
        caller.export(one()).unwrap();
        relay.stall();
        assert!(caller.export(one()).unwrap_err().is_retryable());
        caller.export(one()).unwrap();
        assert_eq!((relay.connections(), server.so_far().len()), (2, 2));
    }
}

#[test]
fn an_answer_that_stops_half_way_costs_one_try() {
    for speaks in BOTH {
        let server = server(speaks);
        let relay = Relay::start(server.address, |number| match number {
            0 => Carries { answers: 10, ..Carries::ALL },
            _ => Carries::ALL,
        });
        let caller = caller(speaks, &relay, LIMIT);
        assert!(caller.export(one()).unwrap_err().is_retryable());
        caller.export(one()).unwrap();
        assert_eq!(relay.connections(), 2);
    }
}

#[test]
fn an_answer_that_drips_costs_one_try() {
    for speaks in BOTH {
        let server = server(speaks);
        let relay = Relay::start(server.address, |number| match number {
            0 => Carries { answers: 0, drips: true, ..Carries::ALL },
            _ => Carries::ALL,
        });
        let caller = caller(speaks, &relay, LIMIT);
        assert!(caller.export(one()).unwrap_err().is_retryable());
        caller.export(one()).unwrap();
        assert_eq!(relay.connections(), 2);
    }
}

#[test]
fn without_a_time_limit_a_dead_call_by_http_2_is_noticed() {
    let server = server(Speaks::Grpc);
    let relay = Relay::start(server.address, |_| Carries::ALL);
    let caller = caller(Speaks::Grpc, &relay, Duration::ZERO);
    caller.export(one()).unwrap();
    relay.stall();
    assert!(caller.export(one()).unwrap_err().is_retryable());
    caller.export(one()).unwrap();
    // Probes have no spans.
    let spans: usize = server.so_far().iter().map(|seen| seen.names().len()).sum();
    assert_eq!(spans, 2);
}

/// A peer that hears two connections and answers none, and answers the third.
fn resumes(speaks: Speaks, exporter: impl FnOnce(&Relay) -> Box<dyn Exporter>) {
    let server = server(speaks);
    let relay = Relay::start(server.address, |number| match number {
        0 | 1 => Carries { answers: 0, ..Carries::ALL },
        _ => Carries::ALL,
    });
    let caller = Caller::new(exporter(&relay));
    let error = caller.export(one()).unwrap_err();
    let told = error.to_string();
    assert!(told.contains("was away, and does not answer what it was sent before"), "{told}");
    assert_eq!((error.is_retryable(), error.retry_after()), (true, Some(Duration::ZERO)));
    caller.export(error.into_left().unwrap()).unwrap();
    // One of the request that was forgotten, two of probes.
    assert_eq!(relay.connections(), 4);
}

#[test]
fn a_peer_that_hung_and_is_back_has_its_spans_long_before_the_time_limit() {
    let far = Duration::from_secs(600);
    std::thread::scope(|scope| {
        for protocol in [OtlpProtocol::HttpProtobuf, OtlpProtocol::HttpJson, OtlpProtocol::Grpc] {
            let is_grpc = protocol == OtlpProtocol::Grpc;
            let speaks = if is_grpc { Speaks::Grpc } else { Speaks::Http };
            let builder = OtlpExporter::builder().with_protocol(protocol).with_timeout(far);
            scope.spawn(move || {
                resumes(speaks, |relay| {
                    Box::new(builder.with_base_endpoint(relay.url("")).build().unwrap())
                });
            });
        }
        #[cfg(feature = "jaeger")]
        scope.spawn(|| {
            resumes(Speaks::Http, |relay| {
                let builder = tailtrace::JaegerExporter::builder().with_timeout(far);
                Box::new(builder.with_endpoint(relay.url("/v1/traces")).build().unwrap())
            });
        });
        #[cfg(feature = "zipkin")]
        scope.spawn(|| {
            resumes(Speaks::Http, |relay| {
                let builder = tailtrace::ZipkinExporter::builder().with_timeout(far);
                Box::new(builder.with_endpoint(relay.url("/api/v2/spans")).build().unwrap())
            });
        });
    });
}

fn large_trace(spans: usize) -> Trace {
    let text = "x".repeat(300);
    let child = |number: usize| span(format!("{number}")).tag("text", &*text);
    trace((1..spans).fold(child(0), |root, number| root.child(child(number))))
}

/// A link that carries 64 KiB in the time of a request, and a batch of more than three times that.
#[test]
fn a_link_too_slow_for_a_batch_gets_smaller_requests_and_every_span_once() {
    const SPANS: usize = 700;
    for speaks in BOTH {
        let server = server(speaks);
        let slow = Carries { requests: 64 * 1024, ..Carries::ALL };
        let relay = Relay::start(server.address, move |_| slow);
        let caller = caller(speaks, &relay, LIMIT);
        let mut left = Some(Batch::from(large_trace(SPANS)));
        let mut tries = 0;
        while let Some(batch) = left.take() {
            tries += 1;
            assert!(tries < 60, "it comes to an end");
            if let Err(error) = caller.export(batch) {
                left = error.into_left();
            }
        }
        let mut arrived: Vec<_> = server.so_far().iter().flat_map(|seen| seen.names()).collect();
        assert_eq!(arrived.len(), SPANS);
        arrived.sort();
        arrived.dedup();
        assert_eq!(arrived.len(), SPANS, "a span came twice");
    }
}

#[test]
fn a_proxy_opens_a_tunnel_for_grpc_and_passes_requests_by_http_on() {
    let server = server(Speaks::Grpc);
    let proxy = Relay::proxy(server.address);
    let builder = OtlpExporter::builder()
        .with_protocol(OtlpProtocol::Grpc)
        .with_endpoint("http://collector.example")
        .with_proxy(proxy.url("").replace("http://", "http://user:pass@"));
    Caller::new(builder.build().unwrap()).export(one()).unwrap();
    let asked = proxy.asked_for().remove(0);
    assert!(asked.starts_with("CONNECT collector.example:80 HTTP/1.1\r\n"), "{asked}");
    assert!(asked.contains("Proxy-Authorization: Basic dXNlcjpwYXNz\r\n"), "{asked}");

    let proxy = self::server(Speaks::Http);
    let builder = OtlpExporter::builder()
        .with_endpoint("http://collector.example/v1/traces")
        .with_proxy(proxy.url("").replace("http://", "http://user:pass@"));
    Caller::new(builder.build().unwrap()).export(one()).unwrap();
    let seen = proxy.next();
    assert_eq!(seen.path, "/v1/traces");
    assert_eq!(seen.header("host"), Some("collector.example"));
    assert_eq!(seen.header("proxy-authorization"), Some("Basic dXNlcjpwYXNz"));
}

#[cfg(unix)]
#[test]
fn a_collector_on_this_machine_is_reached_by_a_socket_of_unix() {
    use std::os::unix::net::UnixListener;

    for (speaks, protocol) in
        [(Speaks::Http, OtlpProtocol::HttpProtobuf), (Speaks::Grpc, OtlpProtocol::Grpc)]
    {
        let server = server(speaks);
        let path =
            std::env::temp_dir().join(format!("tailtrace-{}-{protocol:?}", std::process::id()));
        let _ = std::fs::remove_file(&path);
        let listener = UnixListener::bind(&path).unwrap();
        let address = server.address;
        std::thread::spawn(move || {
            let (socket, _) = listener.accept().unwrap();
            let tcp = std::net::TcpStream::connect(address).unwrap();
            let mut back = (tcp.try_clone().unwrap(), socket.try_clone().unwrap());
            std::thread::spawn(move || std::io::copy(&mut back.0, &mut back.1));
            let _ = std::io::copy(&mut &socket, &mut &tcp);
        });
        let url = format!("unix:{}", path.display());
        let builder = OtlpExporter::builder().with_protocol(protocol).with_endpoint(url);
        Caller::new(builder.build().unwrap()).export(one()).unwrap();
        let seen = server.next();
        assert_eq!(seen.names(), ["op"]);
        if speaks == Speaks::Http {
            assert_eq!((&*seen.path, seen.header("host")), ("/v1/traces", Some("localhost")));
        }
        let _ = std::fs::remove_file(&path);
    }
}

#[cfg(feature = "zipkin")]
mod zipkin {
    use tailtrace::ZipkinExporter;

    use super::*;

    fn caller(relay: &Relay) -> Caller {
        let builder = ZipkinExporter::builder().with_timeout(LIMIT);
        Caller::new(builder.with_endpoint(relay.url("/api/v2/spans")).build().unwrap())
    }

    #[test]
    fn a_connection_to_zipkin_that_died_without_a_sign_costs_one_try() {
        let server = server(Speaks::Http);
        let relay = Relay::start(server.address, |_| Carries::ALL);
        let caller = caller(&relay);
        caller.export(one()).unwrap();
        relay.stall();
        assert!(caller.export(one()).unwrap_err().is_retryable());
        caller.export(one()).unwrap();
        assert_eq!(relay.connections(), 2);
    }

    #[test]
    fn a_slow_link_to_zipkin_gets_smaller_requests() {
        let server = server(Speaks::Http);
        let slow = Carries { requests: 128 * 1024, ..Carries::ALL };
        let relay = Relay::start(server.address, move |_| slow);
        let caller = caller(&relay);
        let mut left = Some(Batch::from(large_trace(600)));
        let mut tries = 0;
        while let Some(batch) = left.take() {
            tries += 1;
            assert!(tries < 60, "it comes to an end");
            if let Err(error) = caller.export(batch) {
                left = error.into_left();
            }
        }
        let spans = server.so_far().into_iter().map(|seen| {
            let text = std::str::from_utf8(&seen.body).unwrap();
            text.matches("\"traceId\"").count()
        });
        assert_eq!(spans.sum::<usize>(), 600);
    }
}
