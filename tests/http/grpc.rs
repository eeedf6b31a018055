//! Calls of gRPC through the layers of HTTP.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::{HeaderMap, Request, Response};
use http_body::{Body, Frame};
use http_body_util::BodyExt;
use tailtrace::layer::http::{HttpClientLayer, HttpServerLayer};
use tailtrace::{Errors, Span, SpanKind, Status};
use tower::{Layer, ServiceExt, service_fn};

use crate::{Traced, number, text};

/// The frames of a response: data, and trailers.
struct Message(VecDeque<Frame<&'static [u8]>>);

impl Message {
    fn ending(status: &[(&'static str, &'static str)]) -> Self {
        let trailers: HeaderMap = status
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect();
        let data = Frame::data(&b"\0\0\0\0\0"[..]);
        let end = (!trailers.is_empty()).then(|| Frame::trailers(trailers));
        Self([data].into_iter().chain(end).collect())
    }
}

impl Body for Message {
    type Data = &'static [u8];
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        Poll::Ready(self.0.pop_front().map(Ok))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_empty()
    }
}

fn call() -> Request<()> {
    Request::post("http://stock.example:50051/shop.v1.Stock/Reserve")
        .header("content-type", "application/grpc+proto")
        .body(())
        .unwrap()
}

/// The answer of a service that speaks gRPC.
fn answer(body: Message) -> Response<Message> {
    Response::builder().header("content-type", "application/grpc").body(body).unwrap()
}

/// The span of a server's side, or a client's, of a call that ends with these trailers.
async fn ended(is_server: bool, trailers: &'static [(&'static str, &'static str)]) -> Span {
    let traced = Traced::new();
    let respond =
        service_fn(async |_: Request<()>| Ok::<_, Infallible>(answer(Message::ending(trailers))));
    let body = if is_server {
        HttpServerLayer::new().layer(respond).oneshot(call()).await.unwrap().into_body()
    } else {
        HttpClientLayer::new().layer(respond).oneshot(call()).await.unwrap().into_body()
    };
    body.collect().await.unwrap();
    traced.span()
}

#[tokio::test]
async fn a_call_has_the_name_and_the_tags_of_the_conventions_for_rpc() {
    let span = ended(true, &[("grpc-status", "0")]).await;
    assert_eq!(span.operation_name(), "shop.v1.Stock/Reserve");
    assert_eq!(span.as_ref().unwrap().kind(), SpanKind::Server);
    let tag = |key| text(&span, key).unwrap_or_default();
    assert_eq!((tag("rpc.system.name"), tag("rpc.system")), ("grpc".into(), "grpc".into()));
    assert_eq!(tag("rpc.method"), "shop.v1.Stock/Reserve");
    assert_eq!(tag("rpc.service"), "shop.v1.Stock");
    assert_eq!(tag("server.address"), "stock.example");
    assert_eq!(number(&span, "server.port"), Some(50051));
    assert_eq!(tag("rpc.response.status_code"), "OK");
    assert_eq!(number(&span, "rpc.grpc.status_code"), Some(0));
    assert_eq!(span.as_ref().unwrap().status(), Status::Unset);
    assert_eq!(span.tag("http.request.method"), None);
    let span = ended(false, &[("grpc-status", "0")]).await;
    assert_eq!(span.as_ref().unwrap().kind(), SpanKind::Client);
}

#[tokio::test]
async fn a_failed_call_is_an_error_at_the_client_and_at_the_server_only_if_it_is_to_blame() {
    let internal: &[_] = &[("grpc-status", "13"), ("grpc-message", "no%20stock")];
    for is_server in [true, false] {
        let span = ended(is_server, internal).await;
        assert_eq!(span.as_ref().unwrap().status(), Status::error("no stock"));
        assert_eq!(text(&span, "error.type").unwrap(), "INTERNAL");
    }
    let span = ended(true, &[("grpc-status", "5")]).await;
    assert_eq!(span.as_ref().unwrap().status(), Status::Unset);
    assert_eq!(text(&span, "rpc.response.status_code").unwrap(), "NOT_FOUND");
    let span = ended(false, &[("grpc-status", "5")]).await;
    assert_eq!(span.as_ref().unwrap().status(), Status::error(""));
}

#[tokio::test]
async fn a_status_in_the_head_counts_and_a_missing_one_is_unknown() {
    let traced = Traced::with(|pipeline| pipeline.with_tail(Errors));
    let respond = service_fn(async |_: Request<()>| {
        let mut response = answer(Message([].into()));
        response.headers_mut().insert("grpc-status", "14".parse().unwrap());
        Ok::<_, Infallible>(response)
    });
    drop(HttpServerLayer::new().layer(respond).oneshot(call()).await.unwrap());
    let span = traced.span();
    assert_eq!(text(&span, "error.type").unwrap(), "UNAVAILABLE");
    drop(traced);
    let span = ended(false, &[]).await;
    assert_eq!(text(&span, "error.type").unwrap(), "UNKNOWN");
}

#[tokio::test]
async fn a_call_that_is_given_up_during_its_body_is_cancelled_and_one_with_a_status_is_not() {
    for (frames_read, code) in [(0, "CANCELLED"), (1, "CANCELLED"), (2, "OK")] {
        let traced = Traced::new();
        let respond = service_fn(async |_: Request<()>| {
            Ok::<_, Infallible>(answer(Message::ending(&[("grpc-status", "0")])))
        });
        let response = HttpServerLayer::new().layer(respond).oneshot(call()).await.unwrap();
        let mut body = response.into_body();
        for _ in 0..frames_read {
            body.frame().await;
        }
        drop(body);
        let span = traced.span();
        assert_eq!(text(&span, "rpc.response.status_code").as_deref(), Some(code));
        let kind = (code != "OK").then(|| "cancelled".to_owned());
        assert_eq!(text(&span, "error.type"), kind);
    }
}

#[tokio::test]
async fn a_proxy_that_answers_in_place_of_the_server_is_an_error() {
    let traced = Traced::new();
    let respond = service_fn(async |_: Request<()>| {
        let response = Response::builder().status(503).body(Message([].into()));
        Ok::<_, Infallible>(response.unwrap())
    });
    drop(HttpClientLayer::new().layer(respond).oneshot(call()).await.unwrap());
    let span = traced.span();
    assert_eq!(text(&span, "error.type").unwrap(), "503");
    assert!(matches!(span.as_ref().unwrap().status(), Status::Error { .. }));
}
