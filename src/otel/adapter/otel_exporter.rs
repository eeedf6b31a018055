//! OpenTelemetry's exporters for our pipelines.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use opentelemetry_sdk::Resource as OtelResource;

use super::SdkSpan;
use super::async_mutex::AsyncMutex;
use super::convert::{spans_of, to_resource};
use super::release_line::{self, SdkError, SpanData, SpanExporter};
use super::suppression::suppressed;
use crate::delivery::may_block;
use crate::export::{Batch, Batching, ExportError, Exporter};
use crate::model::Resource;
use crate::trace::Trace;

/// How many spans an exporter of OpenTelemetry gets in one call: as many as from the SDK's batch processor.
const MAX_SPANS: usize = 512;

/// How many bytes of our memory the spans of one call take at most; about one message of OTLP.
const MAX_BYTES: usize = 1024 * 1024;

/// Any exporter of OpenTelemetry as an exporter of ours.
///
/// For backends that have one already: the pipeline decides what is kept, the exporter sends it. Spans
/// leave with the sampled flag and the threshold their trace was kept with; the conversions are those of
/// [`convert`](super::convert), and cost about 4 µs and 30 allocations for a span with ten tags and a log
/// entry, on the exporter's own thread.
///
/// The exporter may need tokio's sockets and timers, and it may block: it runs where both are allowed.
/// Its own work is not traced by OpenTelemetry. `set_resource` is called once before the first spans of a
/// resource, and never while spans of another resource are being sent. A call gets at most 512 spans of
/// about 1 MiB.
///
/// Its failures are final: exporters of OpenTelemetry try again themselves, and their errors do not say
/// that nothing was sent. Of a batch that takes several calls, the spans of the failed calls count as
/// rejected.
///
#[cfg_attr(not(older_line), doc = include_str!("examples/otel_exporter.md"))]
pub struct OtelExporter<E> {
    state: AsyncMutex<ExporterState<E>>,
}

/// The exporter, and the resource it was given last.
struct ExporterState<E> {
    exporter: E,
    resource: Option<(Arc<Resource>, OtelResource)>,
}

/// A call of an exporter that carries no spans.
#[derive(Clone, Copy)]
enum Command {
    Flush,
    ShutDown,
}

impl Command {
    fn verb(self) -> &'static str {
        match self {
            Self::Flush => "flush",
            Self::ShutDown => "shut down",
        }
    }
}

impl<E: SpanExporter + 'static> OtelExporter<E> {
    /// Wraps an exporter.
    #[must_use]
    pub fn new(exporter: E) -> Self {
        Self { state: AsyncMutex::new(ExporterState { exporter, resource: None }) }
    }

    /// Calls the exporter when no other call is under way.
    async fn call(&self, command: Command) -> Result<(), ExportError> {
        let mut guard = self.state.lock().await;
        let called = may_block(suppressed(async move {
            match (guard.as_mut(), command) {
                (None, _) => Ok(()),
                (Some(state), Command::Flush) => release_line::flush(&mut state.exporter).await,
                (Some(state), Command::ShutDown) => {
                    release_line::shut_down(&mut state.exporter).await
                }
            }
        }));
        match called.await {
            Some(result) => result.map_err(|error| failure(command.verb(), error)),
            None => Err(ExportError::permanent(NO_RUNTIME)),
        }
    }
}

impl<E: SpanExporter> ExporterState<E> {
    /// Sends a batch, the spans of one resource after those of another.
    async fn export(&mut self, batch: &[Trace]) -> Result<(), ExportError> {
        let all: u64 = batch.iter().map(|trace| trace.span_count() as u64).sum();
        let mut sent = 0;
        let mut failed = None;
        'all: for (resource, traces) in by_resource(batch) {
            self.set_resource(resource);
            for mut portion in portions(traces) {
                let spans = portion.len() as u64;
                if let Some((_, converted)) = &self.resource {
                    release_line::set_span_resources(&mut portion, converted);
                }
                match self.exporter.export(portion).await {
                    Ok(()) => sent += spans,
                    Err(error) if release_line::is_final(&error) => {
                        failed = Some(error);
                        break 'all;
                    }
                    Err(error) => failed = Some(error),
                }
            }
        }
        match failed {
            None => Ok(()),
            Some(error) if sent == 0 => Err(failure("export", error)),
            Some(error) => {
                let message = format!("the OpenTelemetry exporter could not export all: {error}");
                Err(ExportError::partial(all - sent, message).with_source(error))
            }
        }
    }

    /// Gives the exporter the resource of the next spans, unless it has it.
    fn set_resource(&mut self, resource: &Arc<Resource>) {
        if self.resource.as_ref().is_none_or(|(known, _)| known != resource) {
            let converted = to_resource(resource);
            release_line::set_resource(&mut self.exporter, &converted);
            self.resource = Some((Arc::clone(resource), converted));
        }
    }
}

/// The traces of each resource, in the order they came.
fn by_resource(batch: &[Trace]) -> Vec<(&Arc<Resource>, Vec<&Trace>)> {
    let mut groups: Vec<(&Arc<Resource>, Vec<&Trace>)> = Vec::new();
    for trace in batch {
        let resource = trace.resource();
        let is_same = |known: &Arc<Resource>| Arc::ptr_eq(known, resource) || known == resource;
        match groups.iter_mut().find(|(known, _)| is_same(known)) {
            Some((_, traces)) => traces.push(trace),
            None => groups.push((resource, vec![trace])),
        }
    }
    groups
}

/// The spans of the traces, in portions of one call each.
fn portions(traces: Vec<&Trace>) -> impl Iterator<Item = Vec<SpanData>> {
    let mut spans = traces.into_iter().flat_map(|trace| {
        // Spans that came from the SDK are not converted.
        let spans = SdkSpan::all_of(trace).unwrap_or_else(|| spans_of(trace));
        let bytes = trace.bytes() / spans.len().max(1);
        spans.into_iter().map(move |span| (span, bytes))
    });
    let mut next = spans.next();
    std::iter::from_fn(move || {
        let mut portion = Vec::new();
        let mut taken = 0_usize;
        while let Some((span, bytes)) = next.take() {
            let is_full = portion.len() >= MAX_SPANS || taken.saturating_add(bytes) > MAX_BYTES;
            if is_full && !portion.is_empty() {
                next = Some((span, bytes));
                break;
            }
            taken = taken.saturating_add(bytes);
            portion.push(span);
            next = spans.next();
        }
        (!portion.is_empty()).then_some(portion)
    })
}

fn failure(what: &str, error: SdkError) -> ExportError {
    let message = format!("the OpenTelemetry exporter could not {what}: {error}");
    ExportError::permanent(message).with_source(error)
}

/// Why the exporter could not be called.
const NO_RUNTIME: &str = "the runtime ended before the export; keep it running until the shutdown";

#[async_trait]
impl<E: SpanExporter + 'static> Exporter for OtelExporter<E> {
    async fn export(&self, batch: Batch) -> Result<(), ExportError> {
        let mut guard = self.state.lock().await;
        // The batch stays here, so that delivery gets it back when it stops waiting.
        let traces = batch.to_vec();
        let called = may_block(suppressed(async move {
            match guard.as_mut() {
                Some(state) => state.export(&traces).await,
                None => Ok(()),
            }
        }));
        called.await.unwrap_or_else(|| Err(ExportError::retryable(NO_RUNTIME, batch)))
    }

    async fn flush(&self) -> Result<(), ExportError> {
        self.call(Command::Flush).await
    }

    async fn shutdown(&self) -> Result<(), ExportError> {
        self.call(Command::ShutDown).await
    }

    fn batching(&self) -> Batching {
        Batching::default().with_max_spans(MAX_SPANS).with_max_bytes(MAX_BYTES)
    }
}

impl<E> fmt::Debug for OtelExporter<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OtelExporter").field("state", &self.state).finish()
    }
}
