//! Traces to Zipkin.

mod builder;
mod encode;
mod remote_endpoint;

use std::borrow::Cow;
use std::fmt;
use std::mem;

use arc_swap::ArcSwapOption;
use async_trait::async_trait;

pub use builder::ZipkinExporterBuilder;

use super::http::{Client, RequestError, RequestProgress, log_words};
use super::{Batch, Batching, ExportError, Exporter, TraceSizes};
use crate::kit::fork::ForkLock;
use crate::time::Clock;

/// The most bytes of a request before compression. A single span may be larger.
const MOST_REQUESTED: usize = 8 * 1024 * 1024;

/// Sends traces to Zipkin, and to what takes its JSON of version 2.
///
/// OpenTelemetry: the Zipkin exporter. Feature `zipkin`. Where the backend takes OTLP too, as newer
/// ones do, prefer [`OtlpExporter`](super::OtlpExporter): Zipkin has no place for links, for the types
/// of values, and for levels of log entries, and its JSON is several times as large. What it cannot send
/// now is tried again by the pipeline, under [`Retry`](crate::delivery::Retry); Zipkin takes a span that arrives
/// twice for one.
///
/// A batch is one request, or several where it has more than 8 MiB of JSON or the link to Zipkin is slow. It has at
/// most 1,024 spans from 512 KiB of memory, which is some MiB of JSON, or one larger trace alone.
///
/// # What becomes of a span in Zipkin
///
/// | tailtrace | Zipkin |
/// |---|---|
/// | service name | `localEndpoint.serviceName` |
/// | kind; `internal` has none | `kind` |
/// | tags, other tags of the resource | `tags`, as text; lists as JSON, bytes as base64 |
/// | status | the tag `otel.status_code`: `OK` or `ERROR` |
/// | description of an error | the tag `error` |
/// | a log entry | an annotation: its message, and behind it level and fields as JSON |
/// | the service that a client or producer called, by `peer.service`, `server.address` or others | `remoteEndpoint` |
/// | the debug flag of B3 | `debug` |
/// | what did not fit the limits | the tags `otel.dropped_attributes_count`, `…events…`, `…links…` |
///
/// Specification: OpenTelemetry, "OpenTelemetry to Zipkin Transformation".
///
/// # Where it runs
///
/// It needs a tokio runtime with time and I/O, which a pipeline gives it. It starts no thread.
///
/// ```
/// use tailtrace::{Pipeline, ZipkinExporter};
/// let zipkin = ZipkinExporter::new("http://zipkin:9411/api/v2/spans")?;
/// let pipeline = Pipeline::builder("checkout").with_exporter(zipkin).start()?;
/// # drop(pipeline);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct ZipkinExporter {
    /// How messages name the endpoint.
    target: String,
    /// Gone after the shutdown, and the connections with it.
    client: ArcSwapOption<Client>,
    buffer: ForkLock<Vec<u8>>,
}

impl ZipkinExporter {
    /// Where it sends to, without a query.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.target
    }

    /// Sends a batch, request after request. What Zipkin has answered for leaves the batch at once.
    async fn send(
        &self,
        client: &Client,
        batch: &mut Batch,
        progress: &mut RequestProgress,
        body: &mut Vec<u8>,
    ) -> Result<(), RequestError> {
        let mut sizes = TraceSizes::default();
        while batch.span_count() > 0 {
            body.clear();
            let spans = encode::write(body, batch, &mut sizes, client.request_limit());
            debug_assert!(spans > 0, "a request without spans");
            let size = body.len();
            let response = client.post(body).await?;
            if response.status.is_success() {
                batch.count_request(&sizes, size);
                progress.accepted(batch, spans);
                continue;
            }
            let words = response.reason().unwrap_or_default();
            let failure = response.failure(&self.target, words, Clock::system().wall());
            if failure.is_retryable {
                return Err(failure);
            }
            log_words(&self.target, &failure.words);
            progress.refused(batch, spans, &failure.message);
        }
        Ok(())
    }
}

#[async_trait]
impl Exporter for ZipkinExporter {
    async fn export(&self, mut batch: Batch) -> Result<(), ExportError> {
        let client = self.client.load_full();
        let Some(client) = client else {
            return Err(ExportError::permanent("the exporter has been shut down"));
        };
        let mut body = mem::take(&mut *self.buffer.lock());
        let mut progress = RequestProgress::default();
        let sent = self.send(&client, &mut batch, &mut progress, &mut body).await;
        if body.capacity() <= MOST_REQUESTED {
            *self.buffer.lock() = body;
        }
        if let Err(mut failure) = sent {
            log_words(&self.target, &failure.words);
            progress.add_rejections(&self.target, &mut failure.message);
            let error = failure.into_export_error(batch);
            return Err(error.with_rejected_spans(progress.rejected()));
        }
        progress.result(&self.target)
    }

    async fn shutdown(&self) -> Result<(), ExportError> {
        let client = self.client.swap(None);
        drop(client);
        Ok(())
    }

    fn name(&self) -> Cow<'static, str> {
        Cow::Borrowed("ZipkinExporter")
    }

    fn batching(&self) -> Batching {
        Batching::default().with_max_spans(1024).with_max_bytes(512 * 1024)
    }
}

impl fmt::Debug for ZipkinExporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ZipkinExporter").field("endpoint", &self.target).finish_non_exhaustive()
    }
}
