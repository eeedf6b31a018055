//! A shop that asks a bank by reqwest and reqwest-tracing, and a bank whose spans follow the headers of its callers:
//! nothing here is swapped.

use axum::extract::Request;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{BoxError, Router};
use opentelemetry::global;
use opentelemetry_http::HeaderExtractor;
use reqwest_middleware::ClientBuilder;
use reqwest_tracing::TracingMiddleware;
use tokio::net::TcpListener;
use tracing::level_filters::LevelFilter;
use tracing::{Instrument, info_span};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::filter::Targets;

#[path = "../../shared/tree.rs"]
mod tree;
pub use tree::tree;

/// What is traced.
pub fn filter() -> Targets {
    Targets::new().with_default(LevelFilter::INFO)
}

/// Orders that are paid by card, on credit, which the bank refuses, and with a bank that is not there.
pub async fn order() -> Result<(), BoxError> {
    let client = ClientBuilder::new(reqwest::Client::new());
    let client = client.with(TracingMiddleware::default()).build();
    let urls = urls(routes()).await?;
    async {
        for url in urls {
            let _ = client.get(url).send().await;
        }
    }
    .instrument(info_span!("order"))
    .await;
    Ok(())
}

/// What the bank serves.
pub fn routes() -> Router {
    Router::new().route("/{means}", get(charge))
}

/// What is ordered at: card and credit, at a bank that serves from now on, and at one that has gone.
pub async fn urls(bank: Router) -> Result<[String; 3], BoxError> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async { axum::serve(listener, bank).await });
    let gone = TcpListener::bind("127.0.0.1:0").await?.local_addr()?;
    let [card, credit] = ["card", "credit"].map(|means| format!("http://{address}/{means}"));
    Ok([card, credit, format!("http://{gone}")])
}

async fn charge(request: Request) -> StatusCode {
    let span = info_span!("charge", otel.kind = "server");
    let headers = HeaderExtractor(request.headers());
    let caller = global::get_text_map_propagator(|format| format.extract(&headers));
    let _ = span.set_parent(caller);
    span.in_scope(|| answer(request.uri().path()))
}

/// What the bank says to a means of payment.
pub fn answer(path: &str) -> StatusCode {
    match path {
        "/card" => StatusCode::OK,
        _ => StatusCode::PAYMENT_REQUIRED,
    }
}
