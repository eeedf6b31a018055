//! Traces by OTLP, to a collector or a backend that speaks it.

mod answer;
mod builder;
mod fields;
mod grpc;
mod json;
mod protobuf;
mod requests;
mod transport;

use std::borrow::Cow;
use std::fmt;
use std::mem;

use arc_swap::ArcSwapOption;
use async_trait::async_trait;

use self::answer::Answer;
use self::fields::ForeignMembers;
use self::json::Json;
use self::protobuf::Protobuf;
use self::transport::Transport;
use super::http::{RequestError, RequestProgress, log_words};
use super::protocol::OtlpProtocol;
use super::{Batch, ExportError, Exporter, TraceSizes};
use crate::kit::fork::ForkLock;

pub use builder::OtlpExporterBuilder;

/// The most bytes of a request before compression: what gRPC servers take unless told otherwise.
const MOST_REQUESTED: usize = 4 * 1024 * 1024;

/// The most bytes of a request that is sent at all, which only a single span can exceed
/// (specification, "OTLP exporter": request limit).
const MOST_SENT: usize = 64 * 1024 * 1024;

/// Sends traces by OTLP: HTTP with protobuf or JSON, or gRPC.
///
/// OpenTelemetry: the OTLP exporter. Feature `otlp`. For a collector, and for every backend that takes
/// OTLP itself. What it cannot send now is tried again by the pipeline, under
/// [`Retry`](crate::delivery::Retry): connections that fail, time that runs out, and the answers that
/// the specification calls retryable, after the wait that the peer asks for. What the peer rejects is
/// counted as [refused](crate::ledger::Reason::Refused) and not sent again.
///
/// Spans are written from where they were recorded into one buffer that is used again. A request has at
/// most 4 MiB before compression, however large the batch or the trace; of a batch that took several,
/// only what has not arrived is sent again. A single span above 64 MiB is refused.
///
/// # What becomes of a span in OTLP
///
/// | tailtrace | OTLP |
/// |---|---|
/// | tags | attributes |
/// | a log entry's message | the event's name |
/// | its level | the attribute `level`: `TRACE`, `DEBUG`, `WARN` or `ERROR` |
/// | its fields | the event's attributes |
/// | the description of an error | the status' message |
/// | the trace state, with the threshold of sampling | `trace_state`; the members of other systems [on the local root alone](OtlpExporterBuilder::with_foreign_trace_state_on_root_only) |
/// | a span that has not ended | one that ends when it starts |
///
/// An entry of level `INFO` and one with a field named `level` get no such attribute: an event that came from
/// OpenTelemetry with the level `INFO` leaves as it came. The scope of a span is that of the library that made it, as its tags `otel.scope.name`, `otel.scope.version`,
/// `otel.scope.schema_url` and `otel.scope.attributes.…` name it; of other spans it is `tailtrace` with this
/// crate's version.
///
/// # Where it runs
///
/// It needs a tokio runtime with time and I/O, which a pipeline gives it. It starts no thread.
///
/// ```no_run
/// use std::time::Duration;
/// use tailtrace::export::OtlpProtocol;
/// use tailtrace::{Errors, OtlpExporter, Pipeline, TailSampler};
///
/// let exporter = OtlpExporter::builder()
///     .with_protocol(OtlpProtocol::Grpc)
///     .with_endpoint("http://collector:4317")
///     .with_header("authorization", "Bearer 4711")
///     .with_gzip(true)
///     .build()?;
/// let pipeline = Pipeline::builder("checkout")
///     .with_tail(TailSampler::new().keep(Errors))
///     .with_exporter(exporter)
///     .start()?;
/// # let _ = pipeline.shutdown(Duration::from_secs(5));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct OtlpExporter {
    protocol: OtlpProtocol,
    foreign: ForeignMembers,
    /// How messages name the endpoint.
    target: String,
    /// Gone after the shutdown, and the connections with it.
    transport: ArcSwapOption<Transport>,
    buffer: ForkLock<Vec<u8>>,
    /// What the peer said last though it took every span.
    last_remark: ForkLock<String>,
}

impl OtlpExporter {
    /// The protocol that the exporter speaks.
    #[must_use]
    pub const fn protocol(&self) -> OtlpProtocol {
        self.protocol
    }

    /// Where it sends to, without a query.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.target
    }

    /// Writes a request with as many spans as fit, from the first that is left; how many they are.
    fn write(
        &self,
        batch: &Batch,
        out: &mut Vec<u8>,
        sizes: &mut TraceSizes,
        limit: usize,
    ) -> usize {
        out.clear();
        sizes.clear();
        let write = match self.protocol {
            OtlpProtocol::HttpJson => requests::write::<Json>,
            OtlpProtocol::Grpc | OtlpProtocol::HttpProtobuf => requests::write::<Protobuf>,
        };
        write(batch, out, sizes, limit, self.foreign)
    }

    /// Sends a batch, request after request. What a peer has answered for leaves the batch at once, so
    /// that it is not sent again whatever happens to the rest.
    async fn send(
        &self,
        transport: &Transport,
        batch: &mut Batch,
        progress: &mut RequestProgress,
        body: &mut Vec<u8>,
    ) -> Result<(), RequestError> {
        batch.group_by_resource();
        let mut sizes = TraceSizes::default();
        while batch.span_count() > 0 {
            let spans = self.write(batch, body, &mut sizes, transport.request_limit());
            debug_assert!(spans > 0, "a request without spans");
            let size = body.len();
            if size > MOST_SENT {
                let message = format!("a span of {size} bytes is too large to be sent");
                progress.refused(batch, spans, &message);
                continue;
            }
            match transport.send(body).await {
                Ok(answer) => {
                    let has_reason = !answer.message.is_empty();
                    batch.count_request(&sizes, size);
                    progress.answered(batch, spans, answer.rejected, has_reason);
                    self.tell(&answer);
                }
                Err(error) => {
                    log_words(&self.target, &error.words);
                    if error.is_retryable {
                        return Err(error);
                    }
                    progress.refused(batch, spans, &error.message);
                }
            }
        }
        Ok(())
    }

    /// Tells what an answer says beside how many spans were taken, unless the answer before said the same.
    fn tell(&self, answer: &Answer) {
        if answer.message.is_empty() {
            return;
        }
        let mut last = self.last_remark.lock();
        let is_new = *last != answer.message;
        answer.message.clone_into(&mut last);
        drop(last);
        if is_new {
            log_words(&self.target, &answer.message);
        }
    }
}

/// What a spool needs: requests that are written now and sent later.
#[cfg(feature = "spool")]
impl OtlpExporter {
    /// Lets requests end as soon as the peer does not answer one without spans either: what they hold can wait on disk.
    pub(crate) fn give_up_when_away(&self) {
        if let Some(transport) = &*self.transport.load() {
            transport.give_up_when_away();
        }
    }

    /// Writes a request as large as the link carries now, from the first span that is left; how many spans it has.
    pub(crate) fn encode_request(
        &self,
        batch: &mut Batch,
        out: &mut Vec<u8>,
        sizes: &mut TraceSizes,
    ) -> usize {
        let limit =
            self.transport.load().as_deref().map_or(MOST_REQUESTED, Transport::request_limit);
        batch.group_by_resource();
        self.write(batch, out, sizes, limit)
    }

    /// Sends a request that was written before.
    ///
    /// # Errors
    /// When the peer did not take it. Nothing is left in the error.
    pub(crate) async fn send_encoded(&self, request: &mut Vec<u8>) -> Result<(), ExportError> {
        let transport = self.transport.load_full();
        let Some(transport) = transport else {
            let message = "the exporter has been shut down";
            return Err(ExportError::retryable(message, Batch::default()));
        };
        match transport.send(request).await {
            Ok(answer) => {
                self.tell(&answer);
                Ok(())
            }
            Err(error) => {
                log_words(&self.target, &error.words);
                Err(error.into_export_error(Batch::default()))
            }
        }
    }
}

#[async_trait]
impl Exporter for OtlpExporter {
    async fn export(&self, mut batch: Batch) -> Result<(), ExportError> {
        let transport = self.transport.load_full();
        let Some(transport) = transport else {
            return Err(ExportError::permanent("the exporter has been shut down"));
        };
        let mut body = mem::take(&mut *self.buffer.lock());
        let mut progress = RequestProgress::default();
        let sent = self.send(&transport, &mut batch, &mut progress, &mut body).await;
        if body.capacity() <= 2 * MOST_REQUESTED {
            *self.buffer.lock() = body;
        }
        if let Err(mut error) = sent {
            progress.add_rejections(&self.target, &mut error.message);
            let error = error.into_export_error(batch);
            return Err(error.with_rejected_spans(progress.rejected()));
        }
        progress.result(&self.target)
    }

    async fn shutdown(&self) -> Result<(), ExportError> {
        let transport = self.transport.swap(None);
        drop(transport);
        Ok(())
    }

    fn name(&self) -> Cow<'static, str> {
        Cow::Borrowed("OtlpExporter")
    }
}

impl fmt::Debug for OtlpExporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OtlpExporter")
            .field("protocol", &self.protocol)
            .field("endpoint", &self.target)
            .finish_non_exhaustive()
    }
}
