//! Clients whose requests and responses are types of their own.

use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::{Request, Response};
use pin_project_lite::pin_project;
use tower_service::Service;

/// Makes a client with types of its own, such as `reqwest::Client`, a service from `http::Request` to
/// `http::Response`, so that an [`HttpClientLayer`](super::HttpClientLayer) wraps it.
///
/// It needs a client that is a tower service, a request that can be made of an `http::Request`, and a response that becomes an
/// `http::Response`; reqwest has all three.
///
/// ```
/// use tailtrace::layer::http::{ForeignClient, HttpClientLayer};
/// use tower::{Layer, ServiceExt};
/// # async fn order() -> Result<(), Box<dyn std::error::Error>> {
/// let client = reqwest::Client::new();
/// let traced = HttpClientLayer::new().layer(ForeignClient::new(client.clone()));
///
/// let request = client.post("http://bank.example/charges").body("12.50").build()?;
/// let response = traced.clone().oneshot(request.try_into()?).await?;
/// let response: reqwest::Response = response.map(reqwest::Body::wrap).into();
/// println!("{}", response.text().await?); // The span ends with the body.
/// # Ok(())
/// # }
/// ```
pub struct ForeignClient<C, R, B> {
    client: C,
    types: PhantomData<fn(R) -> B>,
}

impl<C, R, B> ForeignClient<C, R, B> {
    /// Around a client; `R` is its type of requests and `B` the body of its responses, which the compiler finds out.
    pub fn new(client: C) -> Self
    where
        C: Service<R>,
        C::Response: Into<Response<B>>,
    {
        Self { client, types: PhantomData }
    }
}

impl<C: Clone, R, B> Clone for ForeignClient<C, R, B> {
    fn clone(&self) -> Self {
        Self { client: self.client.clone(), types: PhantomData }
    }
}

impl<C: fmt::Debug, R, B> fmt::Debug for ForeignClient<C, R, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ForeignClient").field(&self.client).finish()
    }
}

impl<C, R, A, B> Service<Request<A>> for ForeignClient<C, R, B>
where
    C: Service<R>,
    Request<A>: TryInto<R, Error = C::Error>,
    C::Response: Into<Response<B>>,
{
    type Response = Response<B>;
    type Error = C::Error;
    type Future = ForeignResponse<C::Future, C::Error, B>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.client.poll_ready(context)
    }

    fn call(&mut self, request: Request<A>) -> Self::Future {
        match request.try_into() {
            Ok(request) => {
                let inner = Some(self.client.call(request));
                ForeignResponse { inner, refused: None, body: PhantomData }
            }
            Err(error) => ForeignResponse { inner: None, refused: Some(error), body: PhantomData },
        }
    }
}

pin_project! {
    /// The future of a [`ForeignClient`].
    #[must_use = "a future does nothing unless it is polled"]
    pub struct ForeignResponse<F, E, B> {
        #[pin]
        inner: Option<F>,
        // Why the request could not be made.
        refused: Option<E>,
        body: PhantomData<fn() -> B>,
    }
}

impl<F, E, B> fmt::Debug for ForeignResponse<F, E, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ForeignResponse").finish_non_exhaustive()
    }
}

impl<F, T, E, B> Future for ForeignResponse<F, E, B>
where
    F: Future<Output = Result<T, E>>,
    T: Into<Response<B>>,
{
    type Output = Result<Response<B>, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if let Some(error) = this.refused.take() {
            return Poll::Ready(Err(error));
        }
        match this.inner.as_pin_mut() {
            Some(inner) => Poll::Ready(ready!(inner.poll(context)).map(Into::into)),
            None => Poll::Pending,
        }
    }
}
