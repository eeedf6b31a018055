//! One trace through reqwest, axum and tonic, each instrumented by a crate that is not ours:
//! reqwest-tracing and tower-http. Our layer records their spans; a few functions below carry the
//! trace across the wire. The console draws it; with the address of a Jaeger it goes there:
//! `cargo run -p tailtrace-web-example -- http://127.0.0.1:4317`

use std::time::Duration;

use axum::{BoxError, Router, extract::State, routing::get};
use http::{Extensions, HeaderMap, Request};
use reqwest_middleware::{ClientBuilder, Middleware, Next};
use reqwest_tracing::TracingMiddleware;
use tailtrace::propagation::{CompositePropagator, Extracted, Propagator};
use tailtrace::{ConsoleExporter, OtlpExporter, Pipeline, TraceSpanExt};
use tokio::net::TcpListener;
use tonic::transport::{Channel, Endpoint, Server, server::TcpIncoming};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
use tower::ServiceBuilder;
use tower_http::trace::TraceLayer;
use tracing::{Instrument, Span, info, info_span, level_filters::LevelFilter};
use tracing_subscriber::{Layer, layer::SubscriberExt, util::SubscriberInitExt};

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let shop = Pipeline::builder("shop");
    let pipeline = match std::env::args().nth(1) {
        Some(jaeger) => shop.with_exporter(OtlpExporter::grpc().with_endpoint(jaeger).build()?),
        None => shop.with_exporter(ConsoleExporter::stdout()),
    };
    let pipeline = pipeline.start()?;
    // These crates have spans of their own insides too, at lower levels.
    let layer = pipeline.layer().with_filter(LevelFilter::INFO);
    tracing_subscriber::registry().with(layer).init();

    // The stock: a gRPC service. Any would do; this one comes with tonic.
    let (_, health) = tonic_health::server::health_reporter();
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let stock = Endpoint::from_shared(format!("http://{}", listener.local_addr()?))?;
    let spans = TraceLayer::new_for_grpc().make_span_with(server_span);
    let server = Server::builder().layer(spans).add_service(health);
    tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener).with_nodelay(Some(true))));

    // The shop: an HTTP service that asks the stock.
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let shop = format!("http://{}/orders", listener.local_addr()?);
    let spans = TraceLayer::new_for_http().make_span_with(server_span);
    let routes = Router::new().route("/orders", get(order)).layer(spans);
    let routes = routes.with_state(stock.connect_lazy());
    tokio::spawn(async { axum::serve(listener, routes).await });

    // A customer.
    let client = ClientBuilder::new(reqwest::Client::new());
    let client = client.with(TracingMiddleware::default()).with(Headers).build();
    let visit = info_span!("visit");
    let response = client.get(shop).send().instrument(visit.clone()).await?;
    println!("the shop answers {:?}", response.text().await?);
    println!("trace {}", visit.trace_id().ok_or("the visit was not recorded")?);
    drop(visit);
    // Long enough for a Jaeger that has just been started, too.
    pipeline.shutdown(Duration::from_secs(30))?;
    Ok(())
}

async fn order(State(stock): State<Channel>) -> String {
    let client = TraceLayer::new_for_grpc().make_span_with(client_span);
    let stock = ServiceBuilder::new().layer(client).map_request(told).service(stock);
    let answer = HealthClient::new(stock).check(HealthCheckRequest::default()).await;
    info!(?answer, "the stock has answered");
    answer
        .map_or_else(|error| error.to_string(), |answer| format!("{:?}", answer.get_ref().status()))
}

/// The span of a request that came in; its parent stands in the headers.
fn server_span<B>(request: &Request<B>) -> Span {
    let span = info_span!("server", otel.name = request.uri().path(), otel.kind = "server");
    let mut found = Extracted::default();
    CompositePropagator::default().extract(request.headers(), &mut found);
    if let Some(caller) = found.into_context() {
        let _ = span.set_parent(caller); // Fails only where nobody records.
    }
    span
}

fn client_span<B>(request: &Request<B>) -> Span {
    info_span!("client", otel.name = request.uri().path(), otel.kind = "client")
}

fn told<B>(mut request: Request<B>) -> Request<B> {
    tell(request.headers_mut());
    request
}

/// Tells the receiver of a request about the current span.
fn tell(headers: &mut HeaderMap) {
    if let Some(context) = Span::current().context() {
        CompositePropagator::default().inject(&context, headers);
    }
}

struct Headers;

#[async_trait::async_trait]
impl Middleware for Headers {
    async fn handle(
        &self,
        mut request: reqwest::Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> reqwest_middleware::Result<reqwest::Response> {
        tell(request.headers_mut());
        next.run(request, extensions).await
    }
}
