//! The end of a request's span: with the response, its body, or an error.

use std::any::type_name;
use std::fmt::Display;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::{Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use tracing::Span;
use tracing::field::display;

use super::request_scope::RequestScope;
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
            scope.span.record("error.type", status.as_str());
            scope.span.record("otel.status_code", "error");
            let text = format_args!("no gRPC: HTTP status {}", status.as_u16()).to_string();
            scope.span.record("otel.status_description", text);
        }
    }
}

fn record_error<E: Display>(scope: &RequestScope, error: &E) {
    let span = &scope.span;
    let name = type_name::<E>();
    // The type of an error in a box is not known.
    let kind = if name.starts_with("alloc::boxed::Box<") { "_OTHER" } else { name };
    span.record("error.type", kind);
    span.record("otel.status_code", "error");
    if let Some(text) = scope.redaction.error(error) {
        span.record("otel.status_description", display(text));
    }
}

fn record_abandonment(span: &Span) {
    let (kind, description) = if std::thread::panicking() {
        span.record("exception.type", "panic");
        ("panic", "panicked before there was a response")
    } else {
        ("cancelled", "dropped before there was a response")
    };
    span.record("error.type", kind);
    span.record("otel.status_code", "error");
    span.record("otel.status_description", description);
}

pin_project! {
    /// The future of [`HttpServerService`](super::HttpServerService) and
    /// [`HttpClientService`](super::HttpClientService): runs inside the request's span.
    ///
    /// Dropped before there is a response, it ends the span as an error with the `error.type`
    /// `cancelled`, or `panic` during one.
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
                record_abandonment(&this.scope.span);
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
                Poll::Ready(Ok(response.map(|body| ResponseBody::new(body, scope, side))))
            }
            Err(error) => {
                record_error(&scope, &error);
                Poll::Ready(Err(error))
            }
        }
    }
}

pin_project! {
    /// The body of a response: the request's span lasts until it has ended, failed, or was dropped.
    #[derive(Debug)]
    pub struct ResponseBody<B> {
        // Goes before the span, so that what it holds ends inside of it.
        #[pin]
        inner: B,
        scope: RequestScope,
        side: HttpSide,
    }
}

impl<B: Body> ResponseBody<B> {
    fn new(inner: B, mut scope: RequestScope, side: HttpSide) -> Self {
        if inner.is_end_stream() {
            scope.note_end(side);
            scope = RequestScope::default();
        }
        Self { inner, scope, side }
    }
}

impl<B> Body for ResponseBody<B>
where
    B: Body,
    B::Error: Display,
{
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let mut this = self.project();
        let frame = ready!(this.scope.run(|| this.inner.as_mut().poll_frame(context)));
        let has_ended = match &frame {
            Some(Ok(frame)) => {
                if let Some(trailers) = frame.trailers_ref() {
                    this.scope.note_status(*this.side, trailers);
                }
                this.inner.is_end_stream()
            }
            Some(Err(error)) => {
                record_error(this.scope, error);
                this.scope.awaits_status = false;
                true
            }
            None => true,
        };
        if has_ended {
            this.scope.note_end(*this.side);
            *this.scope = RequestScope::default();
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
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
