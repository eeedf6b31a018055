//! The second switch: our own layer, and with it our own layers for server and client in the place of the middleware.

use std::time::Duration;

use axum::{BoxError, extract::MatchedPath};
use opentelemetry_sdk::trace::InMemorySpanExporter;
use swap_axum::{routes, serve, tree};
use tailtrace::layer::http::{ForeignClient, HttpClientLayer, HttpServerLayer, or_http};
use tailtrace::{Errors, Pipeline, SlowerThan, TailSampler, otel::OtelExporter};
use tower::{Layer as _, ServiceExt};
use tracing::{Instrument, info, info_span, level_filters::LevelFilter};
use tracing_subscriber::{Layer, filter::Targets, layer::SubscriberExt, util::SubscriberInitExt};

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let exporter = InMemorySpanExporter::default(); // In your program, one of this crate's.
    let tail = TailSampler::new().keep(Errors).keep(SlowerThan(Duration::ZERO));
    let pipeline = Pipeline::builder("shop").with_tail(tail);
    let pipeline = pipeline.with_exporter(OtelExporter::new(exporter.clone())).start()?;
    let filter = Targets::new().with_default(LevelFilter::INFO);
    let layer = pipeline.layer().with_filter(or_http(filter));
    tracing_subscriber::registry().with(layer).init();

    let server = HttpServerLayer::new()
        .with_route(|request| request.extensions.get::<MatchedPath>().map(MatchedPath::as_str));
    let orders = serve(routes().layer(server)).await?;
    visit(&orders).instrument(info_span!("visit")).await?;

    pipeline.flush(Duration::from_secs(5))?;
    print!("{}", tree(&exporter.get_finished_spans()?));
    Ok(())
}

async fn visit(orders: &str) -> Result<(), BoxError> {
    let client = reqwest::Client::new();
    let traced = HttpClientLayer::new().layer(ForeignClient::new(client.clone()));
    for id in [7, 13] {
        let request = client.get(format!("{orders}/{id}")).build()?;
        let response = traced.clone().oneshot(request.try_into()?).await?;
        let response: reqwest::Response = response.map(reqwest::Body::wrap).into();
        info!(status = response.status().as_u16(), "answered");
        response.text().await?;
    }
    Ok(())
}
