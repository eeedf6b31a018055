//! The only part of OTLP that talks to the network.
//!
//! It runs on the runtime of whoever calls: in a pipeline that of delivery, one thread for each
//! exporter. It sends one request at a time and never waits to try again.

mod grpc;
mod http;
#[cfg(not(feature = "otlp-tls"))]
mod plain;
#[cfg(feature = "otlp-tls")]
mod roots;
#[cfg(feature = "otlp-tls")]
mod tls;
mod unreachable;

use std::time::Duration;

use ::http::HeaderMap;
use bytes::Bytes;
use hyper_util::client::legacy::connect::HttpConnector;

use super::answer::Answer;
use super::endpoint::Endpoint;
use super::{OtlpError, OtlpProtocol};
use crate::export::ExportError;
#[cfg(not(feature = "otlp-tls"))]
use plain as connect;
#[cfg(feature = "otlp-tls")]
use tls as connect;

/// The most bytes of an answer that are read (specification, "OTLP exporter": response limit).
const MOST_ANSWERED: usize = 4 * 1024 * 1024;

/// How long a connection may lie idle before another is made: less than peers mostly allow, so that
/// it is not them who close it.
const MOST_IDLE: Duration = Duration::from_secs(30);

/// The certificates for TLS, in the form of PEM.
#[derive(Clone, Default)]
pub(super) struct Certificates {
    /// Whom to trust in place of everybody else.
    pub(super) ca: Option<Vec<u8>>,
    /// Our own certificate and its key.
    pub(super) identity: Option<(Vec<u8>, Vec<u8>)>,
}

/// How requests are sent.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) endpoint: Endpoint,
    /// What every request carries beside the headers of the protocol.
    pub(super) headers: HeaderMap,
    pub(super) timeout: Option<Duration>,
    pub(super) gzip: bool,
    /// Who is expected there, for messages.
    pub(super) peer: &'static str,
    /// What is spoken there, for messages.
    pub(super) language: &'static str,
}

/// A client that keeps its connection. A clone shares it.
#[derive(Clone, Debug)]
pub(in crate::export) enum Transport {
    Http(http::HttpClient),
    Grpc(grpc::GrpcClient),
}

impl Transport {
    pub(super) fn new(
        protocol: OtlpProtocol,
        settings: Settings,
        certificates: &Certificates,
    ) -> Result<Self, OtlpError> {
        match protocol {
            OtlpProtocol::Grpc => {
                let connector = connect::http2(tcp(), &settings.endpoint, certificates)?;
                Ok(Self::Grpc(grpc::GrpcClient::new(connector, settings)))
            }
            OtlpProtocol::HttpProtobuf | OtlpProtocol::HttpJson => {
                let is_json = protocol == OtlpProtocol::HttpJson;
                let connector = connect::http1(tcp(), &settings.endpoint, certificates)?;
                Ok(Self::Http(http::HttpClient::new(connector, settings, is_json)))
            }
        }
    }

    /// Sends a request. The buffer comes back empty, with its memory where that was possible.
    pub(in crate::export) async fn send(&self, body: &mut Vec<u8>) -> Result<Answer, ExportError> {
        let request = Bytes::from(std::mem::take(body));
        let sent = request.clone();
        let answer = match self {
            Self::Http(client) => within(&client.settings, client.send(sent)).await,
            Self::Grpc(client) => within(&client.settings, client.send(sent)).await,
        };
        if request.is_unique() {
            *body = request.into();
            body.clear();
        }
        answer
    }
}

/// Limits the time of a request, from before it has a connection until its answer is read.
async fn within(
    settings: &Settings,
    request: impl Future<Output = Result<Answer, ExportError>>,
) -> Result<Answer, ExportError> {
    // The thread sleeps between batches: two rounds of its runtime, and a connection that was closed
    // meanwhile is known to be.
    for _ in 0..2 {
        tokio::task::yield_now().await;
    }
    let Some(limit) = settings.timeout else {
        return request.await;
    };
    let limited = tokio::time::timeout(limit, request).await;
    limited.unwrap_or_else(|_| {
        let target = &settings.endpoint.shown;
        let message = format!("no answer from {target} within {limit:?}; is it overloaded?");
        Err(ExportError::retryable(message))
    })
}

fn tcp() -> HttpConnector {
    let mut tcp = HttpConnector::new();
    tcp.set_nodelay(true);
    // Whoever needs TLS puts it on top.
    tcp.enforce_http(false);
    tcp
}
