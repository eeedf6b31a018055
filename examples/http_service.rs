//! An HTTP service takes 200 orders over loopback, and calls itself over HTTP to charge them: each
//! trace crosses the wire twice, as `traceparent` in real headers. What failed or was slow is drawn,
//! and 1 % of the rest: the same 1 % of orders and charges. `cargo run --example http_service`

use axum::extract::{Path, State};
use axum::http::{HeaderMap, Request, StatusCode};
use axum::{BoxError, Router, body::Body, routing::post};
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use std::{net::SocketAddr, time::Duration};
use tailtrace::{ConsoleExporter, Errors, Fraction, Pipeline, SlowerThan, TailSampler, Tracer};
use tailtrace::{SpanGuard, SpanId, SpanKind, Status, TraceContext, TraceId};
use tokio::{net::TcpListener, task::JoinSet, time::sleep};

type App = (Tracer, Client<HttpConnector, Body>, SocketAddr);

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let slow = SlowerThan(Duration::from_millis(80));
    let tail = TailSampler::new().keep(Errors).keep(slow).keep(Fraction::new(0.01)?);
    let console = ConsoleExporter::stdout();
    let pipeline = Pipeline::builder("shop").with_tail(tail).with_exporter(console).start()?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let client = Client::builder(TokioExecutor::new()).build_http();
    let app: App = (pipeline.tracer(), client, listener.local_addr()?);
    let routes =
        Router::new().route("/orders/{id}", post(order)).route("/charges/{id}", post(charge));
    let server = axum::serve(listener, routes.with_state(app.clone()));
    tokio::spawn(async { server.await });

    // 200 a second, from callers whose own spans somebody else collects.
    let mut orders = JoinSet::new();
    for id in 0..200 {
        let caller = TraceContext::new(TraceId::new(), SpanId::new());
        orders.spawn(call(app.clone(), format!("/orders/{id}"), caller));
        sleep(Duration::from_millis(5)).await;
    }
    orders.join_all().await;
    pipeline.shutdown(Duration::from_secs(5))?;
    println!("{}", pipeline.stats());
    Ok(())
}

async fn order(State(app): State<App>, Path(id): Path<u32>, headers: HeaderMap) -> StatusCode {
    let request = server_span(&app, "POST /orders/{id}", &headers);
    let query = request.child("INSERT INTO orders");
    sleep(Duration::from_millis(1)).await;
    query.finish();
    let charge = request.child("charge_card");
    if let Err(error) = call(app, format!("/charges/{id}"), charge.context()).await {
        charge.set_error(&*error);
        return StatusCode::BAD_GATEWAY;
    }
    StatusCode::OK
}

async fn charge(State(app): State<App>, Path(id): Path<u32>, headers: HeaderMap) -> StatusCode {
    let request = server_span(&app, "POST /charges/{id}", &headers);
    sleep(Duration::from_millis(if id % 90 == 89 { 80 } else { 1 })).await;
    if id % 100 == 99 {
        request.set_status(Status::error("card declined"));
        return StatusCode::PAYMENT_REQUIRED;
    }
    StatusCode::OK
}

fn server_span((tracer, ..): &App, route: &'static str, headers: &HeaderMap) -> SpanGuard {
    let span = tracer.span_builder(route).with_kind(SpanKind::Server);
    let Some(caller) = tracer.extract_context(headers) else { return span.start() };
    span.with_parent_context(&caller).start()
}

async fn call(app: App, path: String, context: TraceContext) -> Result<(), BoxError> {
    let (tracer, client, address) = app;
    let mut request = Request::post(format!("http://{address}{path}")).body(Body::empty())?;
    tracer.inject_context(&context, request.headers_mut());
    let status = client.request(request).await?.status();
    if status.is_success() { Ok(()) } else { Err(format!("answered {status}").into()) }
}
