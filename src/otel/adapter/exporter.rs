//! OpenTelemetry's exporters for our pipelines.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use opentelemetry_sdk::Resource as OtelResource;

use super::Recorded;
use super::convert::{spans_of, to_resource};
use super::line::{self, SdkError, SpanData, SpanExporter};
use super::quiet::quietly;
use super::turn::Shared;
use crate::delivery::may_block;
use crate::export::{Batching, ExportError, Exporter};
use crate::model::Resource;
use crate::trace::Trace;

/// How many spans an exporter of OpenTelemetry is handed at a time: what its own processor does.
const MAX_SPANS: usize = 512;

/// How many bytes of our memory these may come from; about what one message of OTLP takes.
const MAX_BYTES: usize = 1024 * 1024;

/// Any exporter of OpenTelemetry as an exporter of ours.
///
/// For backends that have one already: the pipeline decides what is kept, the exporter sends it. Spans
/// leave with the sampled flag and the threshold their trace was kept with; the conversions are those of
/// [`convert`](super::convert), and cost about 4 µs and 30 allocations for a span with ten tags and a log
/// entry, on the exporter's own thread.
///
/// The exporter may need tokio's sockets and timers, and it may block: it runs where both are allowed.
/// Its own work is not traced by OpenTelemetry. It is told of a resource once, before the first spans of
/// that resource, and never while others are being sent. A call gets at most 512 spans of about 1 MiB.
///
/// Its failures are final: exporters of OpenTelemetry try again themselves, and cannot say that a
/// failure has left nothing behind. Of a batch that takes several calls the failed ones count as
/// rejected.
///
#[cfg_attr(not(older_line), doc = include_str!("examples/otel_exporter.md"))]
pub struct OtelExporter<E> {
    inner: Shared<Inner<E>>,
}

/// The exporter, and whose spans it expects.
struct Inner<E> {
    exporter: E,
    resource: Option<(Arc<Resource>, OtelResource)>,
}

/// What an exporter is told besides spans.
#[derive(Clone, Copy)]
enum Told {
    Flush,
    ShutDown,
}

impl Told {
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
        Self { inner: Shared::new(Inner { exporter, resource: None }) }
    }

    /// Tells the exporter something, when nobody else calls it.
    async fn tell(&self, what: Told) -> Result<(), ExportError> {
        let mut turn = self.inner.turn().await;
        let called = may_block(quietly(async move {
            match (turn.as_mut(), what) {
                (None, _) => Ok(()),
                (Some(inner), Told::Flush) => line::flush(&mut inner.exporter).await,
                (Some(inner), Told::ShutDown) => line::shut_down(&mut inner.exporter).await,
            }
        }));
        match called.await {
            Some(told) => told.map_err(|error| failure(what.verb(), error)),
            None => Err(no_runtime()),
        }
    }
}

impl<E: SpanExporter> Inner<E> {
    /// Sends a batch, the spans of one resource after those of another.
    async fn export(&mut self, batch: &[Trace]) -> Result<(), ExportError> {
        let all: u64 = batch.iter().map(|trace| trace.span_count() as u64).sum();
        let (mut sent, mut failed) = (0, None);
        'all: for (resource, traces) in by_resource(batch) {
            self.belong_to(resource);
            for mut portion in portions(traces) {
                let spans = portion.len() as u64;
                if let Some((_, theirs)) = &self.resource {
                    line::sign(&mut portion, theirs);
                }
                match self.exporter.export(portion).await {
                    Ok(()) => sent += spans,
                    Err(error) if line::is_hopeless(&error) => {
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

    /// Tells the exporter whose the next spans are.
    fn belong_to(&mut self, resource: &Arc<Resource>) {
        if self.resource.as_ref().is_none_or(|(known, _)| known != resource) {
            let theirs = to_resource(resource);
            line::set_resource(&mut self.exporter, &theirs);
            self.resource = Some((Arc::clone(resource), theirs));
        }
    }
}

/// The traces of each resource, in the order they came.
fn by_resource(batch: &[Trace]) -> Vec<(&Arc<Resource>, Vec<&Trace>)> {
    let mut groups: Vec<(&Arc<Resource>, Vec<&Trace>)> = Vec::new();
    for trace in batch {
        let resource = trace.resource();
        let is_its = |known: &Arc<Resource>| Arc::ptr_eq(known, resource) || known == resource;
        match groups.iter_mut().find(|(known, _)| is_its(known)) {
            Some((_, traces)) => traces.push(trace),
            None => groups.push((resource, vec![trace])),
        }
    }
    groups
}

/// The spans of the traces in portions that an exporter takes at a time.
fn portions(traces: Vec<&Trace>) -> impl Iterator<Item = Vec<SpanData>> {
    let mut spans = traces.into_iter().flat_map(|trace| {
        // Spans of the SDK leave as it made them.
        let spans = Recorded::all_of(trace).unwrap_or_else(|| spans_of(trace));
        let bytes = trace.bytes() / spans.len().max(1);
        spans.into_iter().map(move |span| (span, bytes))
    });
    let mut next = spans.next();
    std::iter::from_fn(move || {
        let (mut portion, mut taken) = (Vec::new(), 0_usize);
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

fn no_runtime() -> ExportError {
    ExportError::retryable(
        "the runtime ended before the export; keep it running until the shutdown",
    )
}

#[async_trait]
impl<E: SpanExporter + 'static> Exporter for OtelExporter<E> {
    async fn export(&self, batch: &[Trace]) -> Result<(), ExportError> {
        let mut turn = self.inner.turn().await;
        let batch = batch.to_vec();
        let called = may_block(quietly(async move {
            match turn.as_mut() {
                Some(inner) => inner.export(&batch).await,
                None => Ok(()),
            }
        }));
        called.await.unwrap_or_else(|| Err(no_runtime()))
    }

    async fn flush(&self) -> Result<(), ExportError> {
        self.tell(Told::Flush).await
    }

    async fn shutdown(&self) -> Result<(), ExportError> {
        self.tell(Told::ShutDown).await
    }

    fn batching(&self) -> Batching {
        Batching { max_spans: MAX_SPANS, max_bytes: MAX_BYTES, ..Batching::default() }
    }
}

impl<E> fmt::Debug for OtelExporter<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OtelExporter").field("inner", &self.inner).finish()
    }
}
