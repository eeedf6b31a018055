//! OTLP/gRPC: a request is a unary call, whose message is encoded already.

use std::error::Error;

use bytes::{Buf, BufMut, Bytes};
use http::Uri;
use http::uri::PathAndQuery;
use hyper_util::client::legacy::{self, Client};
use hyper_util::rt::TokioExecutor;
use tonic::body::Body;
use tonic::client::Grpc;
use tonic::codec::{Codec, CompressionEncoding, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::metadata::MetadataMap;
use tonic::{Request, Status};

use super::connect::Connector;
use super::{MOST_ANSWERED, MOST_IDLE, Settings, unreachable};
use crate::export::ExportError;
use crate::export::otlp::answer::{Answer, judge_grpc};

const METHOD: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

#[derive(Clone, Debug)]
pub(in crate::export) struct GrpcClient {
    client: Client<Connector, Body>,
    pub(super) settings: Settings,
    metadata: MetadataMap,
    origin: Uri,
}

impl GrpcClient {
    pub(super) fn new(connector: Connector, settings: Settings) -> Self {
        let client = Client::builder(TokioExecutor::new())
            .http2_only(true)
            .pool_idle_timeout(MOST_IDLE)
            .build(connector);
        let metadata = MetadataMap::from_headers(settings.headers.clone());
        let origin = settings.endpoint.uri.clone();
        Self { client, settings, metadata, origin }
    }

    pub(super) async fn send(&self, body: Bytes) -> Result<Answer, ExportError> {
        let mut call = Grpc::with_origin(self.client.clone(), self.origin.clone())
            .max_decoding_message_size(MOST_ANSWERED);
        if self.settings.gzip {
            // Servers answer in the encoding they were asked in, whatever they are told to accept.
            call = call
                .send_compressed(CompressionEncoding::Gzip)
                .accept_compressed(CompressionEncoding::Gzip);
        }
        let mut request = Request::new(body);
        request.metadata_mut().clone_from(&self.metadata);
        if let Some(timeout) = self.settings.timeout {
            request.set_timeout(timeout);
        }
        let broken = |error: legacy::Error| {
            unreachable::told(&self.settings, "gRPC", error.is_connect(), error)
        };
        call.ready().await.map_err(broken)?;
        let method = PathAndQuery::from_static(METHOD);
        match call.unary(request, method, Encoded).await {
            Ok(response) => Ok(Answer::of_protobuf(response.get_ref())),
            Err(status) => Err(self.judge(status)),
        }
    }

    fn judge(&self, status: Status) -> ExportError {
        // What the connection said comes as the source of a status that no peer sent.
        let is_connect = match status.source() {
            None => {
                let target = &self.settings.endpoint.shown;
                return judge_grpc(target, status.code(), status.message(), status.details());
            }
            Some(source) => source.downcast_ref().is_some_and(legacy::Error::is_connect),
        };
        unreachable::told(&self.settings, "gRPC", is_connect, status)
    }
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
