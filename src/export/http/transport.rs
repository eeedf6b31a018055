//! A client that sends one POST at a time.

use std::mem;
use std::sync::OnceLock;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::response::Parts;
use http::{HeaderMap, HeaderValue, Method, Request};
use http_body_util::{BodyExt, Limited};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use super::body::{self, Body};
use super::echo::OwnSecrets;
use super::endpoint::Peer;
use super::error::HttpError;
use super::failure::{RequestError, connection_failure};
use super::gzip;
use super::options::Options;
use super::response::Response;
use super::tls::{self, Connector};

/// The most bytes of an answer that are read (specification, "OTLP exporter": response limit).
pub(in crate::export) const MOST_ANSWERED: usize = 4 * 1024 * 1024;

/// How long a connection may be idle before it is closed: less than peers mostly allow, so that the
/// client closes it and not the peer.
pub(in crate::export) const MOST_IDLE: Duration = Duration::from_secs(30);

/// A client that keeps its connection. A clone shares it.
#[derive(Clone, Debug)]
pub(in crate::export) struct Client {
    client: legacy::Client<Connector, Body>,
    peer: Peer,
    headers: HeaderMap,
    secrets: OwnSecrets,
    time_limit: Option<Duration>,
    gzip: bool,
}

impl Client {
    /// Prepares a client; it connects with the first request.
    ///
    /// # Errors
    /// When a header or a certificate cannot be used, or when TLS is not there.
    pub(in crate::export) fn new(
        peer: Peer,
        content_type: &'static str,
        user_agent: &'static str,
        options: &Options,
    ) -> Result<Self, HttpError> {
        let mut headers = options.header_map(user_agent)?;
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        if options.gzip {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        let connector = tls::http1(tcp(), &peer.endpoint, &options.certificates)?;
        let client = legacy::Client::builder(TokioExecutor::new())
            .pool_max_idle_per_host(1)
            .pool_idle_timeout(MOST_IDLE)
            .build(connector);
        let time_limit = options.time_limit();
        let secrets = OwnSecrets::of(&headers);
        Ok(Self { client, peer, headers, secrets, time_limit, gzip: options.gzip })
    }

    /// How messages name the endpoint.
    pub(in crate::export) fn target(&self) -> &str {
        &self.peer.endpoint.shown
    }

    /// Sends a request. The buffer comes back empty, with its memory where that is possible.
    ///
    /// # Errors
    /// When no answer came.
    pub(in crate::export) async fn post(
        &self,
        body: &mut Vec<u8>,
    ) -> Result<Response, RequestError> {
        let request = Bytes::from(mem::take(body));
        let head = OnceLock::new();
        let answer = within(self.time_limit, self.send(request.clone(), &head)).await;
        // The status says what became of the request: a body that does not come in time changes nothing.
        let alone = || head.get().map(|head| Ok(Response::new(head, Bytes::new())));
        let answer =
            answer.or_else(alone).unwrap_or_else(|| Err(too_late(&self.peer, self.time_limit)));
        give_back(request, body);
        answer
    }

    /// Sends a request; the head of its answer is left in `received` as soon as it is there.
    async fn send(
        &self,
        body: Bytes,
        received: &OnceLock<Parts>,
    ) -> Result<Response, RequestError> {
        let body = if self.gzip { gzip::compressed(&body).into() } else { body };
        let mut request = Request::new(body::whole(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.peer.endpoint.uri.clone();
        request.headers_mut().clone_from(&self.headers);
        let response =
            self.client.request(request).await.map_err(|error| {
                connection_failure(&self.peer, "HTTP", error.is_connect(), error)
            })?;
        let (head, body) = response.into_parts();
        let head = received.get_or_init(|| head);
        let body = Limited::new(body, MOST_ANSWERED).collect().await;
        // A body that was cut short is read as none.
        let body = body.map(|body| body.to_bytes()).unwrap_or_default();
        Ok(Response::new(head, self.secrets.hide(body)))
    }
}

/// Limits the time of a request, from before it has a connection until its answer is read; `None` when
/// the time is over.
pub(in crate::export) async fn within<R>(
    limit: Option<Duration>,
    request: impl Future<Output = R>,
) -> Option<R> {
    // The thread sleeps between batches. After two rounds of its runtime the client knows whether the
    // peer has closed the connection meanwhile.
    for _ in 0..2 {
        tokio::task::yield_now().await;
    }
    match limit {
        None => Some(request.await),
        Some(limit) => tokio::time::timeout(limit, request).await.ok(),
    }
}

/// The failure of a request whose time is over.
pub(in crate::export) fn too_late(peer: &Peer, limit: Option<Duration>) -> RequestError {
    let target = &peer.endpoint.shown;
    let limit = limit.unwrap_or_default();
    let message = format!("no answer from {target} within {limit:?}; is it overloaded?");
    RequestError::retryable(message, None)
}

/// Gives the memory of a request back to the buffer that it was written in, unless the connection
/// still has it.
pub(in crate::export) fn give_back(request: Bytes, buffer: &mut Vec<u8>) {
    if request.is_unique() {
        *buffer = request.into();
        buffer.clear();
    }
}

pub(in crate::export) fn tcp() -> HttpConnector {
    let mut tcp = HttpConnector::new();
    tcp.set_nodelay(true);
    // TLS is put on top where the endpoint asks for it.
    tcp.enforce_http(false);
    tcp
}
