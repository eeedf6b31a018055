use std::convert::Infallible;
use std::fmt;
use std::future::pending;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::{Context, Waker};
use std::time::Duration;

use http::uri::Scheme;
use http::{Method, Request, Response, StatusCode, Version};
use tailtrace::layer::http::{HttpServerLayer, ResponseBody};
use tailtrace::propagation::CompositePropagator;
use tailtrace::{
    AlwaysOff, SamplingRequest, SamplingResult, Span, SpanKind, Status, TagValue, TraceIds,
    TraceSpanExt,
};
use tower::{Layer, ServiceExt, service_fn};
use tracing::{Level, info, info_span};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::format::{FmtSpan, format};
use tracing_subscriber::fmt::layer as log_lines;
use tracing_subscriber::layer::SubscriberExt;

use crate::{
    BodyFailed, CALLER, Frames, PARENT, TRACE, Traced, empty, named, next, number, support, text,
};

type Answer = Response<ResponseBody<Frames>>;

/// Lets a server that answers at once with this status handle a request.
async fn answered(layer: HttpServerLayer, status: u16, request: Request<()>) -> Answer {
    let respond = service_fn(move |_request: Request<()>| async move {
        let response = Response::builder().status(status).body(empty()).unwrap();
        Ok::<_, Infallible>(response)
    });
    layer.layer(respond).oneshot(request).await.unwrap()
}

/// Lets a server that answers at once with this body handle a request.
async fn streamed(frames: impl IntoIterator<Item = Result<&'static str, BodyFailed>>) -> Answer {
    let mut body = Some(Frames { frames: frames.into_iter().collect(), tells: false });
    let respond = service_fn(move |_request: Request<()>| {
        let response = Response::new(body.take().unwrap());
        async move { Ok::<_, Infallible>(response) }
    });
    HttpServerLayer::new().layer(respond).oneshot(get("/")).await.unwrap()
}

fn get(uri: &str) -> Request<()> {
    Request::get(uri).body(()).unwrap()
}

fn no_description() -> Status {
    Status::error("")
}

#[tokio::test]
async fn the_span_is_a_child_of_the_callers_and_a_parent_of_the_handlers() {
    let traced = Traced::new();
    let handler = service_fn(async |_request: Request<()>| {
        let _query = info_span!("query").entered();
        info!("cooking");
        Ok::<_, Infallible>(Response::new(empty()))
    });
    let request = Request::post("/orders").header("traceparent", PARENT).body(()).unwrap();
    HttpServerLayer::new().layer(handler).oneshot(request).await.unwrap();

    let spans = traced.spans();
    let (server, query) = (named(&spans, "POST"), named(&spans, "query"));
    assert_eq!(server.context().trace_id.to_hex(), TRACE);
    assert_eq!(server.context().parent_span_id.unwrap().to_hex(), CALLER);
    assert_eq!(server.as_ref().unwrap().kind(), SpanKind::Server);
    assert_eq!(query.context().trace_id.to_hex(), TRACE);
    assert_eq!(query.context().parent_span_id, Some(server.context().span_id));
    assert_eq!(query.as_ref().unwrap().logs().count(), 1);
    assert_eq!(support::settled(&traced.pipeline).live, 0);
}

#[tokio::test]
async fn the_tags_are_those_of_the_semantic_conventions() {
    let traced = Traced::new();
    let request = Request::get("/orders/7?color=blue&sig=secret")
        .header("host", "shop.example:8443")
        .header("user-agent", "curl/8")
        .body(())
        .unwrap();
    let layer = HttpServerLayer::new()
        .with_route(|request| request.uri.path().starts_with("/orders/").then_some("/orders/{id}"))
        .with_scheme(Scheme::HTTPS);
    answered(layer, 200, request).await;

    let span = traced.span();
    assert_eq!(span.operation_name(), "GET /orders/{id}");
    for (key, expected) in [
        ("http.request.method", Some("GET")),
        ("http.request.method_original", None),
        ("http.route", Some("/orders/{id}")),
        ("url.scheme", Some("https")),
        ("url.path", Some("/orders/7")),
        ("url.query", Some("color=blue&sig=REDACTED")),
        ("server.address", Some("shop.example")),
        ("network.protocol.version", Some("1.1")),
        ("user_agent.original", Some("curl/8")),
        ("error.type", None),
        ("otel.name", None),
        ("otel.kind", None),
    ] {
        assert_eq!(text(&span, key).as_deref(), expected, "{key}");
    }
    assert_eq!(number(&span, "server.port"), Some(8443));
    assert_eq!(number(&span, "http.response.status_code"), Some(200));
    assert_eq!(status(&span), Status::Unset);
}

fn status(span: &Span) -> Status {
    span.as_ref().unwrap().status()
}

#[tokio::test]
async fn without_a_route_the_name_is_the_method_and_strange_methods_are_one() {
    for (method, name, tag, original) in [
        ("DELETE", "DELETE", "DELETE", None),
        ("PROPFIND", "HTTP", "_OTHER", Some("PROPFIND")),
        ("get", "HTTP", "_OTHER", Some("get")),
    ] {
        let traced = Traced::new();
        let mut request = get("/a/path");
        *request.method_mut() = Method::from_bytes(method.as_bytes()).unwrap();
        answered(HttpServerLayer::new(), 200, request).await;
        let span = traced.span();
        assert_eq!(span.operation_name(), name);
        assert_eq!(text(&span, "http.request.method").as_deref(), Some(tag));
        assert_eq!(text(&span, "http.request.method_original").as_deref(), original);
        assert_eq!(text(&span, "http.route"), None);
    }
}

#[tokio::test]
async fn only_what_the_server_did_wrong_is_an_error() {
    for (code, is_error) in [(200, false), (302, false), (404, false), (500, true), (503, true)] {
        let traced = Traced::new();
        let response = answered(HttpServerLayer::new(), code, get("/")).await;
        assert_eq!(response.status().as_u16(), code);
        let span = traced.span();
        assert_eq!(number(&span, "http.response.status_code"), Some(code.into()));
        assert_eq!(status(&span), if is_error { no_description() } else { Status::Unset });
        assert_eq!(text(&span, "error.type"), is_error.then(|| code.to_string()));
    }
}

#[tokio::test]
async fn an_error_of_the_service_is_one_of_the_span() {
    #[derive(Debug)]
    struct Overloaded;
    impl fmt::Display for Overloaded {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("too much to do")
        }
    }

    let traced = Traced::new();
    let fails = service_fn(async |_: Request<()>| Err::<Response<Frames>, _>(Overloaded));
    let failed = HttpServerLayer::new().layer(fails).oneshot(get("/")).await;
    assert!(failed.is_err());
    let span = traced.span();
    assert_eq!(status(&span), Status::error("too much to do"));
    assert!(text(&span, "error.type").unwrap().ends_with("::Overloaded"));
    assert_eq!(number(&span, "http.response.status_code"), None);
}

#[tokio::test]
async fn an_error_in_a_box_has_no_type() {
    let traced = Traced::new();
    let fails = service_fn(async |_: Request<()>| {
        Err::<Response<Frames>, Box<dyn std::error::Error + Send + Sync>>("no".into())
    });
    let failed = HttpServerLayer::new().layer(fails).oneshot(get("/")).await;
    assert!(failed.is_err());
    assert_eq!(text(&traced.span(), "error.type").as_deref(), Some("_OTHER"));
}

#[tokio::test]
async fn the_span_lasts_until_the_last_frame_of_the_body() {
    let traced = Traced::new();
    let mut response = streamed([Ok("a"), Ok("b")]).await;
    for _ in 0..2 {
        traced.clock.advance(Duration::from_millis(50));
        assert!(next(response.body_mut()).unwrap().is_ok());
        assert_eq!(traced.spans().len(), 0);
    }
    traced.clock.advance(Duration::from_millis(1));
    assert!(next(response.body_mut()).is_none());
    let spans = traced.spans();
    let server = named(&spans, "GET");
    assert_eq!(server.duration(), Duration::from_millis(101));
    let reads = spans.iter().filter(|span| span.operation_name() == "read_block");
    let parents = reads.map(|read| read.context().parent_span_id);
    assert_eq!(parents.collect::<Vec<_>>(), [Some(server.context().span_id); 3]);
}

#[tokio::test]
async fn a_client_that_goes_away_during_the_body_makes_the_span_an_error() {
    let traced = Traced::new();
    let mut response = streamed([Ok("a"), Ok("b")]).await;
    next(response.body_mut());
    traced.clock.advance(Duration::from_millis(7));
    drop(response);
    let spans = traced.spans();
    let server = named(&spans, "GET");
    assert_eq!(server.duration(), Duration::from_millis(7));
    assert_eq!(text(server, "error.type").as_deref(), Some("cancelled"));
    assert_eq!(status(server), Status::error("dropped before the body had ended"));
}

#[tokio::test]
async fn a_body_that_unwinding_takes_along_was_cancelled_for_no_panic_passed_through_it() {
    let traced = Traced::new();
    let mut response = streamed([Ok("a"), Ok("b")]).await;
    next(response.body_mut());
    let unwinds = catch_unwind(AssertUnwindSafe(move || {
        let _response = response;
        panic!("on purpose");
    }));
    assert!(unwinds.is_err());
    assert_eq!(text(named(&traced.spans(), "GET"), "error.type").as_deref(), Some("cancelled"));
}

#[tokio::test]
async fn a_body_that_nobody_asks_for_or_that_has_its_length_is_no_error() {
    let traced = Traced::new();
    drop(streamed([Ok("a")]).await);
    assert_eq!(status(&traced.span()), Status::Unset);
    drop(traced);

    let traced = Traced::new();
    let respond = service_fn(async |_: Request<()>| {
        let body = Frames { frames: [Ok("abc")].into(), tells: false };
        Ok::<_, Infallible>(Response::builder().header("content-length", "3").body(body).unwrap())
    });
    let mut response = HttpServerLayer::new().layer(respond).oneshot(get("/")).await.unwrap();
    next(response.body_mut());
    drop(response);
    assert_eq!(status(named(&traced.spans(), "GET")), Status::Unset);
}

#[tokio::test]
async fn a_body_that_fails_makes_the_span_an_error_and_ends_it() {
    let traced = Traced::new();
    let mut response = streamed([Ok("a"), Err(BodyFailed), Ok("never asked for")]).await;
    next(response.body_mut());
    assert!(next(response.body_mut()).unwrap().is_err());
    let spans = traced.spans();
    let server = named(&spans, "GET");
    assert_eq!(status(server), Status::error("the disk is gone"));
    assert_eq!(text(server, "error.type").as_deref(), Some("http::BodyFailed"));
    assert_eq!(number(server, "http.response.status_code"), Some(200));
    // What comes after belongs to no span: the body still works.
    assert!(next(response.body_mut()).unwrap().is_ok());
    assert!(next(response.body_mut()).is_none());
}

#[tokio::test]
async fn a_body_that_says_it_has_ended_ends_the_span_with_its_last_frame() {
    let traced = Traced::new();
    let body = Frames { frames: [Ok("all")].into(), tells: true };
    let mut body = Some(body);
    let respond = service_fn(move |_request: Request<()>| {
        let response = Response::new(body.take().unwrap());
        async move { Ok::<_, Infallible>(response) }
    });
    let mut response = HttpServerLayer::new().layer(respond).oneshot(get("/")).await.unwrap();
    assert_eq!(traced.spans().len(), 0);
    next(response.body_mut());
    assert_eq!(traced.spans().len(), 2);
    assert!(http_body::Body::is_end_stream(response.body()));
}

#[tokio::test]
async fn a_client_that_goes_away_ends_the_span_and_what_is_inside() {
    let traced = Traced::new();
    let never = service_fn(async |_request: Request<()>| {
        let _waits = info_span!("waits").entered();
        pending::<Result<Response<Frames>, Infallible>>().await
    });
    {
        let mut future = pin!(HttpServerLayer::new().layer(never).oneshot(get("/")));
        let mut context = Context::from_waker(Waker::noop());
        assert!(future.as_mut().poll(&mut context).is_pending());
        assert_eq!(traced.spans().len(), 0);
        traced.clock.advance(Duration::from_millis(30));
    }
    let spans = traced.spans();
    let server = named(&spans, "GET");
    assert_eq!(server.duration(), Duration::from_millis(30));
    assert_eq!(named(&spans, "waits").context().parent_span_id, Some(server.context().span_id));
    assert_eq!(text(server, "error.type").as_deref(), Some("cancelled"));
    assert!(status(server).is_error());
}

#[tokio::test]
async fn a_handler_that_panics_leaves_an_ended_span() {
    let traced = Traced::new();
    let panics = service_fn(async |request: Request<()>| {
        assert!(request.uri().path().is_empty(), "this handler panics on purpose");
        Ok::<_, Infallible>(Response::new(empty()))
    });
    let mut future = pin!(HttpServerLayer::new().layer(panics).oneshot(get("/")));
    let mut context = Context::from_waker(Waker::noop());
    let polled = catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(&mut context).is_ready()));
    assert!(polled.is_err());
    // Unwinding stopped before the future went.
    future.set(HttpServerLayer::new().layer(panics).oneshot(get("/")));
    assert_eq!(text(&traced.span(), "error.type").as_deref(), Some("panic"));

    let unwinds = catch_unwind(AssertUnwindSafe(|| {
        let mut future = pin!(HttpServerLayer::new().layer(panics).oneshot(get("/inside")));
        let _ = future.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    }));
    assert!(unwinds.is_err());
    let spans = traced.spans();
    let inside = spans.iter().find(|span| text(span, "url.path").as_deref() == Some("/inside"));
    assert_eq!(text(inside.unwrap(), "error.type").as_deref(), Some("panic"));
}

#[tokio::test]
async fn a_caller_far_away_goes_before_the_current_span() {
    let traced = Traced::new();
    let here = info_span!("here");
    let request = |header: Option<&str>| {
        let mut request = get("/");
        if let Some(header) = header {
            request.headers_mut().insert("traceparent", header.parse().unwrap());
        }
        answered(HttpServerLayer::new(), 200, request)
    };
    tracing::Instrument::instrument(request(Some(PARENT)), here.clone()).await;
    let far = traced.span();
    assert_eq!(far.context().trace_id.to_hex(), TRACE);

    tracing::Instrument::instrument(request(None), here.clone()).await;
    drop(here);
    let spans = traced.spans();
    let near = spans.iter().rfind(|span| span.operation_name() == "GET").unwrap();
    let here = named(&spans, "here").context();
    assert_eq!(near.context().trace_id, here.trace_id);
    assert_eq!(near.context().parent_span_id, Some(here.span_id));
}

#[tokio::test]
async fn a_propagator_of_ones_own_reads_the_headers() {
    let traced = Traced::new();
    let request = Request::get("/").header("traceparent", PARENT).body(()).unwrap();
    let deaf = HttpServerLayer::new().with_propagator(CompositePropagator::new(Vec::new()));
    answered(deaf, 200, request).await;
    let span = traced.span();
    assert_ne!(span.context().trace_id.to_hex(), TRACE);
    assert_eq!(span.context().parent_span_id, None);
}

#[tokio::test]
async fn a_level_that_is_filtered_out_makes_no_span_and_handles_the_request() {
    let (builder, _clock, memory) = support::pipeline();
    let pipeline = builder.start().unwrap();
    let subscriber = tracing_subscriber::registry().with(pipeline.layer()).with(LevelFilter::DEBUG);
    let _default = tracing::subscriber::set_default(subscriber);
    for level in [Level::TRACE, Level::DEBUG, Level::INFO, Level::WARN, Level::ERROR] {
        let layer = HttpServerLayer::new().with_level(level);
        let request = Request::get("/").header("traceparent", PARENT).body(()).unwrap();
        assert_eq!(answered(layer, 204, request).await.status(), StatusCode::NO_CONTENT);
    }
    pipeline.flush(support::PLENTY).unwrap();
    assert_eq!(memory.span_count(), 4);
    support::settled(&pipeline);
}

#[tokio::test]
async fn nothing_breaks_without_a_layer_a_host_or_a_path() {
    let mut request = Request::connect("shop.example:443").body(()).unwrap();
    *request.version_mut() = Version::HTTP_2;
    request.headers_mut().insert("user-agent", http::HeaderValue::from_bytes(b"\xff").unwrap());
    let response = answered(HttpServerLayer::new(), 200, request).await;
    assert_eq!(response.status(), StatusCode::OK);

    let traced = Traced::new();
    let mut request = Request::connect("shop.example:443").body(()).unwrap();
    *request.version_mut() = Version::HTTP_2;
    request.headers_mut().insert("user-agent", http::HeaderValue::from_bytes(b"\xff").unwrap());
    answered(HttpServerLayer::new(), 200, request).await;
    let span = traced.span();
    assert_eq!(text(&span, "url.path"), None);
    assert_eq!(text(&span, "server.address").as_deref(), Some("shop.example"));
    assert_eq!(text(&span, "network.protocol.version").as_deref(), Some("2"));
    assert_eq!(text(&span, "user_agent.original").as_deref(), Some("\u{fffd}"));
}

#[tokio::test]
async fn a_route_that_panics_is_no_route() {
    let traced = Traced::new();
    let layer = HttpServerLayer::new().with_route(|_| panic!("this route panics on purpose"));
    let response = answered(layer, 200, get("/")).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(traced.span().operation_name(), "GET");
}

#[tokio::test]
async fn a_sampler_sees_what_the_request_says() {
    let traced = Traced::with(|pipeline| {
        pipeline.with_sampler(|request: &SamplingRequest<'_>| {
            match request.tag("url.path").and_then(TagValue::as_str) {
                Some("/orders") => SamplingResult::sample(),
                _ => SamplingResult::drop(),
            }
        })
    });
    for path in ["/health", "/orders"] {
        let request = Request::get(path).header("traceparent", PARENT).body(()).unwrap();
        answered(HttpServerLayer::new(), 200, request).await;
    }
    assert_eq!(text(&traced.span(), "url.path").as_deref(), Some("/orders"));
}

#[tokio::test]
async fn a_request_that_is_sampled_out_is_handled_and_counted() {
    let traced = Traced::with(|pipeline| pipeline.with_sampler(AlwaysOff));
    assert_eq!(answered(HttpServerLayer::new(), 500, get("/")).await.status().as_u16(), 500);
    assert_eq!(traced.spans().len(), 0);
    assert_eq!(support::settled(&traced.pipeline).live, 0);
}

#[tokio::test]
async fn a_log_of_the_new_span_itself_does_not_tear_it_from_its_caller() {
    let (builder, _clock, memory) = support::pipeline();
    let pipeline = builder.start().unwrap();
    let log = log_lines()
        .with_span_events(FmtSpan::NEW)
        .event_format(TraceIds::text(format()))
        .with_writer(std::io::sink);
    let subscriber = tracing_subscriber::registry().with(pipeline.layer()).with(log);
    let _default = tracing::subscriber::set_default(subscriber);
    let request = Request::get("/").header("traceparent", PARENT).body(()).unwrap();
    answered(HttpServerLayer::new(), 200, request).await;
    pipeline.flush(support::PLENTY).unwrap();
    let context = memory.spans()[0].context().clone();
    assert_eq!(context.trace_id.to_hex(), TRACE);
    assert_eq!(context.parent_span_id.unwrap().to_hex(), CALLER);
}

#[tokio::test]
async fn baggage_without_a_callers_context_goes_with_the_new_trace() {
    let traced = Traced::new();
    let handler = service_fn(async |_request: Request<()>| {
        let context = tracing::Span::current().context().unwrap();
        assert_eq!(context.baggage.get("tenant"), Some("acme"));
        Ok::<_, Infallible>(Response::new(empty()))
    });
    let outer = info_span!("outer").entered();
    let request = Request::get("/").header("baggage", "tenant=acme").body(()).unwrap();
    HttpServerLayer::new().layer(handler).oneshot(request).await.unwrap();
    drop(outer);

    let spans = traced.spans();
    let (server, outer) = (named(&spans, "GET"), named(&spans, "outer"));
    assert_eq!(server.context().parent_span_id, None);
    assert_ne!(server.context().trace_id, outer.context().trace_id);
}
