//! The tail decides what is exported; here it keeps everything, so that there is something to compare.

use std::time::Duration;

use opentelemetry_sdk::trace::InMemorySpanExporter;
use swap_tonic::{Result, Stock, connect, filter, tree, visit};
use tailtrace::otel::{self, OtelExporter};
use tailtrace::{Errors, Pipeline, SlowerThan, TailSampler};
use tonic::transport::Server;
use tonic_health::pb::health_server::HealthServer;
use tonic_tracing_opentelemetry::middleware::{client, server};
use tower::ServiceBuilder;
use tracing_subscriber::{Layer, layer::SubscriberExt, util::SubscriberInitExt};

#[tokio::main]
async fn main() -> Result<()> {
    let exporter = InMemorySpanExporter::default(); // In your program, that of OTLP.
    let tail = TailSampler::new().keep(Errors).keep(SlowerThan(Duration::ZERO));
    let pipeline = Pipeline::builder("shop").with_tail(tail);
    let pipeline = pipeline.with_exporter(OtelExporter::new(exporter.clone())).start()?;
    let tracer = otel::install(&pipeline);
    let layer = tracing_opentelemetry::layer().with_tracer(tracer);
    tracing_subscriber::registry().with(layer.with_filter(filter())).init();

    let (incoming, channel) = connect()?;
    let mut server = Server::builder().layer(server::OtelGrpcLayer::default());
    let server = server.add_service(HealthServer::new(Stock));
    tokio::spawn(server.serve_with_incoming(incoming));
    visit(ServiceBuilder::new().layer(client::OtelGrpcLayer).service(channel)).await;

    pipeline.flush(Duration::from_secs(5))?;
    print!("{}", tree(&exporter.get_finished_spans()?));
    Ok(())
}
