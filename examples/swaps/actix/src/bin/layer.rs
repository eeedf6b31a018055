//! The second switch: our own layer. tracing-actix-web stays and is told of the caller by us; the client gets our layer.

use std::time::Duration;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::HeaderMap;
use opentelemetry_sdk::trace::InMemorySpanExporter;
use swap_actix::{Result, filter, serve, tree};
use tailtrace::layer::http::{ForeignClient, HttpClientLayer, or_http};
use tailtrace::propagation::{Extractor, Propagator, TraceContextPropagator};
use tailtrace::{Errors, Incoming, Pipeline, SlowerThan, TailSampler, TraceSpanExt};
use tailtrace_otel_0_32::OtelExporter;
use tower::{Layer as _, ServiceExt};
use tracing::Span;
use tracing_actix_web::{DefaultRootSpanBuilder, RootSpanBuilder};
use tracing_subscriber::{Layer, layer::SubscriberExt, util::SubscriberInitExt};

/// The headers of actix-web, which has types of its own.
struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn visit(&self, name: &str, each: &mut dyn FnMut(&[u8])) {
        self.0.get_all(name).for_each(|value| each(value.as_bytes()));
    }
}

/// The spans of tracing-actix-web, below their callers.
struct BelowCaller;

impl RootSpanBuilder for BelowCaller {
    fn on_request_start(request: &ServiceRequest) -> Span {
        let span = DefaultRootSpanBuilder::on_request_start(request);
        let mut caller = Incoming::default();
        TraceContextPropagator.extract(&Headers(request.headers()), &mut caller);
        let _ = span.set_parent(caller);
        span
    }

    fn on_request_end<B: MessageBody>(
        span: Span,
        outcome: &std::result::Result<ServiceResponse<B>, actix_web::Error>,
    ) {
        DefaultRootSpanBuilder::on_request_end(span, outcome);
    }
}

#[actix_web::main]
async fn main() -> Result<()> {
    let exporter = InMemorySpanExporter::default(); // In your program, one of this crate's.
    let tail = TailSampler::new().keep(Errors).keep(SlowerThan(Duration::ZERO));
    let pipeline = Pipeline::builder("shop").with_tail(tail);
    let pipeline = pipeline.with_exporter(OtelExporter::new(exporter.clone())).start()?;
    let layer = pipeline.layer().with_filter(or_http(filter()));
    tracing_subscriber::registry().with(layer).init();

    let client = reqwest::Client::new();
    let traced = HttpClientLayer::new().layer(ForeignClient::new(client.clone()));
    serve::<BelowCaller>(async |url| {
        let request = client.get(url).build()?;
        let response = traced.clone().oneshot(request.try_into()?).await?;
        reqwest::Response::from(response.map(reqwest::Body::wrap)).text().await?;
        Ok(())
    })
    .await?;

    pipeline.flush(Duration::from_secs(5))?;
    print!("{}", tree(&exporter.get_finished_spans()?));
    Ok(())
}
