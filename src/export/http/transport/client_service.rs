//! A client that tells its streams when the head of an answer is there.

use std::pin::Pin;
use std::task::{Context, Poll};

use http::Request;
use hyper_util::client::legacy;
use tower_service::Service;

use super::stream::OpenStreams;
use crate::export::http::body::Body;
use crate::export::http::tls::Connector;

/// The most bytes of an answer's body that are read (specification, "OTLP exporter": response limit).
pub(in crate::export) const MOST_ANSWERED: usize = 4 * 1024 * 1024;

/// The most bytes that a peer may send until the head of its answer is there: certificates, the head, and heads of
/// answers that only inform, which a peer could send without end.
pub(super) const MOST_BEFORE_ANSWER: usize = 256 * 1024;

/// The most bytes that a peer may send after that: what a body may have, and what stands around its pieces.
const MOST_AFTER_HEAD: usize = MOST_ANSWERED + MOST_BEFORE_ANSWER;

pub(super) type HyperClient = legacy::Client<Connector, Body>;

type HyperResponse = <HyperClient as Service<Request<Body>>>::Response;

/// The client for one request.
#[derive(Clone, Debug)]
pub(in crate::export) struct ClientService {
    client: HyperClient,
    /// Those that the answer comes by. A probe, beside which there is another request, allows its peer no more than that.
    streams: Option<OpenStreams>,
}

impl ClientService {
    pub(super) fn new(client: HyperClient, streams: Option<OpenStreams>) -> Self {
        Self { client, streams }
    }
}

impl Service<Request<Body>> for ClientService {
    type Response = HyperResponse;
    type Error = legacy::Error;
    type Future = Pin<Box<dyn Future<Output = Result<HyperResponse, legacy::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), legacy::Error>> {
        self.client.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let streams = self.streams.clone();
        let allow = move |bytes| streams.iter().for_each(|streams| streams.allow(bytes));
        allow(MOST_BEFORE_ANSWER);
        let answer = self.client.call(request);
        Box::pin(async move {
            let answer = answer.await?;
            allow(MOST_AFTER_HEAD);
            Ok(answer)
        })
    }
}
