//! OpenTelemetry's exporters for our pipelines.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use opentelemetry_sdk::Resource as OtelResource;

use super::async_mutex::AsyncMutex;
use super::convert::to_resource;
use super::portions::{MAX_BYTES, MAX_SPANS, Portions};
use super::release_line::{self, SdkError, SpanExporter};
use super::suppression::suppressed;
use crate::delivery::may_block;
use crate::export::{Batch, Batching, ExportError, Exporter};
use crate::model::Resource;
use crate::trace::Trace;

/// Any exporter of OpenTelemetry as an exporter of ours.
///
/// For backends that have one already: the pipeline decides what is kept, the exporter sends it. Spans
/// leave with the sampled flag and the threshold their trace was kept with. Spans of the SDK are moved to the
/// exporter as they are, but for [what the root has](Self::with_foreign_trace_state_on_root_only); where another exporter of the pipeline has them too, they are copied. All other
/// spans are converted: the conversions are those of [`convert`](super::convert), and cost about 4 µs and 30
/// allocations for a span with ten tags and a log entry, on the exporter's own thread.
///
/// The exporter may need tokio's sockets and timers, and it may block: it runs where both are allowed.
/// Its own work is not traced by OpenTelemetry. `set_resource` is called once before the first spans of a
/// resource, and never while spans of another resource are being sent. A call gets at most 512 spans of
/// about 1 MiB.
///
/// Its failures are final: exporters of OpenTelemetry try again themselves, and their errors do not say
/// that nothing was sent. Of a batch that takes several calls, the spans of the failed calls count as
/// rejected. A call that takes longer than the pipeline's
/// [time limit](crate::delivery::DeliveryConfig::export_timeout) is not tried again: its spans went with it.
///
/// A process that is forked off while a call is under way has no exporter: the calls there fail at once, and its spans
/// count as refused.
///
#[cfg_attr(not(older_line), doc = include_str!("examples/otel_exporter.md"))]
pub struct OtelExporter<E> {
    state: AsyncMutex<ExporterState<E>>,
    /// Whether the members of other systems stand in the trace state of local roots alone.
    foreign_on_root: bool,
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
        let state = AsyncMutex::new(ExporterState { exporter, resource: None });
        Self { state, foreign_on_root: true }
    }

    /// Sets whether the members of other systems in the trace state leave with the local root alone, which is the
    /// span that the caller's header came to. Default on.
    ///
    /// OpenTelemetry's spans and OTLP have the trace state once for each span: the 8 kB that a caller may send
    /// become 800 kB for a trace of 100 spans. The member `ot` stands on every span either way.
    #[must_use]
    pub fn with_foreign_trace_state_on_root_only(mut self, only_root: bool) -> Self {
        self.foreign_on_root = only_root;
        self
    }

    /// Calls the exporter when no other call is under way.
    async fn call(&self, command: Command) -> Result<(), ExportError> {
        let mut guard = self.state.lock().await.ok_or_else(left_behind)?;
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
    /// Sends a batch, the spans of one resource after those of another, and marks in it what became of them.
    async fn export(&mut self, mut batch: Batch, foreign_on_root: bool) -> Result<(), ExportError> {
        let all = batch.span_count();
        let mut sent = 0;
        let mut failed = None;
        'all: for (resource, traces) in by_resource(batch.take_traces()) {
            self.set_resource(&resource);
            let mut portions = Portions::of(traces, foreign_on_root);
            while let Some(mut portion) = portions.next_portion() {
                let spans = portion.len();
                if let Some((_, converted)) = &self.resource {
                    release_line::set_span_resources(&mut portion, converted);
                }
                match self.exporter.export(portion).await {
                    Ok(()) => {
                        batch.mark_accepted(spans);
                        sent += spans;
                    }
                    Err(error) if release_line::is_final(&error) => {
                        failed = Some(error);
                        break 'all;
                    }
                    Err(error) => {
                        batch.mark_rejected(spans);
                        failed = Some(error);
                    }
                }
            }
        }
        match failed {
            None => Ok(()),
            Some(error) if sent == 0 => Err(failure("export", error)),
            Some(error) => {
                let message = format!("the OpenTelemetry exporter could not export all: {error}");
                Err(ExportError::partial((all - sent) as u64, message).with_source(error))
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
fn by_resource(batch: Vec<Trace>) -> Vec<(Arc<Resource>, Vec<Trace>)> {
    let mut groups: Vec<(Arc<Resource>, Vec<Trace>)> = Vec::new();
    for trace in batch {
        let resource = trace.resource();
        let is_same = |known: &Arc<Resource>| Arc::ptr_eq(known, resource) || known == resource;
        match groups.iter_mut().find(|(known, _)| is_same(known)) {
            Some((_, traces)) => traces.push(trace),
            None => groups.push((Arc::clone(resource), vec![trace])),
        }
    }
    groups
}

fn failure(what: &str, error: SdkError) -> ExportError {
    let message = format!("the OpenTelemetry exporter could not {what}: {error}");
    ExportError::permanent(message).with_source(error)
}

/// A thread of the parent process has the exporter, and never gives it back here.
fn left_behind() -> ExportError {
    ExportError::permanent(
        "the OpenTelemetry exporter was sending when this process was forked off; start the pipeline after the fork",
    )
}

/// Why the exporter could not be called.
const NO_RUNTIME: &str = "the runtime ended before the export; keep it running until the shutdown";

/// A batch on its way to the thread that may block.
///
/// It goes back to delivery where that stops waiting before the exporter has begun with it.
struct Handover(Arc<Mutex<Option<Batch>>>);

impl Handover {
    fn take(&self) -> Option<Batch> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Drop for Handover {
    fn drop(&mut self) {
        drop(self.take());
    }
}

#[async_trait]
impl<E: SpanExporter + 'static> Exporter for OtelExporter<E> {
    async fn export(&self, batch: Batch) -> Result<(), ExportError> {
        let mut guard = self.state.lock().await.ok_or_else(left_behind)?;
        let here = Handover(Arc::new(Mutex::new(Some(batch))));
        let there = Handover(Arc::clone(&here.0));
        let foreign_on_root = self.foreign_on_root;
        let called = may_block(suppressed(async move {
            match guard.as_mut().zip(there.take()) {
                Some((state, batch)) => state.export(batch, foreign_on_root).await,
                None => Ok(()),
            }
        }));
        let ended = called.await;
        ended.unwrap_or_else(|| match here.take() {
            Some(batch) => Err(ExportError::retryable(NO_RUNTIME, batch)),
            None => Err(ExportError::permanent(NO_RUNTIME)),
        })
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
        f.debug_struct("OtelExporter").field("state", &self.state).finish_non_exhaustive()
    }
}
