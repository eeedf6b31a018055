//! The connection that a client keeps, for as long as it is worth its place.
//!
//! A connection that did not bring an answer in time may be dead without a sign of it: a router forgot it, a
//! balancer hangs, an answer drips. It is broken then, and the next request makes a new one.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::HeaderValue;
use hyper_util::client::legacy;
use hyper_util::rt::{TokioExecutor, TokioTimer};

use super::client_service::{ClientService, HyperClient, MOST_BEFORE_ANSWER};
use super::dialer::{Dialer, Version};
use super::presence::{Presence, Watched};
use super::stream::OpenStreams;
use crate::export::http::endpoint::Peer;
use crate::export::http::error::HttpError;
use crate::export::http::failure::RequestError;
use crate::export::http::options::Options;
use crate::export::http::request_size::RequestSize;
use crate::export::http::tls::{self, Connector};
use crate::kit::fork::PerProcess;
use crate::kit::internal_log;
use crate::kit::unwind_safe::lock;
use crate::time::Clock;

/// How long a connection may be idle before it is closed: less than peers mostly allow, so that the
/// client closes it and not the peer.
const MOST_IDLE: Duration = Duration::from_secs(30);

/// How long the peer may say nothing during a call by HTTP/2 before it is asked whether it is there, and how
/// long it may take to say so.
#[cfg(feature = "otlp")]
const MOST_SILENT: Duration = Duration::from_secs(5);

/// The most bytes of an answer that are read ahead of the request that waits for them. The head has to fit.
const MOST_AHEAD: usize = 64 * 1024;

const _: () =
    assert!(3 * MOST_AHEAD < MOST_BEFORE_ANSWER, "no answer may break before its head is seen");

/// The connection to one peer. A clone shares it.
#[derive(Clone, Debug)]
pub(in crate::export) struct Pool {
    client: Arc<PerProcess<Mutex<HyperClient>>>,
    builder: legacy::Builder,
    connector: Connector,
    streams: OpenStreams,
    peer: Peer,
    size: RequestSize,
    presence: Presence,
    time_limit: Option<Duration>,
    /// What a proxy that reads the requests wants to be told.
    proxy_authorization: Option<HeaderValue>,
    /// Whether the operator knows already that there is no TLS on the way.
    told_of_plain_text: Arc<AtomicBool>,
}

impl Pool {
    /// Prepares a connection; it is made with the first request.
    ///
    /// # Errors
    /// When the proxy or a certificate cannot be used, or when TLS is not there.
    pub(in crate::export) fn new(
        peer: Peer,
        version: Version,
        options: &Options,
        size: RequestSize,
    ) -> Result<Self, HttpError> {
        let proxy = options.proxy()?;
        let dialer = Dialer::new(&peer.endpoint, proxy.as_ref(), version);
        let forwards = dialer.forwards();
        let proxy_authorization = proxy.and_then(|proxy| proxy.authorization);
        let streams = dialer.streams.clone();
        let connector = tls::connector(dialer, version, &peer.endpoint, &options.certificates)?;
        let builder = builder(version);
        Ok(Self {
            client: Arc::new(PerProcess::new(Mutex::new(builder.build(connector.clone())))),
            builder,
            connector,
            streams,
            size,
            presence: Presence::default(),
            time_limit: options.time_limit(),
            proxy_authorization: proxy_authorization.filter(|_| forwards),
            told_of_plain_text: Arc::new(AtomicBool::new(!peer.endpoint.is_plain_text_abroad())),
            peer,
        })
    }

    pub(in crate::export) fn peer(&self) -> &Peer {
        &self.peer
    }

    pub(super) fn proxy_authorization(&self) -> Option<&HeaderValue> {
        self.proxy_authorization.as_ref()
    }

    #[cfg(feature = "otlp")]
    pub(in crate::export) fn time_limit(&self) -> Option<Duration> {
        self.time_limit
    }

    /// Lets requests end as soon as the peer does not answer a probe either.
    #[cfg(feature = "spool")]
    pub(in crate::export) fn give_up_when_away(&self) {
        self.presence.give_up_when_away();
    }

    pub(in crate::export) fn request_limit(&self) -> usize {
        self.size.limit()
    }

    /// The client for one request.
    pub(in crate::export) fn client(&self) -> ClientService {
        ClientService::new(lock(self.kept()).clone(), Some(self.streams.clone()))
    }

    /// A client for one probe, with a connection of its own.
    pub(in crate::export) fn probing_client(&self) -> ClientService {
        ClientService::new(self.builder.build(self.connector.clone()), None)
    }

    /// Begins to send a request of this many bytes.
    pub(in crate::export) fn attempt(&self, bytes: usize) -> Attempt<'_> {
        // Once: which thread is first does not matter.
        if !self.told_of_plain_text.swap(true, Ordering::Relaxed) {
            let target = &self.peer.endpoint.shown;
            internal_log::warn(&format!(
                "spans go to {target} without TLS, and can be read on the way; use https://, or a collector on this machine"
            ));
        }
        Attempt { pool: self, bytes, is_in_time: false, is_forgotten: false }
    }

    /// The failure of a request whose time is over.
    pub(in crate::export) fn too_late(&self) -> RequestError {
        let target = &self.peer.endpoint.shown;
        let limit = self.time_limit.unwrap_or_default();
        let message = format!("no answer from {target} within {limit:?}; is it overloaded?");
        RequestError::retryable(message, None)
    }

    /// The failure of a request to a peer that does not answer a probe either.
    fn away(&self) -> RequestError {
        let target = &self.peer.endpoint.shown;
        let message = format!("no answer from {target}, nor to a request without spans");
        RequestError::retryable(message, None)
    }

    /// The failure of a request that a peer has forgotten, which is to be sent again at once.
    fn forgotten(&self) -> RequestError {
        let target = &self.peer.endpoint.shown;
        let message = format!("{target} was away, and does not answer what it was sent before");
        RequestError::retryable(message, Some(Duration::ZERO))
    }

    /// The client that is kept. A process that was forked off makes one of its own: the connection is the parent's, whose
    /// thread alone serves it.
    fn kept(&self) -> &Mutex<HyperClient> {
        self.client.get(|| Mutex::new(self.builder.build(self.connector.clone())))
    }

    /// Breaks the connection, if there is one: the next request makes another.
    fn distrust(&self) {
        let fresh = self.builder.build(self.connector.clone());
        let old = std::mem::replace(&mut *lock(self.kept()), fresh);
        drop(old);
        self.streams.break_all();
    }
}

fn builder(version: Version) -> legacy::Builder {
    let mut builder = legacy::Client::builder(TokioExecutor::new());
    builder.pool_max_idle_per_host(1).pool_idle_timeout(MOST_IDLE);
    builder.timer(TokioTimer::new());
    match version {
        Version::Http1 => {
            builder.http1_max_buf_size(MOST_AHEAD);
        }
        #[cfg(feature = "otlp")]
        Version::Http2 => {
            builder.http2_only(true);
            builder.http2_initial_stream_window_size(MOST_AHEAD as u32);
            builder.http2_initial_connection_window_size(MOST_AHEAD as u32);
            builder.http2_keep_alive_interval(MOST_SILENT).http2_keep_alive_timeout(MOST_SILENT);
        }
    }
    builder
}

/// A request on its way. Dropped before it is answered, because its time or the exporter's is over, it costs the connection its
/// place and lets the next requests be smaller.
#[derive(Debug)]
pub(in crate::export) struct Attempt<'p> {
    pool: &'p Pool,
    bytes: usize,
    is_in_time: bool,
    /// Whether the peer was away meanwhile, so that nothing is known of the link.
    is_forgotten: bool,
}

impl Attempt<'_> {
    /// Waits for a request, and asks the peer by `probe` whether it is there where that takes long; `None` when the
    /// request's time is over.
    pub(in crate::export) async fn within_limit<R, P: Future<Output = bool>>(
        mut self,
        request: impl Future<Output = Result<R, RequestError>>,
        probe: impl FnMut() -> P,
    ) -> Option<Result<R, RequestError>> {
        let Pool { presence, size, time_limit, .. } = self.pool;
        let clock = Clock::system();
        let start = clock.now();
        let watched = presence.watch(request, probe, tokio::time::sleep);
        let answer = match within(*time_limit, watched).await? {
            Watched::Answered(answer) => answer,
            Watched::Forgotten => {
                self.is_forgotten = true;
                return Some(Err(self.pool.forgotten()));
            }
            Watched::Away => return Some(Err(self.pool.away())),
        };
        self.is_in_time = true;
        // A connection that is refused at once says nothing about what the link carries.
        let has_answer = answer.as_ref().err().is_none_or(|error| !error.is_unanswered);
        presence.note(has_answer);
        if has_answer {
            size.answered(self.bytes, clock.now().since(start), *time_limit);
        }
        Some(answer)
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        if self.is_in_time {
            return;
        }
        if !self.is_forgotten {
            self.pool.size.timed_out(self.bytes);
        }
        self.pool.distrust();
    }
}

/// Limits the time of a request, from before it has a connection until its answer is read; `None` when
/// the time is over.
async fn within<R>(limit: Option<Duration>, request: impl Future<Output = R>) -> Option<R> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::http::endpoint::Endpoint;
    use crate::export::http::failure::connection_failure;

    #[test]
    fn requests_grow_by_answers_and_not_by_refused_connections() {
        let endpoint = Endpoint::exact("http://127.0.0.1:1/", "/").unwrap();
        let peer = Peer { endpoint, name: "a collector", language: "OTLP", other_cure: None };
        let size = RequestSize::new(1 << 20);
        let pool = Pool::new(peer, Version::Http1, &Options::default(), size.clone()).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        size.timed_out(1 << 20);
        let small = size.limit();
        let refused = connection_failure(pool.peer(), "HTTP", true, std::fmt::Error);
        let no_probe = || async { unreachable!() };
        let request = pool.attempt(small).within_limit(async { Err::<(), _>(refused) }, no_probe);
        assert!(runtime.block_on(request).is_some());
        assert_eq!(size.limit(), small);
        let said = RequestError::retryable("busy".into(), None);
        let request = pool.attempt(small).within_limit(async { Err::<(), _>(said) }, no_probe);
        assert!(runtime.block_on(request).is_some());
        assert_eq!(size.limit(), 2 * small);
    }
}
