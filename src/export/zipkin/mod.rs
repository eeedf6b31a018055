//! Traces to Zipkin.

mod builder;
mod encode;
mod remote;

use std::borrow::Cow;
use std::fmt;
use std::mem;
use std::sync::Mutex;

use async_trait::async_trait;

pub use builder::{ZipkinError, ZipkinExporterBuilder};

use super::otlp::Transport;
use super::{Batching, ExportError, Exporter};
use crate::kit::guarded::lock;
use crate::trace::Trace;

/// More memory than this is not kept for the next request.
const MOST_KEPT: usize = 8 * 1024 * 1024;

/// Sends traces to Zipkin, and to what takes its JSON of version 2.
///
/// OpenTelemetry: the Zipkin exporter. Feature `zipkin`. Where the backend takes OTLP too, as newer
/// ones do, prefer [`OtlpExporter`](super::OtlpExporter): Zipkin has no place for links, for the types
/// of values, and for levels of log entries, and its JSON is several times as large. What it cannot send
/// now is tried again by the pipeline, under [`Retry`](crate::delivery::Retry); Zipkin takes a span that arrives
/// twice for one.
///
/// A batch is one request. It has at most 1,024 spans from 512 KiB of memory, which is some MiB of JSON,
/// or one larger trace alone.
///
/// # How our words become Zipkin's
///
/// | ours | Zipkin |
/// |---|---|
/// | service name | `localEndpoint.serviceName` |
/// | kind; `internal` has none | `kind` |
/// | tags, other tags of the resource | `tags`, as text; lists as JSON, bytes as base64 |
/// | status | the tag `otel.status_code`: `OK` or `ERROR` |
/// | description of an error | the tag `error` |
/// | a log entry | an annotation: its message, and behind it level and fields as JSON |
/// | whom a client or producer called, by `peer.service`, `server.address` or others | `remoteEndpoint` |
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
/// let zipkin = ZipkinExporter::builder().with_endpoint("http://zipkin:9411/api/v2/spans").build()?;
/// let pipeline = Pipeline::builder("checkout").with_exporter(zipkin).start()?;
/// # drop(pipeline);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct ZipkinExporter {
    /// How messages name the endpoint.
    target: String,
    /// Gone after the shutdown, and the connections with it.
    transport: Mutex<Option<Transport>>,
    buffer: Mutex<Vec<u8>>,
}

impl ZipkinExporter {
    /// Prepares one that sends to `http://localhost:9411/api/v2/spans` unless told otherwise.
    pub fn builder() -> ZipkinExporterBuilder {
        ZipkinExporterBuilder::new()
    }

    /// Where it sends to, without a query.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.target
    }
}

#[async_trait]
impl Exporter for ZipkinExporter {
    async fn export(&self, batch: &[Trace]) -> Result<(), ExportError> {
        let transport = lock(&self.transport).clone();
        let Some(transport) = transport else {
            return Err(ExportError::permanent("the exporter has been shut down"));
        };
        let mut body = mem::take(&mut *lock(&self.buffer));
        body.clear();
        encode::write(&mut body, batch);
        let sent = transport.send(&mut body).await;
        if body.capacity() <= MOST_KEPT {
            *lock(&self.buffer) = body;
        }
        sent.map(drop)
    }

    async fn shutdown(&self) -> Result<(), ExportError> {
        let transport = lock(&self.transport).take();
        drop(transport);
        Ok(())
    }

    fn name(&self) -> Cow<'static, str> {
        Cow::Borrowed("ZipkinExporter")
    }

    fn batching(&self) -> Batching {
        Batching { max_spans: 1024, max_bytes: 512 * 1024, ..Batching::default() }
    }
}

impl fmt::Debug for ZipkinExporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ZipkinExporter").field("endpoint", &self.target).finish_non_exhaustive()
    }
}
