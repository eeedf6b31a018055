//! Traces by OTLP, to a collector or a backend that speaks it.

use std::borrow::Cow;
use std::fmt;
use std::sync::Mutex;

use async_trait::async_trait;

use self::json::Json;
use self::protobuf::Protobuf;
use self::requests::Grouped;
use self::tally::{Tallies, Tally};
use super::{ExportError, Exporter};
use crate::kit::guarded::lock;
use crate::kit::notice;
use crate::trace::Trace;

mod answer;
mod builder;
mod endpoint;
mod error;
mod facts;
mod gzip;
mod json;
mod protobuf;
mod reader;
mod requests;
mod tally;
mod transport;

pub use builder::{OtlpExporterBuilder, OtlpProtocol};
pub use error::OtlpError;
pub(super) use transport::Transport;

/// The most bytes of a request before compression: what gRPC servers take unless told otherwise.
const MOST_REQUESTED: usize = 4 * 1024 * 1024;

/// The most bytes of a request that is sent at all, which only a single span could exceed
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
/// # How our words become those of OTLP
///
/// | ours | OTLP |
/// |---|---|
/// | tags | attributes |
/// | a log entry's message | the event's name |
/// | its level | the attribute `level`: `TRACE`, `DEBUG`, `WARN` or `ERROR` |
/// | its fields | the event's attributes |
/// | the description of an error | the status' message |
/// | the trace state, with the threshold of sampling | `trace_state` |
/// | a span that has not ended | one that ends when it starts |
///
/// An entry of level `INFO`, one that says `exception`, and one with a field named `level` get no such
/// attribute: an event that came from OpenTelemetry with the level `INFO` leaves as it came. The scope
/// of all spans is `tailtrace` with this crate's version.
///
/// # Where it runs
///
/// It needs a tokio runtime with time and I/O, which a pipeline gives it. It starts no thread.
///
/// ```no_run
/// use std::time::Duration;
/// use tailtrace::{Errors, OtlpExporter, Pipeline, TailSampler};
///
/// let exporter = OtlpExporter::grpc()
///     .with_endpoint("http://collector:4317")
///     .with_header("authorization", "Bearer 4711")
///     .with_gzip()
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
    /// How messages name the endpoint.
    target: String,
    /// Gone after the shutdown, and the connections with it.
    transport: Mutex<Option<Transport>>,
    buffer: Mutex<Vec<u8>>,
    tallies: Mutex<Tallies>,
}

impl OtlpExporter {
    /// By HTTP with protobuf, to `http://localhost:4318/v1/traces` unless told otherwise.
    pub fn http() -> OtlpExporterBuilder {
        Self::builder(OtlpProtocol::HttpProtobuf)
    }

    /// By HTTP with JSON, to `http://localhost:4318/v1/traces` unless told otherwise. Costs several
    /// times what protobuf costs; for peers that take nothing else.
    pub fn http_json() -> OtlpExporterBuilder {
        Self::builder(OtlpProtocol::HttpJson)
    }

    /// By gRPC, to `http://localhost:4317` unless told otherwise.
    pub fn grpc() -> OtlpExporterBuilder {
        Self::builder(OtlpProtocol::Grpc)
    }

    /// By the protocol that a configuration names.
    pub fn builder(protocol: OtlpProtocol) -> OtlpExporterBuilder {
        OtlpExporterBuilder::new(protocol)
    }

    /// How it speaks.
    #[must_use]
    pub const fn protocol(&self) -> OtlpProtocol {
        self.protocol
    }

    /// Where it sends to, without a query.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.target
    }

    /// Writes the request that begins with the span after those that are done.
    fn write(&self, batch: &Grouped<'_>, out: &mut Vec<u8>, done: usize) -> usize {
        out.clear();
        match self.protocol {
            OtlpProtocol::HttpJson => batch.write::<Json>(out, done, MOST_REQUESTED),
            OtlpProtocol::Grpc | OtlpProtocol::HttpProtobuf => {
                batch.write::<Protobuf>(out, done, MOST_REQUESTED)
            }
        }
    }

    /// Sends what is left of a batch, request after request.
    async fn send(
        &self,
        transport: &Transport,
        batch: &[Trace],
        body: &mut Vec<u8>,
    ) -> Result<Tally, ExportError> {
        let grouped = Grouped::of(batch);
        let mut tally = lock(&self.tallies).of(batch);
        while tally.done < grouped.spans() {
            let spans = self.write(&grouped, body, tally.done);
            if body.len() > MOST_SENT {
                let size = body.len();
                tally.refused(spans, &format!("a span of {size} bytes is too large to be sent"));
                continue;
            }
            // Whoever waits for this may stop waiting: what has arrived is noted before.
            lock(&self.tallies).note(batch, &tally);
            match transport.send(body).await {
                Ok(answer) => tally.answered(spans, answer),
                Err(error) if error.is_retryable() => return Err(error),
                Err(error) => tally.refused(spans, &error.to_string()),
            }
        }
        Ok(tally)
    }
}

#[async_trait]
impl Exporter for OtlpExporter {
    async fn export(&self, batch: &[Trace]) -> Result<(), ExportError> {
        let transport = lock(&self.transport).clone();
        let Some(transport) = transport else {
            return Err(ExportError::permanent("the exporter has been shut down"));
        };
        let mut body = std::mem::take(&mut *lock(&self.buffer));
        let sent = self.send(&transport, batch, &mut body).await;
        if body.capacity() <= 2 * MOST_REQUESTED {
            *lock(&self.buffer) = body;
        }
        let tally = sent?;
        let told = lock(&self.tallies).end(&tally);
        if told {
            let message = &tally.message;
            notice::warn(&format!("{} took the spans and says: {message}", self.target));
        }
        tally.result(&self.target)
    }

    async fn shutdown(&self) -> Result<(), ExportError> {
        let transport = lock(&self.transport).take();
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
