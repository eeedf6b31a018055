//! A service whose traces somebody wants to have: those that failed, those that were slow, and one
//! in a hundred of the rest. `benches/whole_pipeline.sh` runs it and says what it costs.
//!
//! `whole_pipeline peer|swap|ours|own URL TRACES` makes the traces, sends them by gRPC and prints the CPU
//! time of the process in milliseconds. `peer` sends all to a collector; `ours` decides by itself and
//! sends what is kept to Jaeger; `swap` does too, as the span processor of the peer's set-up.
//! `whole_pipeline count ADDRESS SERVICE` prints how many traces of each
//! sort Jaeger has of a service, and how many spans.

use std::error::Error;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;
use std::{env, fs};

use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, SdkTracerProvider, SpanData,
};
use tailtrace::export::OtlpProtocol;
use tailtrace::otel::TailSpanProcessor;
use tailtrace::{Errors, Fraction, OtlpExporter, Pipeline, SlowerThan, TailSampler};
use tracing::{error, info, info_span};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

type Outcome = Result<(), Box<dyn Error>>;

const THREADS: usize = 4;
/// What counts as slow, also in `benches/servers/collector.yaml`.
const SLOW: Duration = Duration::from_millis(50);
/// The spans of a trace.
const SPANS: usize = 10;
/// Longer than anything here takes.
const PLENTY: Duration = Duration::from_secs(300);

fn main() -> Outcome {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["peer", url, traces] => peer(url, traces.parse()?),
        ["swap", url, traces] => swap(url, traces.parse()?),
        ["ours", url, traces] => ours(url, traces.parse()?),
        ["own", url, traces] => own_subscriber(url, traces.parse()?),
        ["count", address, service] => count(address, service),
        _ => Err("usage: whole_pipeline peer|swap|ours URL TRACES | count ADDRESS SERVICE".into()),
    }
}

/// The spans of this program, and not those of the libraries that send them.
fn own() -> Targets {
    Targets::new().with_target("whole_pipeline", tracing::Level::INFO)
}

/// Our tail and what it keeps, on the way to Jaeger.
fn pipeline(service: &str, url: &str) -> Result<Pipeline, Box<dyn Error>> {
    let tail = TailSampler::new().keep(Errors).keep(SlowerThan(SLOW)).keep(Fraction::new(0.01)?);
    let exporter =
        OtlpExporter::builder().with_protocol(OtlpProtocol::Grpc).with_endpoint(url).build()?;
    Ok(Pipeline::builder(service).with_tail(tail).with_exporter(exporter).start()?)
}

/// Nothing may be missing when the time is taken.
fn account(pipeline: &Pipeline, traces: usize) -> Outcome {
    let stats = pipeline.stats();
    if stats.lost() > 0 || stats.started != (traces * SPANS) as u64 {
        return Err(format!("spans were lost, so the numbers would lie:\n{stats}").into());
    }
    println!("{}", cpu_millis()?);
    Ok(())
}

fn ours(url: &str, traces: usize) -> Outcome {
    let pipeline = pipeline("ours", url)?;
    tracing_subscriber::registry().with(pipeline.layer().with_filter(own())).init();
    serve(traces);
    pipeline.shutdown(PLENTY)?;
    account(&pipeline, traces)
}

fn own_subscriber(url: &str, traces: usize) -> Outcome {
    let pipeline = pipeline("own", url)?;
    pipeline.subscriber().with_filter(own()).init();
    serve(traces);
    pipeline.shutdown(PLENTY)?;
    account(&pipeline, traces)
}

fn swap(url: &str, traces: usize) -> Outcome {
    let pipeline = pipeline("swap", url)?;
    let provider =
        SdkTracerProvider::builder().with_span_processor(TailSpanProcessor::new(&pipeline)).build();
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("whole_pipeline"));
    tracing_subscriber::registry().with(layer.with_filter(own())).init();
    serve(traces);
    provider.shutdown_with_timeout(PLENTY)?;
    account(&pipeline, traces)
}

fn peer(url: &str, traces: usize) -> Outcome {
    // The exporter wants a runtime around it.
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let _inside = runtime.enter();
    let exporter = SpanExporter::builder().with_tonic().with_endpoint(url).build()?;
    let sent = Arc::new(AtomicUsize::new(0));
    // With the default queue of 2,048 spans it would lose some, and look cheap.
    let patient = BatchConfigBuilder::default().with_max_queue_size(traces * SPANS).build();
    let processor =
        BatchSpanProcessor::builder(Counted { inner: exporter, sent: Arc::clone(&sent) })
            .with_batch_config(patient)
            .build();
    let provider = SdkTracerProvider::builder()
        .with_resource(Resource::builder_empty().with_service_name("peer").build())
        .with_span_processor(processor)
        .build();
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("whole_pipeline"));
    tracing_subscriber::registry().with(layer.with_filter(own())).init();
    serve(traces);
    provider.shutdown_with_timeout(PLENTY)?;
    let sent = sent.load(Ordering::Relaxed);
    if sent != traces * SPANS {
        return Err(format!("{sent} spans were sent, so the numbers would lie").into());
    }
    println!("{}", cpu_millis()?);
    Ok(())
}

/// Counts the spans that arrived.
#[derive(Debug)]
struct Counted {
    inner: SpanExporter,
    sent: Arc<AtomicUsize>,
}

impl opentelemetry_sdk::trace::SpanExporter for Counted {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len();
        self.inner.export(batch).await?;
        self.sent.fetch_add(spans, Ordering::Relaxed);
        Ok(())
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.inner.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.inner.set_resource(resource);
    }
}

fn serve(traces: usize) {
    thread::scope(|scope| {
        for first in 0..THREADS {
            scope.spawn(move || (first..traces).step_by(THREADS).for_each(request));
        }
    });
}

/// A request of ten spans. One in a hundred fails, one in a hundred is slow.
fn request(number: usize) {
    // Told to the one who counts; no policy looks at it.
    let sort = match number % 100 {
        13 => "failed",
        57 => "slow",
        _ => "plain",
    };
    let _root = info_span!(
        "POST /orders/{id}",
        otel.kind = "server",
        http.request.method = "POST",
        http.route = "/orders/{id}",
        order.id = number,
        sort
    )
    .entered();
    {
        let _span = info_span!("authenticate", user.id = number % 1_000).entered();
        let _inner = info_span!("cache.get", db.system.name = "redis", hit = true).entered();
    }
    for line in 0..3 {
        let _span = info_span!("reserve", sku = line, quantity = 2).entered();
        let statement = "UPDATE stock SET reserved = reserved + $1 WHERE sku = $2";
        let _inner =
            info_span!("db.query", otel.kind = "client", db.query.text = statement).entered();
        if sort == "slow" && line == 2 {
            thread::sleep(SLOW + Duration::from_millis(10));
        }
    }
    let _span = info_span!("charge_card", amount = 12.5, currency = "EUR").entered();
    if sort == "failed" {
        error!(code = 402, "card declined");
    } else {
        info!(receipt = number, "charged");
    }
}

/// The CPU time of this process so far. Linux counts it in hundredths of a second.
fn cpu_millis() -> Result<u64, Box<dyn Error>> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    // The name, in parentheses, may have blanks. Fields 14 and 15 are user and system time.
    let fields = stat.rsplit_once(')').ok_or("no name in /proc/self/stat")?.1;
    let times = fields.split_whitespace().skip(11).take(2).map(str::parse::<u64>);
    Ok(times.sum::<Result<u64, _>>()? * 10)
}

fn count(address: &str, service: &str) -> Outcome {
    let mut stream = TcpStream::connect(address)?;
    write!(
        stream,
        "GET /api/v3/traces?query.service_name={service}&query.num_traces=200000\
         &query.start_time_min=2000-01-01T00:00:00Z&query.start_time_max=2100-01-01T00:00:00Z \
         HTTP/1.0\r\n\r\n"
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    // Only roots have a sort, and there is one root in a trace.
    let of_sort = |sort| {
        let tag = format!("{{\"key\":\"sort\",\"value\":{{\"stringValue\":\"{sort}\"}}}}");
        answer.matches(&tag).count()
    };
    let [failed, slow, plain] = ["failed", "slow", "plain"].map(of_sort);
    println!("{failed} {slow} {plain} {}", answer.matches("\"spanId\":").count());
    Ok(())
}
