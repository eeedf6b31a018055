//! A shop on axum behind axum-tracing-opentelemetry, and a customer who visits it: nothing here is swapped.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{BoxError, Router};
use axum_tracing_opentelemetry::middleware::{OtelAxumLayer, OtelInResponseLayer};
use tokio::net::TcpListener;
use tracing::level_filters::LevelFilter;
use tracing::{Instrument, info, info_span, instrument};
use tracing_opentelemetry_instrumentation_sdk::{find_current_context, http::inject_context};
use tracing_subscriber::filter::Targets;

#[path = "../../shared/tree.rs"]
mod tree;
pub use tree::tree;

/// What is traced: that crate's spans are at the level TRACE.
pub fn filter() -> Targets {
    Targets::new().with_default(LevelFilter::INFO).with_target("otel::tracing", LevelFilter::TRACE)
}

/// What the shop serves.
pub fn routes() -> Router {
    Router::new().route("/orders/{id}", get(order))
}

/// Where that is served from now on.
pub async fn serve(routes: Router) -> Result<String, BoxError> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async { axum::serve(listener, routes).await });
    Ok(format!("http://{address}/orders"))
}

/// Serves a customer, who asks for an order and for one that fails.
pub async fn visit() -> Result<(), BoxError> {
    let traced = routes().layer(OtelInResponseLayer).layer(OtelAxumLayer::default());
    let orders = serve(traced).await?;

    let both = async {
        for id in [7, 13] {
            let mut request = reqwest::Client::new().get(format!("{orders}/{id}")).build()?;
            inject_context(&find_current_context(), request.headers_mut());
            let response = reqwest::Client::new().execute(request).await?;
            info!(status = response.status().as_u16(), "answered");
            response.text().await?;
        }
        Ok(())
    };
    both.instrument(info_span!("visit")).await
}

#[instrument(err(Debug))]
async fn order(Path(id): Path<u32>) -> Result<String, StatusCode> {
    if id == 13 { Err(StatusCode::INTERNAL_SERVER_ERROR) } else { Ok(format!("order {id}")) }
}
