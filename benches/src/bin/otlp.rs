//! Spans delivered by OTLP per second of CPU, for `benches/otlp.sh`.
//!
//! Each row is a process of its own, and so is the server it sends to, so that a row's CPU is that of
//! making spans, encoding them and writing them to a socket, on all its threads. The server counts what
//! arrives: a row that lost spans is no row.

use std::convert::Infallible;
use std::error::Error;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;
use tailtrace_benches::setups::otlp::{self, Door, To};
use tailtrace_benches::shapes::rich::Request as Described;
use tailtrace_benches::shapes::{flat, rich};

type Outcome<T> = Result<T, Box<dyn Error>>;

/// Spans of a trace.
const SIZE: usize = 100;
/// Spans before anything is measured.
const WARM_UP: usize = 40_000;

const LIBRARIES: [&str; 4] =
    ["tailtrace", "tailtrace-subscriber", "opentelemetry", "opentelemetry-lean"];

fn main() -> Outcome<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        ["serve", protocol] => serve(protocol),
        ["row", library, shape, protocol, port, spans] => {
            row(library, shape, protocol, port.parse()?, spans.parse()?)
        }
        [spans] => table(spans.parse()?),
        _ => Err("usage: otlp SPANS".into()),
    }
}

/// All rows, with our ratio to the peers.
fn table(spans: usize) -> Outcome<()> {
    println!(
        "spans per second of CPU, from the macros of tracing to the socket; {spans} spans a row"
    );
    println!("(to nowhere: what is left of it when exporting costs nothing)");
    for shape in ["bare", "rich"] {
        println!(
            "\n{:<6} {:<20} {:>12} {:>12} {:>12}",
            shape, "library", "http", "grpc", "nowhere"
        );
        let mut ours = [0.0; 3];
        for library in LIBRARIES {
            let mut rates = [0.0; 3];
            for (rate, protocol) in rates.iter_mut().zip(["http", "grpc", "nowhere"]) {
                *rate = measured(library, shape, protocol, spans)?;
            }
            let [http, grpc, nowhere] = rates;
            println!("{:<6} {library:<20} {http:>12.0} {grpc:>12.0} {nowhere:>12.0}", "");
            if library == "tailtrace" {
                ours = rates;
            } else {
                let [http, grpc, nowhere] = [0, 1, 2].map(|at| ours[at] / rates[at]);
                println!(
                    "{:<6} {:<20} {http:>11.1}x {grpc:>11.1}x {nowhere:>11.1}x",
                    "", "  ours to that"
                );
            }
        }
    }
    Ok(())
}

/// One row in a process of its own, with a server if it needs one.
fn measured(library: &str, shape: &str, protocol: &str, spans: usize) -> Outcome<f64> {
    let mut server = if protocol == "nowhere" { None } else { Some(Server::start(protocol)?) };
    let port = server.as_ref().map_or(0, |server| server.port).to_string();
    let said = Command::new(std::env::current_exe()?)
        .args(["row", library, shape, protocol, &port, &spans.to_string()])
        .stderr(Stdio::inherit())
        .output()?;
    let seconds: f64 = String::from_utf8(said.stdout)?.trim().parse()?;
    if let Some(server) = server.take() {
        let arrived = server.stop()?;
        if arrived < (spans + WARM_UP) as u64 {
            return Err(
                format!("{library} {shape} {protocol}: only {arrived} spans arrived").into()
            );
        }
    }
    Ok(spans as f64 / seconds)
}

fn row(library: &str, shape: &str, protocol: &str, port: u16, spans: usize) -> Outcome<()> {
    let to = match protocol {
        "http" => To::Http(port),
        "grpc" => To::Grpc(port),
        _ => To::Nowhere,
    };
    let request = Described::default();
    let is_rich = shape == "rich";
    let trace = move || if is_rich { rich::tracing(&request, SIZE) } else { flat::tracing(SIZE) };
    let mut job = match library {
        "tailtrace" => otlp::tailtrace(to, Door::Layer, trace),
        "tailtrace-subscriber" => otlp::tailtrace(to, Door::Subscriber, trace),
        _ => otlp::opentelemetry(to, library.ends_with("lean"), trace),
    };
    job.subscribe_process();
    job.run(WARM_UP / SIZE, SIZE);
    let before = cpu_seconds()?;
    job.run(spans / SIZE, SIZE);
    println!("{}", cpu_seconds()? - before);
    Ok(())
}

/// What this process has used on all its threads. None of them ends while it is measured.
fn cpu_seconds() -> Outcome<f64> {
    let mut nanos = 0;
    for task in std::fs::read_dir("/proc/self/task")? {
        let stat = std::fs::read_to_string(task?.path().join("schedstat"))?;
        nanos += stat.split(' ').next().ok_or("the time comes first")?.parse::<u64>()?;
    }
    Ok(nanos as f64 / 1e9)
}

/// The server process.
struct Server {
    child: Child,
    port: u16,
}

impl Server {
    fn start(protocol: &str) -> Outcome<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(["serve", protocol])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        let stdout = child.stdout.as_mut().ok_or("it has a standard output")?;
        // Unbuffered, so that what follows is still there.
        let mut reader = BufReader::with_capacity(1, stdout);
        reader.read_line(&mut line)?;
        Ok(Self { child, port: line.trim().parse()? })
    }

    /// Ends it; how many spans arrived.
    fn stop(mut self) -> Outcome<u64> {
        drop(self.child.stdin.take());
        let mut said = String::new();
        self.child.stdout.as_mut().ok_or("it has a standard output")?.read_to_string(&mut said)?;
        self.child.wait()?;
        Ok(said.trim().parse()?)
    }
}

/// Takes requests until its standard input ends, then says how many spans they had.
fn serve(protocol: &str) -> Outcome<()> {
    let is_grpc = protocol == "grpc";
    let spans = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&spans);
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0))?;
    listener.set_nonblocking(true)?;
    println!("{}", listener.local_addr()?.port());
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    runtime.spawn(async move {
        let listener = tokio::net::TcpListener::from_std(listener).expect("it is a listener");
        while let Ok((stream, _)) = listener.accept().await {
            let spans = Arc::clone(&spans);
            let answer = service_fn(move |request| answer(request, is_grpc, Arc::clone(&spans)));
            let stream = TokioIo::new(stream);
            tokio::spawn(async move {
                if is_grpc {
                    let server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
                    server.serve_connection(stream, answer).await
                } else {
                    hyper::server::conn::http1::Builder::new()
                        .serve_connection(stream, answer)
                        .await
                }
            });
        }
    });
    std::io::stdin().read_to_end(&mut Vec::new())?;
    println!("{}", counted.load(Ordering::Relaxed));
    Ok(())
}

async fn answer(
    request: Request<Incoming>,
    is_grpc: bool,
    spans: Arc<AtomicU64>,
) -> Result<Response<http_body_util::combinators::BoxBody<Bytes, Infallible>>, hyper::Error> {
    let body = request.into_body().collect().await?.to_bytes();
    let message = if is_grpc { body.slice(5..) } else { body };
    let message = ExportTraceServiceRequest::decode(message).expect("it is a message");
    let scopes = message.resource_spans.iter().flat_map(|spans| &spans.scope_spans);
    let count: usize = scopes.map(|scope| scope.spans.len()).sum();
    spans.fetch_add(count as u64, Ordering::Relaxed);
    let content = if is_grpc { vec![0; 5] } else { Vec::new() };
    let content = Full::new(Bytes::from(content));
    let trailers = async move {
        let mut trailers = HeaderMap::new();
        trailers.insert("grpc-status", HeaderValue::from_static("0"));
        is_grpc.then_some(Ok(trailers))
    };
    let form = if is_grpc { "application/grpc" } else { "application/x-protobuf" };
    let mut response = Response::new(content.with_trailers(trailers).boxed());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(form));
    Ok(response)
}
