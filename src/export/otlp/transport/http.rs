//! OTLP/HTTP: a request is a POST.

use std::sync::OnceLock;

use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, RETRY_AFTER};
use http::response::Parts;
use http::{HeaderMap, HeaderValue, Method, Request};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;

use super::connect::Connector;
use super::{MOST_ANSWERED, MOST_IDLE, Settings, unreachable};
use crate::export::ExportError;
use crate::export::otlp::answer::{Answer, HttpAnswer};
use crate::export::otlp::gzip;
use crate::time::Clock;

#[derive(Clone, Debug)]
pub(in crate::export) struct HttpClient {
    client: Client<Connector, Full<Bytes>>,
    pub(super) settings: Settings,
    headers: HeaderMap,
}

impl HttpClient {
    pub(super) fn new(connector: Connector, settings: Settings, is_json: bool) -> Self {
        let client = Client::builder(TokioExecutor::new())
            .pool_max_idle_per_host(1)
            .pool_idle_timeout(MOST_IDLE)
            .build(connector);
        let mut headers = settings.headers.clone();
        let form = if is_json { "application/json" } else { "application/x-protobuf" };
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(form));
        if settings.gzip {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        Self { client, settings, headers }
    }

    /// Sends a request; the head of its answer is left in `heard` as soon as it is there.
    pub(super) async fn send(
        &self,
        body: Bytes,
        heard: &OnceLock<Parts>,
    ) -> Result<Answer, ExportError> {
        let body = if self.settings.gzip { gzip::compressed(&body).into() } else { body };
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.settings.endpoint.uri.clone();
        request.headers_mut().clone_from(&self.headers);
        let response = self.client.request(request).await.map_err(|error| {
            unreachable::told(&self.settings, "HTTP", error.is_connect(), error)
        })?;
        let (head, body) = response.into_parts();
        let head = heard.get_or_init(|| head);
        let body = Limited::new(body, MOST_ANSWERED).collect().await;
        // One that was cut short says nothing.
        self.judge(head, &body.map(|body| body.to_bytes()).unwrap_or_default())
    }

    pub(super) fn judge(&self, head: &Parts, body: &[u8]) -> Result<Answer, ExportError> {
        let text = |name| head.headers.get(name).and_then(|value| value.to_str().ok());
        let answer = HttpAnswer {
            status: head.status,
            retry_after: text(RETRY_AFTER),
            is_json: text(CONTENT_TYPE).is_some_and(|form| form.starts_with("application/json")),
            body,
        };
        answer.judge(&self.settings.endpoint.shown, Clock::system().wall())
    }
}
