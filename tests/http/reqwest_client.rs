//! `reqwest::Client` under the client's layer, against a real server.

use std::time::Duration;

use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::get;
use tailtrace::layer::http::{ForeignClient, HttpClientLayer};
use tailtrace::{Errors, Span, Status};
use tokio::net::TcpListener;
use tower::{Layer, ServiceExt};

use crate::{Traced, number, text};

/// Starts a server, and gives its address.
async fn serve() -> String {
    let routes = Router::new()
        .route(
            "/paid",
            get(async |headers: HeaderMap| headers["traceparent"].to_str().unwrap().to_owned()),
        )
        .route("/unpaid", get(async || StatusCode::PAYMENT_REQUIRED))
        .route("/never", get(async || std::future::pending::<()>().await));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async { axum::serve(listener, routes).await });
    address
}

/// Asks for a page, as a user of reqwest would.
async fn ask(url: String) -> Result<String, reqwest::Error> {
    let client = reqwest::Client::builder().timeout(Duration::from_millis(200)).build()?;
    let traced = HttpClientLayer::new().layer(ForeignClient::new(client.clone()));
    let request = client.get(url).build()?;
    let response = traced.oneshot(request.try_into()?).await?;
    let response: reqwest::Response = response.map(reqwest::Body::wrap).into();
    response.text().await
}

/// The span of asking, which the tail keeps only if it has failed.
async fn failed(url: String) -> Span {
    let traced = Traced::with(|pipeline| pipeline.with_tail(Errors));
    let _ = ask(url).await;
    traced.span()
}

#[tokio::test]
async fn the_server_hears_of_the_span_and_the_body_ends_it() {
    let address = serve().await;
    let traced = Traced::new();
    let heard = ask(format!("{address}/paid")).await.unwrap();
    let span = traced.span();
    assert!(heard.contains(&span.context().span_id.to_hex()), "{heard}");
    assert_eq!(number(&span, "http.response.status_code"), Some(200));
    assert_eq!(text(&span, "url.full").unwrap(), format!("{address}/paid"));
}

#[tokio::test]
async fn a_refused_connection_a_timeout_and_a_402_are_kept_as_errors() {
    // Bound, and not listened to any more.
    let refused = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let span = failed(format!("http://{refused}/")).await;
    assert_eq!(text(&span, "error.type").unwrap(), "reqwest::error::Error");
    let Status::Error { .. } = span.as_ref().unwrap().status() else { panic!("{span:?}") };

    let address = serve().await;
    let span = failed(format!("{address}/never")).await;
    assert_eq!(text(&span, "error.type").unwrap(), "reqwest::error::Error");

    let span = failed(format!("{address}/unpaid")).await;
    assert_eq!(number(&span, "http.response.status_code"), Some(402));
    assert_eq!(text(&span, "error.type").unwrap(), "402");
}
