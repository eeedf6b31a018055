//! What a server's layer can be told.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use http::{HeaderName, Request, Response};
use tailtrace::layer::http::{HttpServerLayer, or_http};
use tailtrace::{SamplingRequest, SamplingResult, TraceSpanExt};
use tower::{Layer, ServiceExt, service_fn};
use tracing::info_span;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::prelude::*;
use tracing_subscriber::{EnvFilter, Registry};

use crate::{PARENT, TRACE, Traced, empty, support, text};

/// Lets a server with this layer handle a request; the trace id that the handler is in, and the response.
async fn answer(layer: HttpServerLayer, request: Request<()>) -> (Option<String>, Response<()>) {
    let inside = Arc::new(Mutex::new(None));
    let seen = Arc::clone(&inside);
    let respond = service_fn(move |_: Request<()>| {
        *seen.lock().unwrap() = info_span!("handler").trace_id().map(|id| id.to_hex());
        async { Ok::<_, Infallible>(Response::new(empty())) }
    });
    let response = layer.layer(respond).oneshot(request).await.unwrap();
    let id = inside.lock().unwrap().clone();
    (id, response.map(drop))
}

fn with_caller(request: http::request::Builder) -> Request<()> {
    request.header("traceparent", PARENT).body(()).unwrap()
}

#[tokio::test]
async fn tags_of_the_request_are_there_before_the_sampler_is_asked_with_and_without_a_caller() {
    for has_caller in [true, false] {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let asked = Arc::clone(&seen);
        let sampler = move |request: &SamplingRequest<'_>| {
            let tenant = request.tag("tenant").map(|tenant| tenant.to_string());
            asked.lock().unwrap().push(tenant);
            SamplingResult::sample()
        };
        let traced = Traced::with(|pipeline| pipeline.with_sampler(sampler));
        let layer = HttpServerLayer::new().with_tags(|request| {
            let tenant = request.headers.get("x-tenant").and_then(|tenant| tenant.to_str().ok());
            tenant.map(|tenant| ("tenant", tenant.to_owned()))
        });
        let request = Request::get("/orders").header("x-tenant", "acme");
        let request = if has_caller { with_caller(request) } else { request.body(()).unwrap() };
        answer(layer, request).await;
        let spans = traced.spans();
        assert_eq!(text(crate::named(&spans, "GET"), "tenant").as_deref(), Some("acme"));
        assert_eq!(*seen.lock().unwrap(), [Some("acme".to_owned())], "{has_caller}");
    }
}

#[tokio::test]
async fn a_tag_maker_that_panics_costs_the_tags_and_no_request() {
    let traced = Traced::new();
    let layer = HttpServerLayer::new()
        .with_tags(|_| -> Option<(&str, i64)> { panic!("a bug of the program") });
    answer(layer, Request::get("/orders").body(()).unwrap()).await;
    assert_eq!(traced.spans().len(), 2);
}

#[tokio::test]
async fn paths_that_are_left_out_have_no_span_and_what_is_inside_stays_with_the_caller() {
    let traced = Traced::new();
    let layer = || HttpServerLayer::new().without_paths(["/healthz", "/assets/*"]);
    let (id, _) = answer(layer(), with_caller(Request::get("/healthz"))).await;
    assert_eq!(id.as_deref(), Some(TRACE));
    answer(layer(), Request::get("/assets/logo.svg").body(()).unwrap()).await;
    let names: Vec<_> =
        traced.spans().iter().map(|span| span.operation_name().to_owned()).collect();
    assert_eq!(names, ["handler", "handler"]);
    answer(layer(), Request::get("/healthz/deep").body(()).unwrap()).await;
    assert_eq!(traced.spans().len(), 4);
}

#[tokio::test]
async fn the_response_tells_the_trace_id_where_the_program_asks_for_it() {
    let traced = Traced::new();
    let name = HeaderName::from_static("x-trace-id");
    let layer = HttpServerLayer::new().with_trace_id_header(name.clone());
    let (id, response) = answer(layer.clone(), Request::get("/").body(()).unwrap()).await;
    assert_eq!(response.headers().get(&name).unwrap().to_str().ok(), id.as_deref());
    let (_, response) = answer(layer, with_caller(Request::get("/"))).await;
    assert_eq!(response.headers().get(&name).unwrap(), TRACE);
    let (_, response) = answer(HttpServerLayer::new(), with_caller(Request::get("/"))).await;
    assert!(response.headers().get(&name).is_none());
    assert_eq!(support::settled(&traced.pipeline).live, 0);
}

#[tokio::test]
async fn trusted_proxies_tell_scheme_and_client_and_others_do_not() {
    let request = || {
        let request = Request::get("/").header("x-forwarded-for", "6.6.6.6, 203.0.113.9");
        request.header("x-forwarded-proto", "https").body(()).unwrap()
    };
    let seen = async |layer| {
        let traced = Traced::new();
        answer(layer, request()).await;
        let spans = traced.spans();
        let span = crate::named(&spans, "GET");
        (text(span, "url.scheme").unwrap(), text(span, "client.address"))
    };
    assert_eq!(seen(HttpServerLayer::new()).await, ("http".to_owned(), None));
    let trusting = HttpServerLayer::new().with_trusted_proxies(1);
    assert_eq!(seen(trusting).await, ("https".to_owned(), Some("203.0.113.9".to_owned())));
}

#[tokio::test]
async fn a_filter_by_the_name_of_a_crate_does_not_hide_the_spans_with_or_http() {
    async fn names<F>(filter: F) -> Vec<String>
    where
        F: tracing_subscriber::layer::Filter<Registry> + Send + Sync + 'static,
    {
        let (builder, _, memory) = support::pipeline();
        let pipeline = builder.start().unwrap();
        let layer = pipeline.layer().with_filter(or_http(filter));
        let _default = tracing_subscriber::registry().with(layer).set_default();
        answer(HttpServerLayer::new(), Request::get("/").body(()).unwrap()).await;
        pipeline.flush(support::PLENTY).unwrap();
        memory.spans().iter().map(|span| span.operation_name().to_owned()).collect()
    }
    let targets: Targets = "http=info".parse().unwrap();
    assert_eq!(names(targets).await, ["GET", "handler"]);
    assert_eq!(names(EnvFilter::new("other_crate=info")).await, ["GET"]);
    assert_eq!(names(EnvFilter::new("off")).await, ["GET"]);
}
