//! The response to a request, or what comes in its place: an error, or nothing.

use std::fmt::Display;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::{Response, StatusCode};
use http_body::Body;
use pin_project_lite::pin_project;

use super::grpc::is_grpc;
use super::request_scope::RequestScope;
use super::response_body::ResponseBody;
use super::side::HttpSide;
use super::url::protocol_version;

impl HttpSide {
    /// Whether a response with this status is an error: a client that asked wrongly is no error of
    /// the server.
    fn is_error(self, status: StatusCode) -> bool {
        match self {
            Self::Server => status.as_u16() >= 500,
            Self::Client => status.as_u16() >= 400,
        }
    }

    fn record_response<B>(self, scope: &mut RequestScope, response: &Response<B>) {
        let status = response.status();
        // What the request says of itself is the caller's choice.
        if self == Self::Server && scope.awaits_status && !is_grpc(response.headers()) {
            scope.is_no_call();
        }
        if scope.awaits_status {
            return self.record_head_of_call(scope, response);
        }
        let span = &scope.span;
        span.record("http.response.status_code", i64::from(status.as_u16()));
        // The version of a request is a wish until the server answers.
        if self == Self::Client
            && let Some(version) = protocol_version(response.version())
        {
            span.record("network.protocol.version", version);
        }
        if self.is_error(status) {
            // The code says why: a description would repeat it.
            span.record("error.type", status.as_str());
            span.record("otel.status_code", "error");
        }
    }
}

impl HttpSide {
    /// gRPC says how a call ended in the trailers, or in the head where there is no body. Any other status than 200 comes
    /// from a proxy or from what is not gRPC.
    fn record_head_of_call<B>(self, scope: &mut RequestScope, response: &Response<B>) {
        let status = response.status();
        scope.note_status(self, response.headers());
        if scope.awaits_status && status != StatusCode::OK {
            scope.awaits_status = false;
            if !scope.is_inside() && !self.is_error(status) {
                scope.span.record("http.response.status_code", i64::from(status.as_u16()));
                return;
            }
            scope.span.record("error.type", status.as_str());
            scope.span.record("otel.status_code", "error");
            let text = format_args!("no gRPC: HTTP status {}", status.as_u16()).to_string();
            scope.span.record("otel.status_description", text);
        }
    }
}

pin_project! {
    /// The future of [`HttpServerService`](super::HttpServerService) and
    /// [`HttpClientService`](super::HttpClientService): runs inside the request's span.
    ///
    /// Dropped before there is a response, it ends the span as an error with the `error.type` `cancelled`, or `panic`
    /// where one has passed through it. At a [border](super::HttpServerLayer::with_border) a caller who goes is no error.
    #[derive(Debug)]
    #[must_use = "a future does nothing unless it is polled"]
    pub struct ResponseFuture<F> {
        // `None` once there is a result.
        #[pin]
        inner: Option<F>,
        scope: RequestScope,
        side: HttpSide,
    }

    impl<F> PinnedDrop for ResponseFuture<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if this.inner.is_some() {
                this.scope.run(|| this.inner.set(None));
                this.scope.note_abandonment("there was a response");
            }
        }
    }
}

impl<F> ResponseFuture<F> {
    pub(super) fn new(inner: F, scope: RequestScope, side: HttpSide) -> Self {
        Self { inner: Some(inner), scope, side }
    }
}

impl<F, B, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: Body,
    E: Display,
{
    type Output = Result<Response<ResponseBody<B>>, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let result = ready!(this.scope.run(|| {
            let result = match this.inner.as_mut().as_pin_mut() {
                Some(inner) => inner.poll(context),
                None => Poll::Pending,
            };
            if result.is_ready() {
                this.inner.set(None);
            }
            result
        }));
        let mut scope = mem::take(this.scope);
        match result {
            Ok(mut response) => {
                let side = *this.side;
                side.record_response(&mut scope, &response);
                scope.tell_trace_id(&mut response);
                Poll::Ready(Ok(ResponseBody::around(response, scope, side)))
            }
            Err(error) => {
                scope.note_error(&error);
                Poll::Ready(Err(error))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_client_did_wrong_is_an_error_of_the_client_alone() {
        let is_error = |side: HttpSide, code| side.is_error(StatusCode::from_u16(code).unwrap());
        for (code, server, client) in [
            (100, false, false),
            (204, false, false),
            (399, false, false),
            (400, false, true),
            (499, false, true),
            (500, true, true),
            (599, true, true),
            (600, true, true),
            (999, true, true),
        ] {
            assert_eq!(is_error(HttpSide::Server, code), server, "{code}");
            assert_eq!(is_error(HttpSide::Client, code), client, "{code}");
        }
    }
}
