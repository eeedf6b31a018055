//! One trace through reqwest, axum and tonic, instrumented by crates that are not ours: the servers by
//! opentelemetry-instrumentation-tower, which speaks OpenTelemetry's API, the clients by reqwest-tracing
//! and tower-http, which speak `tracing`. The console draws the trace; with the address of a Jaeger it
//! goes there: `cargo run -p tailtrace-web-example -- http://127.0.0.1:4317`

use std::time::Duration;

use axum::{BoxError, Router, extract::State, routing::get};
use http::{Extensions, HeaderMap, Request};
use opentelemetry::{Context, global};
use opentelemetry_http::HeaderInjector;
use opentelemetry_instrumentation_tower::http::extractors::PathExtractor;
use opentelemetry_instrumentation_tower::http::server::LayerBuilder;
use reqwest_middleware::{ClientBuilder, Middleware, Next};
use reqwest_tracing::TracingMiddleware;
use tailtrace::{ConsoleExporter, JaegerExporter, Pipeline, TraceSpanExt, otel};
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
        Some(address) => shop.with_exporter(JaegerExporter::new(address)?),
        None => shop.with_exporter(ConsoleExporter::stdout()),
    };
    let pipeline = pipeline.start()?;
    // Both lead into one pipeline, and spans of one are parents of spans of the other. tonic and
    // its kin have spans of their own insides too, at lower levels.
    let layer = pipeline.layer().with_filter(LevelFilter::INFO);
    tracing_subscriber::registry().with(layer).init();
    global::set_tracer_provider(otel::TracerProvider::new(&pipeline));
    global::set_text_map_propagator(otel::Propagator::default());
    let spans = LayerBuilder::builder().with_route_extractor(PathExtractor).build()?;

    // The stock: a gRPC service. Any would do; this one comes with tonic.
    let (_, health) = tonic_health::server::health_reporter();
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let stock = Endpoint::from_shared(format!("http://{}", listener.local_addr()?))?;
    let server = Server::builder().layer(spans.clone()).add_service(health);
    tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener).with_nodelay(Some(true))));

    // The shop: an HTTP service that asks the stock.
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let orders = format!("http://{}/orders", listener.local_addr()?);
    let routes = Router::new().route("/orders", get(order)).layer(spans);
    let routes = routes.with_state(stock.connect_lazy());
    tokio::spawn(async { axum::serve(listener, routes).await });

    // A customer.
    let client = ClientBuilder::new(reqwest::Client::new());
    let client = client.with(TracingMiddleware::default()).with(Headers).build();
    let visit = info_span!("visit");
    let response = client.get(orders).send().instrument(visit.clone()).await?;
    println!("the shop answers {:?}", response.text().await?);
    println!("trace {}", visit.trace_id().ok_or("the visit was not recorded")?);
    drop(visit);
    // Long enough for a Jaeger that has just been started, too.
    pipeline.shutdown(Duration::from_secs(30))?;
    Ok(())
}

async fn order(State(stock): State<Channel>) -> String {
    let spans = TraceLayer::new_for_grpc().make_span_with(|request: &Request<_>| -> Span {
        info_span!("client", otel.name = request.uri().path(), otel.kind = "client")
    });
    let told = |mut request: Request<_>| {
        tell(request.headers_mut());
        request
    };
    let stock = ServiceBuilder::new().layer(spans).map_request(told).service(stock);
    let answer = HealthClient::new(stock).check(HealthCheckRequest::default()).await;
    info!(?answer, "the stock has answered");
    let status = answer.map(|answer| format!("{:?}", answer.get_ref().status()));
    status.unwrap_or_else(|error| error.to_string())
}

/// Tells the receiver of a request about the current span, made by `tracing` or by OpenTelemetry.
fn tell(headers: &mut HeaderMap) {
    let mut headers = HeaderInjector(headers);
    global::get_text_map_propagator(|format| {
        format.inject_context(&Context::current(), &mut headers);
    });
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
