//! The second switch: our own layer, which reqwest gets by an adapter and the bank by our layer for servers.

use std::time::Duration;

use axum::{BoxError, Router, extract::Request, routing::get};
use opentelemetry_sdk::trace::InMemorySpanExporter;
use swap_reqwest::{answer, filter, tree, urls};
use tailtrace::layer::http::{ForeignClient, HttpClientLayer, HttpServerLayer, or_http};
use tailtrace::{Errors, Pipeline, SlowerThan, TailSampler};
use tailtrace_otel_0_32::OtelExporter;
use tower::{Layer as _, ServiceExt};
use tracing::{Instrument, info_span};
use tracing_subscriber::{Layer, layer::SubscriberExt, util::SubscriberInitExt};

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let exporter = InMemorySpanExporter::default(); // In your program, one of this crate's.
    // The bank decides for itself: 402 is an error of its caller's.
    let tail = TailSampler::new().keep(Errors).keep(SlowerThan(Duration::ZERO));
    let pipeline = Pipeline::builder("shop").with_tail(tail);
    let pipeline = pipeline.with_exporter(OtelExporter::new(exporter.clone())).start()?;
    let layer = pipeline.layer().with_filter(or_http(filter()));
    tracing_subscriber::registry().with(layer).init();

    let bank = async |request: Request| answer(request.uri().path());
    let bank = Router::new().route("/{means}", get(bank)).layer(HttpServerLayer::new());
    order(urls(bank).await?).instrument(info_span!("order")).await?;

    pipeline.flush(Duration::from_secs(5))?;
    print!("{}", tree(&exporter.get_finished_spans()?));
    Ok(())
}

async fn order(urls: [String; 3]) -> Result<(), BoxError> {
    let client = reqwest::Client::new();
    let traced = HttpClientLayer::new().layer(ForeignClient::new(client.clone()));
    for url in urls {
        let request = client.get(url).build()?;
        let _ = traced.clone().oneshot(request.try_into()?).await;
    }
    Ok(())
}
