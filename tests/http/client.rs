use std::convert::Infallible;
use std::future::ready;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{HeaderMap, Request, Response, Version};
use tailtrace::layer::http::{HttpClientLayer, HttpServerLayer, ResponseBody};
use tailtrace::{AlwaysOff, SpanKind, Status, TraceSpanExt};
use tower::{Layer, ServiceExt, service_fn};
use tracing::{Instrument, Level, info_span};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;

use crate::{BodyFailed, Frames, PARENT, TRACE, Traced, empty, named, next, number, support, text};

/// Sends a request to a server that answers at once with this status; what the server got is kept.
async fn sent(
    layer: HttpClientLayer,
    status: u16,
    request: Request<()>,
) -> (Response<ResponseBody<Frames>>, HeaderMap) {
    let got = Arc::new(Mutex::new(HeaderMap::new()));
    let keep = Arc::clone(&got);
    let server = service_fn(move |request: Request<()>| {
        *keep.lock().unwrap() = request.headers().clone();
        let response = Response::builder().status(status).version(Version::HTTP_2);
        ready(Ok::<_, Infallible>(response.body(empty()).unwrap()))
    });
    let response = layer.layer(server).oneshot(request).await.unwrap();
    let headers = got.lock().unwrap().clone();
    (response, headers)
}

fn get(uri: &str) -> Request<()> {
    Request::get(uri).body(()).unwrap()
}

fn line<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let mut lines = headers.get_all(name).iter();
    let line = lines.next()?.to_str().unwrap();
    assert!(lines.next().is_none(), "{name} is there more than once");
    Some(line)
}

#[tokio::test]
async fn the_receiver_is_told_about_the_span_of_the_request() {
    let traced = Traced::new();
    let work = info_span!("work");
    let (_, headers) =
        sent(HttpClientLayer::new(), 200, get("http://bank/")).instrument(work).await;
    let spans = traced.spans();
    let (work, client) = (named(&spans, "work").context(), named(&spans, "GET"));
    let told = format!("00-{}-{}", work.trace_id, client.context().span_id);
    assert!(line(&headers, "traceparent").unwrap().starts_with(&told));
    assert_eq!(client.context().parent_span_id, Some(work.span_id));
    assert_eq!(client.as_ref().unwrap().kind(), SpanKind::Client);
}

#[tokio::test]
async fn headers_of_another_trace_do_not_stay_behind() {
    let traced = Traced::new();
    let request = Request::get("http://bank/")
        .header("traceparent", PARENT)
        .header("traceparent", PARENT)
        .header("tracestate", "old=1")
        .header("tracestate", "older=1")
        .header("baggage", "tenant=old")
        .header("x-other", "stays")
        .body(())
        .unwrap();
    let (_, headers) = sent(HttpClientLayer::new(), 200, request).await;
    let trace_id = traced.span().context().trace_id.to_hex();
    assert!(line(&headers, "traceparent").unwrap().contains(&trace_id));
    assert!(!line(&headers, "tracestate").unwrap_or("").contains("old"));
    assert_eq!(line(&headers, "baggage"), None);
    assert_eq!(line(&headers, "x-other"), Some("stays"));
}

#[tokio::test]
async fn baggage_goes_to_the_hosts_of_a_list_only_where_there_is_one() {
    let _traced = Traced::new();
    for (uri, expected) in [
        ("http://bank/", None),
        ("http://bank.INTERNAL:80/", Some("tenant=acme")),
        ("http://internal/", None),
    ] {
        let request = Request::get(uri).header("baggage", "tenant=acme").body(()).unwrap();
        let layer = HttpClientLayer::new().with_baggage_hosts(["*.internal"]);
        let (_, headers) = sent(layer, 200, request).await;
        assert_eq!(line(&headers, "baggage"), expected, "{uri}");
        assert!(line(&headers, "traceparent").is_some());
    }
}

#[tokio::test]
async fn the_tags_are_those_of_the_semantic_conventions() {
    let traced = Traced::new();
    let uri = "https://user:password@bank.example/rates?of=EUR&Signature=secret";
    sent(HttpClientLayer::new(), 200, get(uri)).await;
    let span = traced.span();
    assert_eq!(span.operation_name(), "GET");
    for (key, expected) in [
        ("http.request.method", Some("GET")),
        (
            "url.full",
            Some("https://REDACTED:REDACTED@bank.example/rates?of=EUR&Signature=REDACTED"),
        ),
        ("server.address", Some("bank.example")),
        ("network.protocol.version", Some("2")),
        ("http.route", None),
        ("url.path", None),
        ("error.type", None),
    ] {
        assert_eq!(text(&span, key).as_deref(), expected, "{key}");
    }
    assert_eq!(number(&span, "server.port"), Some(443));
    assert_eq!(number(&span, "http.response.status_code"), Some(200));
}

#[tokio::test]
async fn an_answer_of_400_or_more_is_an_error() {
    for (code, is_error) in [(200, false), (304, false), (404, true), (503, true)] {
        let traced = Traced::new();
        sent(HttpClientLayer::new(), code, get("http://bank/")).await;
        let span = traced.span();
        let expected = if is_error { Status::error("") } else { Status::Unset };
        assert_eq!(span.as_ref().unwrap().status(), expected);
        assert_eq!(text(&span, "error.type"), is_error.then(|| code.to_string()));
    }
}

#[tokio::test]
async fn a_connection_that_fails_is_an_error() {
    let traced = Traced::new();
    let refuses = service_fn(async |_: Request<()>| {
        Err::<Response<Frames>, _>(std::io::Error::other("connection refused"))
    });
    let failed = HttpClientLayer::new().layer(refuses).oneshot(get("http://bank/")).await;
    assert!(failed.is_err());
    let span = traced.span();
    assert_eq!(span.as_ref().unwrap().status(), Status::error("connection refused"));
    assert_eq!(text(&span, "error.type").as_deref(), Some("std::io::error::Error"));
    assert_eq!(text(&span, "network.protocol.version"), None);
}

#[tokio::test]
async fn reading_the_body_counts_and_may_fail() {
    let traced = Traced::new();
    let mut body = Some(Frames { frames: [Ok("a"), Err(BodyFailed)].into(), tells: false });
    let server = service_fn(move |_request: Request<()>| {
        let response = Response::new(body.take().unwrap());
        async move { Ok::<_, Infallible>(response) }
    });
    let client = HttpClientLayer::new().layer(server);
    let mut response = client.oneshot(get("http://bank/")).await.unwrap();
    traced.clock.advance(Duration::from_millis(9));
    assert!(next(response.body_mut()).unwrap().is_ok());
    assert!(next(response.body_mut()).unwrap().is_err());
    let spans = traced.spans();
    let client = named(&spans, "GET");
    assert_eq!(client.duration(), Duration::from_millis(9));
    assert_eq!(client.as_ref().unwrap().status(), Status::error("the disk is gone"));
}

#[tokio::test]
async fn a_span_that_is_filtered_out_is_stood_in_for_by_its_ancestor() {
    let (builder, _clock, _memory) = support::pipeline();
    let pipeline = builder.start().unwrap();
    let layers = tracing_subscriber::registry().with(pipeline.layer()).with(LevelFilter::INFO);
    let _default = tracing::subscriber::set_default(layers);
    let work = info_span!("work");
    let layer = HttpClientLayer::new().with_level(Level::DEBUG);
    let (_, headers) = sent(layer, 200, get("http://bank/")).instrument(work.clone()).await;
    let told = line(&headers, "traceparent").unwrap();
    assert!(told.contains(&work.span_id().unwrap().to_hex()), "{told}");
}

#[tokio::test]
async fn where_no_layer_records_the_headers_stay_as_they_are() {
    let request = Request::get("/nowhere").header("traceparent", PARENT).body(()).unwrap();
    let (response, headers) = sent(HttpClientLayer::new(), 200, request).await;
    assert_eq!(response.status().as_u16(), 200);
    assert_eq!(line(&headers, "traceparent"), Some(PARENT));
}

#[tokio::test]
async fn a_request_that_is_sampled_out_says_so() {
    let traced = Traced::with(|pipeline| pipeline.with_sampler(AlwaysOff));
    let (_, headers) = sent(HttpClientLayer::new(), 200, get("http://bank/")).await;
    let flags = line(&headers, "traceparent").unwrap().rsplit('-').next().unwrap();
    assert_eq!(u8::from_str_radix(flags, 16).unwrap() & 1, 0);
    assert_eq!(traced.spans().len(), 0);
    support::settled(&traced.pipeline);
}

#[tokio::test]
async fn from_caller_to_server_to_server_it_is_one_trace() {
    let traced = Traced::new();
    let bank = HttpServerLayer::new()
        .layer(service_fn(async |_: Request<()>| Ok::<_, Infallible>(Response::new(empty()))));
    let client = HttpClientLayer::new().layer(bank);
    let shop = HttpServerLayer::new().layer(service_fn(move |_: Request<()>| {
        let request = Request::put("http://bank/").body(()).unwrap();
        let answer = client.clone().oneshot(request);
        async { answer.await.map(|_| Response::new(empty())) }
    }));
    let request = Request::post("/").header("traceparent", PARENT).body(()).unwrap();
    shop.oneshot(request).await.unwrap();

    let spans = traced.spans();
    let ids = |kind| {
        let span = spans.iter().find(|span| {
            let span = span.as_ref().unwrap();
            (span.kind(), span.operation_name()) == kind
        });
        let context = span.unwrap().context();
        assert_eq!(context.trace_id.to_hex(), TRACE);
        (context.span_id, context.parent_span_id.unwrap())
    };
    let shop = ids((SpanKind::Server, "POST"));
    let client = ids((SpanKind::Client, "PUT"));
    let bank = ids((SpanKind::Server, "PUT"));
    assert_eq!((client.1, bank.1), (shop.0, client.0));
    assert_eq!(support::settled(&traced.pipeline).live, 0);
}
