//! The body of a response, with which the request's span ends.

use std::fmt::Display;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Buf;
use http::{HeaderMap, Response, header};
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::request_scope::RequestScope;
use super::side::HttpSide;

pin_project! {
    /// The body of a response: the request's span lasts until it has ended, failed, or was dropped.
    ///
    /// Dropped after it was begun and before it has ended, it ends the span as an error with the `error.type`
    /// `cancelled`, or `panic` where one has passed through it. A body that is never polled, as that of an answer to
    /// `HEAD`, is no error; nor is a caller who goes at a [border](super::HttpServerLayer::with_border).
    #[derive(Debug)]
    pub struct ResponseBody<B> {
        // Goes before the span, so that what it holds ends inside of it.
        #[pin]
        inner: B,
        // The default once the span has ended.
        scope: RequestScope,
        side: HttpSide,
        was_polled: bool,
        // The bytes that have yet to come, where that is known.
        left: Option<u64>,
    }

    impl<B> PinnedDrop for ResponseBody<B> {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            // A server knows the length, and asks for no end behind the last byte.
            let is_begun = *this.was_polled && *this.left != Some(0);
            if (is_begun || this.scope.awaits_status) && !this.scope.span.is_none() {
                this.scope.note_abandonment("the body had ended");
            }
        }
    }
}

impl<B: Body> ResponseBody<B> {
    /// Puts the body of this response into the scope of its request.
    pub(super) fn around(
        response: Response<B>,
        mut scope: RequestScope,
        side: HttpSide,
    ) -> Response<Self> {
        let length = length(response.headers());
        response.map(|inner| {
            if inner.is_end_stream() {
                scope.note_end(side);
                scope = RequestScope::default();
            }
            let left = length.or_else(|| inner.size_hint().exact());
            Self { inner, scope, side, was_polled: false, left }
        })
    }
}

fn length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
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
        *this.was_polled = true;
        let frame = ready!(this.scope.run(|| this.inner.as_mut().poll_frame(context)));
        let has_ended = match &frame {
            Some(Ok(frame)) => {
                let came = frame.data_ref().map_or(0, |data| data.remaining() as u64);
                *this.left = this.left.map(|left| left.saturating_sub(came));
                let trailers = frame.trailers_ref();
                if let Some(trailers) = trailers {
                    this.scope.note_status(*this.side, trailers);
                }
                // Nothing comes behind trailers, and a server asks for nothing more.
                trailers.is_some() || this.inner.is_end_stream()
            }
            Some(Err(error)) => {
                this.scope.note_error(error);
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
