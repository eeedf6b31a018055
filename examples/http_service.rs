//! An HTTP service takes 200 orders over loopback, and calls itself over HTTP to charge them: each
//! trace crosses the wire twice, as `traceparent` in real headers. What failed or was slow is drawn,
//! and 1 % of the rest: the same 1 % of orders and charges. `cargo run --example http_service`

use axum::extract::{MatchedPath, Path, State};
use axum::http::{Request, StatusCode};
use axum::{BoxError, Router, body::Body, routing::post};
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use std::{net::SocketAddr, time::Duration};
use tailtrace::layer::http::{HttpClientLayer, HttpClientService, HttpServerLayer};
use tailtrace::{
    ConsoleExporter, Errors, Fraction, Pipeline, SlowerThan, SpanId, TailSampler, TraceId,
};
use tokio::{net::TcpListener, task::JoinSet, time::sleep};
use tower::{Layer, ServiceExt};
use tracing::{Instrument, info_span};
use tracing_subscriber::{layer::SubscriberExt, util::SubscriberInitExt};

type Http = HttpClientService<Client<HttpConnector, Body>>;
type App = (Http, SocketAddr);

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let slow = SlowerThan(Duration::from_millis(80));
    let tail = TailSampler::new().keep(Errors).keep(slow).keep(Fraction::new(0.01)?);
    let console = ConsoleExporter::stdout();
    let pipeline = Pipeline::builder("shop").with_tail(tail).with_exporter(console).start()?;
    tracing_subscriber::registry().with(pipeline.layer()).init();

    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let http = Client::builder(TokioExecutor::new()).build_http();
    let spans = HttpServerLayer::new()
        .with_route(|request| request.extensions.get::<MatchedPath>().map(MatchedPath::as_str));
    let routes =
        Router::new().route("/orders/{id}", post(order)).route("/charges/{id}", post(charge));
    let app: App = (HttpClientLayer::new().layer(http.clone()), address);
    let routes = routes.layer(spans).with_state(app);
    tokio::spawn(async { axum::serve(listener, routes).await });

    // 200 a second, from callers whose own spans are not seen here.
    let mut orders = JoinSet::new();
    for id in 0..200 {
        let caller = format!("00-{}-{}-00", TraceId::new(), SpanId::new());
        let request = Request::post(format!("http://{address}/orders/{id}"));
        orders.spawn(http.request(request.header("traceparent", caller).body(Body::empty())?));
        sleep(Duration::from_millis(5)).await;
    }
    orders.join_all().await;
    pipeline.shutdown(Duration::from_secs(5))?;
    println!("{}", pipeline.stats());
    Ok(())
}

async fn order(State(app): State<App>, Path(id): Path<u32>) -> Result<(), StatusCode> {
    sleep(Duration::from_millis(1)).instrument(info_span!("INSERT INTO orders")).await;
    call(app, id).instrument(info_span!("charge_card")).await
}

async fn charge(Path(id): Path<u32>) -> StatusCode {
    sleep(Duration::from_millis(if id % 90 == 89 { 80 } else { 1 })).await;
    if id % 100 != 99 {
        return StatusCode::OK;
    }
    tracing::error!("card declined"); // A 402 by itself is no error of the server.
    StatusCode::PAYMENT_REQUIRED
}

async fn call((http, address): App, id: u32) -> Result<(), StatusCode> {
    let request = Request::post(format!("http://{address}/charges/{id}")).body(Body::empty());
    let request = request.map_err(|_| StatusCode::BAD_REQUEST)?;
    let response = http.oneshot(request).await.map_err(|_| StatusCode::BAD_GATEWAY)?;
    if response.status().is_success() { Ok(()) } else { Err(response.status()) }
}
