//! What is traced with the macros of `tracing`, sent by OTLP to a server on this machine.
//!
//! Peers get batches as large as ours and a queue in which nothing is lost.

use std::time::Duration;

use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{BatchConfigBuilder, BatchSpanProcessor, SdkTracerProvider};
use tailtrace::export::OtlpProtocol;
use tailtrace::pipeline::PipelineBuilder;
use tailtrace::{OtlpExporter, TraceView, Verdict};
use tracing_subscriber::layer::SubscriberExt;

use super::pipeline;
use super::sdk::Nowhere;
use crate::Job;

/// After how many spans the queues are emptied.
const SETTLE_AFTER: usize = 20_000;

/// Where spans go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum To {
    /// Nowhere: what is left when exporting costs nothing.
    Nowhere,
    Http(u16),
    Grpc(u16),
}

/// How spans come into tailtrace.
#[derive(Clone, Copy, Debug)]
pub enum Door {
    /// By the layer on a registry.
    Layer,
    /// By our own subscriber.
    Subscriber,
}

/// tailtrace, keeping every trace.
pub fn tailtrace(to: To, door: Door, shape: impl Fn() + Send + Sync + 'static) -> Job {
    let keep = |_: &TraceView<'_>| Verdict::keep();
    let (protocol, url) = match to {
        To::Nowhere => return ours(pipeline::builder().with_tail(keep), door, shape),
        To::Http(port) => {
            (OtlpProtocol::HttpProtobuf, format!("http://127.0.0.1:{port}/v1/traces"))
        }
        To::Grpc(port) => (OtlpProtocol::Grpc, format!("http://127.0.0.1:{port}")),
    };
    let exporter = OtlpExporter::builder().with_protocol(protocol).with_endpoint(url).build();
    let exporter = exporter.expect("the address is one");
    let builder = tailtrace::Pipeline::builder("benches").with_tail(keep).with_exporter(exporter);
    ours(builder, door, shape)
}

fn ours(builder: PipelineBuilder, door: Door, shape: impl Fn() + Send + Sync + 'static) -> Job {
    let pipeline = builder.start().expect("this machine starts threads");
    let layer = pipeline.layer();
    let subscriber = pipeline.subscriber();
    let job = Job::new(shape).settling(SETTLE_AFTER, move || {
        let exported = pipeline.flush(Duration::from_secs(60));
        assert!(exported.is_ok(), "spans were lost, which made them cheap");
    });
    match door {
        Door::Layer => job.under(tracing_subscriber::registry().with(layer)),
        Door::Subscriber => job.under(subscriber),
    }
}

/// `opentelemetry-otlp` behind `tracing-opentelemetry`, with the default options of the layer or with
/// everything off that an option can turn off.
pub fn opentelemetry(to: To, is_lean: bool, shape: impl Fn() + Send + Sync + 'static) -> Job {
    // tonic needs a runtime for its connection.
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(1).enable_all().build().expect("there are threads");
    let inside = runtime.enter();
    let provider = match to {
        To::Nowhere => batched(Nowhere),
        To::Http(port) => {
            let url = format!("http://127.0.0.1:{port}/v1/traces");
            let exporter = SpanExporter::builder().with_http().with_endpoint(url).build();
            batched(exporter.expect("the address is one"))
        }
        To::Grpc(port) => {
            let url = format!("http://127.0.0.1:{port}");
            let exporter = SpanExporter::builder().with_tonic().with_endpoint(url).build();
            batched(exporter.expect("the address is one"))
        }
    };
    drop(inside);
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("benches"));
    let layer = if is_lean {
        layer
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_tracked_inactivity(false)
            .with_context_activation(false)
    } else {
        layer
    };
    let subscriber = tracing_subscriber::registry().with(layer);
    Job::new(shape)
        .settling(SETTLE_AFTER, move || {
            let _running = &runtime;
            provider.force_flush().expect("the server takes everything");
        })
        .under(subscriber)
}

fn batched(exporter: impl opentelemetry_sdk::trace::SpanExporter + 'static) -> SdkTracerProvider {
    let config = BatchConfigBuilder::default()
        .with_max_queue_size(2 * SETTLE_AFTER)
        .with_max_export_batch_size(4_096)
        .build();
    let processor = BatchSpanProcessor::builder(exporter).with_batch_config(config).build();
    let resource = Resource::builder().with_service_name("benches").build();
    SdkTracerProvider::builder().with_span_processor(processor).with_resource(resource).build()
}
