//! How a client reaches its peer: directly, through a proxy, or by a socket of Unix.

use std::error::Error;
use std::future::poll_fn;
use std::path::PathBuf;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use http::uri::Scheme;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::rt::TokioIo;
use tower_service::Service;

#[cfg(not(unix))]
use super::no_unix as unix;
use super::stream::{OpenStreams, PeerStream, Socket};
#[cfg(unix)]
use super::unix;
use crate::export::http::endpoint::Endpoint;
use crate::export::http::proxy::Proxy;

/// How long a connection may take: the rest of a request's time is for the peer's answer.
const MOST_CONNECTING: Duration = Duration::from_secs(5);

/// Whether requests travel as HTTP/1, which a proxy can pass on, or need a tunnel through it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::export) enum Version {
    Http1,
    #[cfg(feature = "otlp")]
    Http2,
}

#[derive(Clone, Debug)]
enum Route {
    Direct(HttpConnector),
    /// The proxy reads each request and passes it on.
    Forward(HttpConnector, Uri),
    Tunnel(Tunnel<HttpConnector>),
    Unix(PathBuf),
}

/// Connects to one peer. A clone shares the streams.
#[derive(Clone, Debug)]
pub(in crate::export) struct Dialer {
    route: Route,
    pub(super) streams: OpenStreams,
}

impl Dialer {
    pub(super) fn new(endpoint: &Endpoint, proxy: Option<&Proxy>, version: Version) -> Self {
        let forwards = version == Version::Http1 && !endpoint.is_https;
        let route = match (&endpoint.socket, proxy) {
            (Some(path), _) => Route::Unix(path.clone()),
            (None, None) => Route::Direct(tcp()),
            (None, Some(proxy)) if forwards => Route::Forward(tcp(), proxy.uri.clone()),
            (None, Some(proxy)) => {
                let tunnel = Tunnel::new(proxy.uri.clone(), tcp());
                Route::Tunnel(match &proxy.authorization {
                    Some(authorization) => tunnel.with_auth(authorization.clone()),
                    None => tunnel,
                })
            }
        };
        Self { route, streams: OpenStreams::default() }
    }

    /// Whether a proxy reads the requests, which are to say who asks then.
    pub(super) fn forwards(&self) -> bool {
        matches!(self.route, Route::Forward(..))
    }
}

type BoxError = Box<dyn Error + Send + Sync>;

impl Route {
    async fn connect(self, to: Uri) -> Result<Box<dyn Socket>, BoxError> {
        let tcp = match self {
            Self::Direct(tcp) => ready(tcp, to).await?,
            Self::Forward(tcp, proxy) => ready(tcp, proxy).await?,
            Self::Tunnel(tunnel) => ready(tunnel, with_port(to)?).await?,
            Self::Unix(path) => return Ok(unix::connect(&path).await?),
        };
        Ok(Box::new(tcp.into_inner()))
    }
}

async fn ready<S>(mut service: S, to: Uri) -> Result<S::Response, S::Error>
where
    S: Service<Uri>,
{
    poll_fn(|context| service.poll_ready(context)).await?;
    service.call(to).await
}

/// A tunnel leads to port 443 where the address has none.
fn with_port(to: Uri) -> Result<Uri, http::Error> {
    if to.port().is_some() || to.scheme() != Some(&Scheme::HTTP) {
        return Ok(to);
    }
    let host = to.host().unwrap_or_default().to_owned();
    Uri::builder().scheme(Scheme::HTTP).authority(format!("{host}:80")).path_and_query("/").build()
}

impl Service<Uri> for Dialer {
    type Response = TokioIo<PeerStream>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        let Self { route, streams } = self.clone();
        let is_proxied = self.forwards();
        Box::pin(async move {
            let socket = route.connect(to).await?;
            Ok(TokioIo::new(streams.open(socket, is_proxied)))
        })
    }
}

fn tcp() -> HttpConnector {
    let mut tcp = HttpConnector::new();
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(Some(MOST_CONNECTING));
    // TLS is put on top where the endpoint asks for it.
    tcp.enforce_http(false);
    tcp
}
