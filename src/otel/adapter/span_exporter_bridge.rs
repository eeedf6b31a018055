//! Our exporters for OpenTelemetry's processors.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use opentelemetry::trace::{SpanContext, TraceId};
use opentelemetry_sdk::Resource as OtelResource;

use super::convert::{from_resource, from_span_data};
use super::release_line::{self, SdkResult, SpanData, SpanExporter};
use super::suppression::suppressed;
use crate::delivery::{AsyncExporter, DeliveryConfig, Retry};
use crate::export::{Batch, Batching, ExportError, Exporter};
use crate::model::Resource;
use crate::pipeline::{FlushError, ShutdownError};
use crate::trace::Trace;

/// Any exporter of ours as an exporter of OpenTelemetry.
///
/// For programs that keep OpenTelemetry's pipeline and want our destinations: give the bridge to a batch
/// processor. The spans of a batch are gathered into a [`Trace`] for each trace id, with the resource of the
/// provider. There is no tail sampling here: a tail decides before anything is exported.
///
/// The exporter runs on a thread and a runtime of its own, as in a [`Pipeline`](crate::pipeline::Pipeline), and
/// is tried again when it fails, for 30 s by default. An export ends when the exporter has the spans or
/// they are given up, so that a flush of the provider returns after that. The exporter's own work is not
/// traced by OpenTelemetry. Spans that are not sampled, which OpenTelemetry's batch processor passes on, are
/// left out, as OpenTelemetry's specification asks.
///
#[cfg_attr(not(older_line), doc = include_str!("examples/span_exporter_bridge.md"))]
pub struct SpanExporterBridge<E> {
    worker: Arc<BridgeWorker>,
    resource: Arc<Resource>,
    /// The exporter itself lives on the worker's thread.
    exporter: PhantomData<fn() -> E>,
}

/// The thread that the exporter runs on, as the bridge's clones of one provider share it.
#[derive(Debug)]
struct BridgeWorker {
    exporter: AsyncExporter,
    flush_timeout: Duration,
    /// How many flushes the provider is waiting for.
    flushes: Arc<AtomicUsize>,
    is_shut_down: AtomicBool,
}

impl<E: Exporter + 'static> SpanExporterBridge<E> {
    /// Wraps an exporter with the defaults of [`DeliveryConfig`], except that a failed batch is tried for
    /// 30 s: OpenTelemetry's queue fills meanwhile, and has place for 2048 spans.
    #[must_use]
    pub fn new(exporter: E) -> Self {
        let retry = Retry::default().with_budget(Duration::from_secs(30));
        Self::with_config(exporter, DeliveryConfig::default().with_retry(retry))
    }

    /// Wraps an exporter with a configuration of its delivery.
    #[must_use]
    pub fn with_config(exporter: E, config: DeliveryConfig) -> Self {
        let flushes = Arc::new(AtomicUsize::new(0));
        let exporter = WorkerExporter { exporter, flushes: Arc::clone(&flushes) };
        let worker = BridgeWorker {
            exporter: AsyncExporter::with_config(exporter, config),
            flush_timeout: config.export_timeout,
            flushes,
            is_shut_down: AtomicBool::new(false),
        };
        let resource = Arc::new(Resource::new("unknown_service"));
        Self { worker: Arc::new(worker), resource, exporter: PhantomData }
    }
}

impl<E> SpanExporterBridge<E> {
    /// Exports without borrowing from the bridge, which older lines require.
    fn deliver(&self, batch: Vec<SpanData>) -> impl Future<Output = SdkResult> + Send + use<E> {
        let worker = Arc::clone(&self.worker);
        let resource = Arc::clone(&self.resource);
        async move { worker.deliver(&batch, &resource).await }
    }
}

impl BridgeWorker {
    async fn deliver(&self, batch: &[SpanData], resource: &Arc<Resource>) -> SdkResult {
        if self.is_shut_down() {
            return Err(release_line::already_shut_down());
        }
        let (traces, without_ids) = traces_of(batch, resource);
        let exported = if traces.is_empty() {
            Ok(())
        } else {
            self.exporter.export(Batch::from(traces)).await
        };
        let flushed = self.exporter.flush().await;
        if without_ids > 0 {
            let message = format!("{without_ids} spans have no valid ids and were not exported");
            return Err(release_line::failed(message));
        }
        exported.and(flushed).map_err(|error| release_line::failed(error.to_string()))
    }

    // Relaxed: the flag guards no data; the exporter's queue has its own order.
    fn is_shut_down(&self) -> bool {
        self.is_shut_down.load(Ordering::Relaxed)
    }

    fn shut_down(&self, timeout: Duration) -> SdkResult {
        // Relaxed: a swap alone makes one caller the first; the flag guards no data.
        if self.is_shut_down.swap(true, Ordering::Relaxed) {
            return Err(release_line::already_shut_down());
        }
        match self.exporter.shutdown_within(timeout) {
            Ok(_) => Ok(()),
            Err(ShutdownError::TimedOut { limit, .. }) => Err(release_line::timed_out(limit)),
            Err(error) => Err(release_line::failed(error.to_string())),
        }
    }

    fn flush(&self) -> SdkResult {
        if self.is_shut_down() {
            return Err(release_line::already_shut_down());
        }
        // Orders with the load in `WorkerExporter::flush`: a flush that this call asks for sees the count.
        self.flushes.fetch_add(1, Ordering::Release);
        let flushed = self.exporter.flush_within(self.flush_timeout);
        // Relaxed: a flush too many does no harm.
        self.flushes.fetch_sub(1, Ordering::Relaxed);
        match flushed {
            Ok(_) => Ok(()),
            Err(FlushError::TimedOut { limit, .. }) => Err(release_line::timed_out(limit)),
            Err(error) => Err(release_line::failed(error.to_string())),
        }
    }
}

impl<E> fmt::Debug for SpanExporterBridge<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SpanExporterBridge")
            .field("worker", &self.worker)
            .field("resource", &self.resource)
            .finish()
    }
}

// Each method as the release line declares it.
impl<E: Exporter + 'static> SpanExporter for SpanExporterBridge<E> {
    #[cfg(before_0_29)]
    fn export(&mut self, batch: Vec<SpanData>) -> Boxed<SdkResult> {
        Box::pin(self.deliver(batch))
    }

    #[cfg(not(before_0_29))]
    async fn export(&self, batch: Vec<SpanData>) -> SdkResult {
        self.deliver(batch).await
    }

    #[cfg(before_0_28)]
    fn shutdown(&mut self) {
        // The line returns nothing from a shutdown, so the error ends here.
        let _ = self.worker.shut_down(release_line::SHUTDOWN_TIMEOUT);
    }

    #[cfg(all(before_0_30, not(before_0_28)))]
    fn shutdown(&mut self) -> SdkResult {
        self.worker.shut_down(release_line::SHUTDOWN_TIMEOUT)
    }

    #[cfg(all(before_0_32, not(before_0_30)))]
    fn shutdown_with_timeout(&mut self, timeout: Duration) -> SdkResult {
        self.worker.shut_down(timeout)
    }

    // The trait's own default gives the exporter 5 ns on these lines.
    #[cfg(all(before_0_32, not(before_0_30)))]
    fn shutdown(&mut self) -> SdkResult {
        self.worker.shut_down(release_line::SHUTDOWN_TIMEOUT)
    }

    #[cfg(not(before_0_32))]
    fn shutdown_with_timeout(&self, timeout: Duration) -> SdkResult {
        self.worker.shut_down(timeout)
    }

    #[cfg(before_0_28)]
    fn force_flush(&mut self) -> Boxed<SdkResult> {
        let worker = Arc::clone(&self.worker);
        Box::pin(async move { worker.flush() })
    }

    #[cfg(all(before_0_32, not(before_0_28)))]
    fn force_flush(&mut self) -> SdkResult {
        self.worker.flush()
    }

    #[cfg(not(before_0_32))]
    fn force_flush(&self) -> SdkResult {
        self.worker.flush()
    }

    #[cfg(not(before_0_24))]
    fn set_resource(&mut self, resource: &OtelResource) {
        self.resource = Arc::new(from_resource(resource));
    }
}

#[cfg(before_0_29)]
type Boxed<T> = std::pin::Pin<Box<dyn Future<Output = T> + Send>>;

/// The sampled spans as traces, and the number of spans without valid ids.
///
/// The spans of a [`Trace`] share flags, trace state and resource; those that differ make another.
fn traces_of(batch: &[SpanData], resource: &Arc<Resource>) -> (Vec<Trace>, usize) {
    let mut traces: Vec<(&SpanContext, Trace)> = Vec::new();
    let mut known: HashMap<TraceId, Vec<usize>> = HashMap::new();
    let mut resources = ResourceCache { provider: Arc::clone(resource), last: None };
    let mut without_ids = 0;
    for data in batch.iter().filter(|data| data.span_context.trace_flags().is_sampled()) {
        let context = &data.span_context;
        let Some(span) = from_span_data(data) else {
            without_ids += 1;
            continue;
        };
        let resource = resources.resource_of(data);
        let candidates = known.entry(context.trace_id()).or_default();
        let same = candidates.iter().copied().find(|at| {
            traces.get(*at).is_some_and(|(first, trace)| {
                first.trace_flags() == context.trace_flags()
                    && first.trace_state() == context.trace_state()
                    && trace.resource() == resource
            })
        });
        let at = same.unwrap_or_else(|| {
            let trace = Trace::new(span.context().trace_id).with_context(span.context());
            traces.push((context, trace.with_resource(Arc::clone(resource))));
            candidates.push(traces.len() - 1);
            traces.len() - 1
        });
        if let Some((_, trace)) = traces.get_mut(at) {
            trace.add_span(span);
        }
    }
    (traces.into_iter().map(|(_, trace)| trace).collect(), without_ids)
}

/// The resources of a batch's spans.
struct ResourceCache<'a> {
    /// The provider's.
    provider: Arc<Resource>,
    /// The last span's, on lines whose spans hold one, and what it was converted to.
    last: Option<(&'a OtelResource, Arc<Resource>)>,
}

impl<'a> ResourceCache<'a> {
    fn resource_of(&mut self, span: &'a SpanData) -> &Arc<Resource> {
        let Some(own) = release_line::span_resource(span) else { return &self.provider };
        let known = self.last.take().filter(|(known, _)| *known == own);
        &self.last.insert(known.unwrap_or_else(|| (own, Arc::new(from_resource(own))))).1
    }
}

/// The exporter as the worker calls it: its telemetry suppressed, and flushed only when the provider asks for
/// it. Each export waits for the queue to be empty, which must not cost a flush to disk each time.
struct WorkerExporter<E> {
    exporter: E,
    flushes: Arc<AtomicUsize>,
}

#[async_trait]
impl<E: Exporter> Exporter for WorkerExporter<E> {
    async fn export(&self, batch: Batch) -> Result<(), ExportError> {
        suppressed(self.exporter.export(batch)).await
    }

    async fn flush(&self) -> Result<(), ExportError> {
        if self.flushes.load(Ordering::Acquire) == 0 {
            return Ok(());
        }
        suppressed(self.exporter.flush()).await
    }

    async fn shutdown(&self) -> Result<(), ExportError> {
        suppressed(self.exporter.shutdown()).await
    }

    fn name(&self) -> Cow<'static, str> {
        self.exporter.name()
    }

    fn batching(&self) -> Batching {
        self.exporter.batching()
    }
}
