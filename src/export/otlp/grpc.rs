//! OTLP/gRPC: a request is a unary call, whose message is encoded already.

use std::error::Error;
use std::mem;

use bytes::{Buf, BufMut, Bytes};
use http::Uri;
use http::uri::PathAndQuery;
use hyper_util::client::legacy;
use tonic::client::Grpc;
use tonic::codec::{Codec, CompressionEncoding, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::metadata::MetadataMap;
use tonic::{Code, Request, Status};

use super::answer::{Answer, grpc_failure};
use crate::export::http::{
    ClientService, HttpError, MOST_ANSWERED, Options, OwnSecrets, Peer, Pool, RequestError,
    RequestSize, Version, connection_failure, give_back, other_cure,
};

const METHOD: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

/// A client that keeps its connection. A clone shares it.
#[derive(Clone, Debug)]
pub(super) struct GrpcClient {
    pool: Pool,
    metadata: MetadataMap,
    secrets: OwnSecrets,
    origin: Uri,
    gzip: bool,
}

impl GrpcClient {
    /// Prepares a client; it connects with the first request.
    ///
    /// # Errors
    /// When a header, a proxy or a certificate cannot be used, or when TLS is not there.
    pub(super) fn new(
        peer: Peer,
        user_agent: &'static str,
        options: &Options,
        most_requested: usize,
    ) -> Result<Self, HttpError> {
        let headers = options.header_map(user_agent)?;
        let secrets = OwnSecrets::of(&headers, &peer.endpoint.uri);
        let metadata = MetadataMap::from_headers(headers);
        let origin = peer.endpoint.uri.clone();
        let pool = Pool::new(peer, Version::Http2, options, RequestSize::new(most_requested))?;
        Ok(Self { pool, metadata, secrets, origin, gzip: options.gzip })
    }

    /// Lets requests end as soon as the peer does not answer a probe either.
    #[cfg(feature = "spool")]
    pub(super) fn give_up_when_away(&self) {
        self.pool.give_up_when_away();
    }

    /// The most bytes that the next request should have.
    pub(super) fn request_limit(&self) -> usize {
        self.pool.request_limit()
    }

    /// Sends a request. The buffer comes back empty, with its memory where that is possible.
    ///
    /// # Errors
    /// When no answer came, or one that says that the request was not accepted.
    pub(super) async fn call(&self, body: &mut Vec<u8>) -> Result<Answer, RequestError> {
        let request = Bytes::from(mem::take(body));
        let attempt = self.pool.attempt(request.len());
        let sent = self.send(request.clone());
        let answer = attempt.within_limit(sent, || self.probe()).await;
        give_back(request, body);
        answer.unwrap_or_else(|| Err(self.pool.too_late()))
    }

    async fn send(&self, body: Bytes) -> Result<Answer, RequestError> {
        let mut grpc = self.grpc(self.pool.client());
        grpc.ready().await.map_err(|error| {
            connection_failure(self.pool.peer(), "gRPC", error.is_connect(), error)
        })?;
        match grpc.unary(self.request(body), PathAndQuery::from_static(METHOD), Encoded).await {
            Ok(response) => Ok(Answer::of_protobuf(&self.secrets.hide(response.into_inner()))),
            Err(status) => Err(self.failure(status)),
        }
    }

    /// Whether the peer answers a request without spans, whatever it says.
    async fn probe(&self) -> bool {
        let mut grpc = self.grpc(self.pool.probing_client());
        if grpc.ready().await.is_err() {
            return false;
        }
        let request = self.request(Bytes::new());
        match grpc.unary(request, PathAndQuery::from_static(METHOD), Encoded).await {
            Ok(_) => true,
            Err(status) => is_of_peer(&status),
        }
    }

    fn grpc(&self, client: ClientService) -> Grpc<ClientService> {
        let grpc =
            Grpc::with_origin(client, self.origin.clone()).max_decoding_message_size(MOST_ANSWERED);
        if !self.gzip {
            return grpc;
        }
        // Servers answer in the encoding they were asked in, whatever they are told to accept.
        grpc.send_compressed(CompressionEncoding::Gzip).accept_compressed(CompressionEncoding::Gzip)
    }

    fn request(&self, body: Bytes) -> Request<Bytes> {
        let mut request = Request::new(body);
        request.metadata_mut().clone_from(&self.metadata);
        if let Some(limit) = self.pool.time_limit() {
            request.set_timeout(limit);
        }
        request
    }

    fn failure(&self, status: Status) -> RequestError {
        let peer = self.pool.peer();
        if is_of_peer(&status) {
            let message = self.secrets.hide_in_text(status.message());
            let target = &peer.endpoint.shown;
            let mut failure = grpc_failure(target, status.code(), &message, status.details());
            // An HTTP server that knows HTTP/2 answers 404, which counts as this.
            if status.code() == Code::Unimplemented {
                failure.message.push('.');
                failure.message.push_str(&other_cure(peer, "HTTP"));
            }
            return failure;
        }
        let source = status.source().and_then(|source| source.downcast_ref());
        connection_failure(peer, "gRPC", source.is_some_and(legacy::Error::is_connect), status)
    }
}

/// Whether a peer sent the status: what the connection said comes as the source of a status that no peer sent.
fn is_of_peer(status: &Status) -> bool {
    status.source().is_none()
}

/// Messages that are bytes already.
#[derive(Clone, Copy, Debug)]
struct Encoded;

impl Codec for Encoded {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Encoded {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, message: Bytes, out: &mut EncodeBuf<'_>) -> Result<(), Status> {
        out.put(message);
        Ok(())
    }
}

impl Decoder for Encoded {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, message: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        let len = message.remaining();
        Ok(Some(message.copy_to_bytes(len)))
    }
}
