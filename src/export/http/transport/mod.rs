//! A client that sends one POST at a time.

mod client_service;
mod dialer;
#[cfg(not(unix))]
mod no_unix;
mod pool;
mod presence;
mod stream;
#[cfg(unix)]
mod unix;

use std::mem;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, PROXY_AUTHORIZATION};
use http::response::Parts;
use http::{HeaderMap, HeaderValue, Method, Request};
use http_body_util::BodyExt;
use tower_service::Service;

use super::body;
use super::echo::OwnSecrets;
use super::endpoint::Peer;
use super::error::HttpError;
use super::failure::{RequestError, connection_failure};
use super::gzip;
use super::options::Options;
use super::request_size::RequestSize;
use super::response::Response;
use crate::kit::internal_log;

#[cfg(feature = "otlp")]
pub(in crate::export) use client_service::ClientService;
pub(in crate::export) use client_service::MOST_ANSWERED;
pub(in crate::export) use dialer::{Dialer, Version};
pub(in crate::export) use pool::Pool;

/// The most pieces in which an answer may come: a peer that sends byte by byte costs work for each.
const MOST_PIECES: usize = 16 * 1024;

/// A client that keeps its connection. A clone shares it.
#[derive(Clone, Debug)]
pub(in crate::export) struct Client {
    pool: Pool,
    headers: HeaderMap,
    secrets: OwnSecrets,
    gzip: bool,
    /// The body of a request without spans.
    empty: &'static str,
    /// Whether the operator knows of answers that look like those of another service.
    told_of_oddity: Arc<AtomicBool>,
}

/// What requests consist of.
#[derive(Clone, Copy, Debug)]
pub(in crate::export) struct Content {
    /// The media type, such as `application/json`.
    pub(in crate::export) media_type: &'static str,
    /// The body of a request without spans.
    pub(in crate::export) empty: &'static str,
}

impl Client {
    /// Prepares a client; it connects with the first request, which should have at most `most_requested` bytes.
    ///
    /// # Errors
    /// When a header, a proxy or a certificate cannot be used, or when TLS is not there.
    pub(in crate::export) fn new(
        peer: Peer,
        content: Content,
        user_agent: &'static str,
        options: &Options,
        most_requested: usize,
    ) -> Result<Self, HttpError> {
        let mut headers = options.header_map(user_agent)?;
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content.media_type));
        if options.gzip {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        let size = RequestSize::new(most_requested);
        let pool = Pool::new(peer, Version::Http1, options, size)?;
        if let Some(authorization) = pool.proxy_authorization() {
            headers.insert(PROXY_AUTHORIZATION, authorization.clone());
        }
        let secrets = OwnSecrets::of(&headers, &pool.peer().endpoint.uri);
        let Content { empty, .. } = content;
        let told_of_oddity = Arc::default();
        Ok(Self { pool, headers, secrets, gzip: options.gzip, empty, told_of_oddity })
    }

    /// How messages name the endpoint.
    #[cfg(feature = "otlp")]
    pub(in crate::export) fn target(&self) -> &str {
        &self.pool.peer().endpoint.shown
    }

    /// Lets requests end as soon as the peer does not answer a probe either.
    #[cfg(feature = "spool")]
    pub(in crate::export) fn give_up_when_away(&self) {
        self.pool.give_up_when_away();
    }

    /// The most bytes that the next request should have.
    pub(in crate::export) fn request_limit(&self) -> usize {
        self.pool.request_limit()
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
        let attempt = self.pool.attempt(request.len());
        let sent = self.send(request.clone(), &head);
        let answer = attempt.within_limit(sent, || self.probe()).await;
        let answer = match (answer, head.get()) {
            (Some(Ok(response)), _) => Ok(response),
            // The status says what became of the request: a body that does not come in time changes nothing.
            (_, Some(head)) => Ok(Response::new(head, Bytes::new())),
            (answer, None) => answer.unwrap_or_else(|| Err(self.pool.too_late())),
        };
        give_back(request, body);
        if let Ok(response) = &answer {
            self.tell(response);
        }
        answer
    }

    /// Tells once of answers that look like those of another service, also where only some of them do.
    fn tell(&self, response: &Response) {
        // Alone: which request is first does not matter.
        if let Some(oddity) = response.oddity()
            && !self.told_of_oddity.swap(true, Ordering::Relaxed)
        {
            internal_log::warn(&format!("{} {oddity}", self.pool.peer().endpoint.shown));
        }
    }

    /// Sends a request; the head of its answer is left in `received` as soon as it is there.
    async fn send(
        &self,
        body: Bytes,
        received: &OnceLock<Parts>,
    ) -> Result<Response, RequestError> {
        let request = self.request(body);
        let response = self.pool.client().call(request).await.map_err(|error| {
            connection_failure(self.pool.peer(), "HTTP", error.is_connect(), error)
        })?;
        let (head, body) = response.into_parts();
        let head = received.get_or_init(|| head);
        // A body that was cut short is read as none.
        let body = read(body).await.unwrap_or_default();
        Ok(Response::new(head, self.secrets.hide(body)))
    }

    /// Whether the peer answers a request without spans, whatever it says.
    async fn probe(&self) -> bool {
        let request = self.request(Bytes::from_static(self.empty.as_bytes()));
        self.pool.probing_client().call(request).await.is_ok()
    }

    fn request(&self, body: Bytes) -> Request<body::Body> {
        let body = if self.gzip { gzip::compressed(&body).into() } else { body };
        let mut request = Request::new(body::whole(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.pool.peer().endpoint.uri.clone();
        request.headers_mut().clone_from(&self.headers);
        request
    }
}

/// Reads a body to its end; `None` where it is longer than an answer may be, or comes in too many pieces.
async fn read<B>(mut body: B) -> Option<Bytes>
where
    B: BodyExt<Data = Bytes> + Unpin,
{
    let mut read = Vec::new();
    for _ in 0..MOST_PIECES {
        let Some(frame) = body.frame().await else { return Some(read.into()) };
        let data = frame.ok()?.into_data().unwrap_or_default();
        if read.len() + data.len() > MOST_ANSWERED {
            return None;
        }
        read.extend_from_slice(&data);
    }
    None
}

/// Gives the memory of a request back to the buffer that it was written in, unless the connection
/// still has it.
pub(in crate::export) fn give_back(request: Bytes, buffer: &mut Vec<u8>) {
    if request.is_unique() {
        *buffer = request.into();
        buffer.clear();
    }
}
