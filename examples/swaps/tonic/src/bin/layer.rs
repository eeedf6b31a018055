//! The second switch: our own layer, and with it our own layers for client and server, which know gRPC.

use std::time::Duration;

use opentelemetry_sdk::trace::InMemorySpanExporter;
use swap_tonic::{Result, Stock, connect, filter, tree, visit};
use tailtrace::layer::http::{HttpClientLayer, HttpServerLayer, or_http};
use tailtrace::{Errors, Pipeline, SlowerThan, TailSampler, otel::OtelExporter};
use tonic::transport::Server;
use tonic_health::pb::health_server::HealthServer;
use tower::ServiceBuilder;
use tracing_subscriber::{Layer, layer::SubscriberExt, util::SubscriberInitExt};

#[tokio::main]
async fn main() -> Result<()> {
    let exporter = InMemorySpanExporter::default(); // In your program, one of this crate's.
    // Client and server are local traces of their own, each with a decision of its own: in a process together, too.
    let tail = TailSampler::new().keep(Errors).keep(SlowerThan(Duration::ZERO));
    let pipeline = Pipeline::builder("shop").with_tail(tail);
    let pipeline = pipeline.with_exporter(OtelExporter::new(exporter.clone())).start()?;
    // The filter names this crate, and the spans of requests pass all the same.
    let layer = pipeline.layer().with_filter(or_http(filter()));
    tracing_subscriber::registry().with(layer).init();

    let (incoming, channel) = connect()?;
    let mut server = Server::builder().layer(HttpServerLayer::new());
    let server = server.add_service(HealthServer::new(Stock));
    tokio::spawn(server.serve_with_incoming(incoming));
    visit(ServiceBuilder::new().layer(HttpClientLayer::new()).service(channel)).await;

    pipeline.flush(Duration::from_secs(5))?;
    print!("{}", tree(&exporter.get_finished_spans()?));
    Ok(())
}
