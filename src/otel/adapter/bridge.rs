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
use super::line::{self, SdkResult, SpanData, SpanExporter};
use super::quiet::quietly;
use crate::delivery::{AsyncExporter, DeliveryConfig, FlushError, Retry, ShutdownError};
use crate::export::{Batching, ExportError, Exporter};
use crate::model::Resource;
use crate::trace::Trace;

/// Any exporter of ours as an exporter of OpenTelemetry.
///
/// For programs that keep OpenTelemetry's pipeline and want our destinations: give it to a batch
/// processor. The spans of a batch are gathered into a [`Trace`] for each trace id, and each goes with
/// the resource of the provider. Without tail sampling: that decides before it exports.
///
/// The exporter runs on a thread and a runtime of its own, as in a [`Pipeline`](crate::pipeline::Pipeline), and
/// is tried again when it fails, for 30 s by default. An export ends when the exporter has the spans or
/// they are given up, so that a flush of the provider means what it says. Its own work is not traced by
/// OpenTelemetry. Spans that are not sampled, which OpenTelemetry's batch processor passes on, are left
/// out, as its specification asks.
///
#[cfg_attr(not(older_line), doc = include_str!("examples/span_exporter_bridge.md"))]
pub struct SpanExporterBridge<E> {
    inner: Arc<Inner>,
    resource: Arc<Resource>,
    /// What it wraps lives on a thread of its own.
    exporter: PhantomData<fn() -> E>,
}

#[derive(Debug)]
struct Inner {
    exporter: AsyncExporter,
    /// How long a flush may take.
    patience: Duration,
    flushes: Arc<AtomicUsize>,
    has_ended: AtomicBool,
}

impl<E: Exporter + 'static> SpanExporterBridge<E> {
    /// Wraps an exporter, with the defaults of [`DeliveryConfig`] but for a failed batch, which is tried
    /// for 30 s: OpenTelemetry's queue fills meanwhile, and has place for 2048 spans.
    #[must_use]
    pub fn new(exporter: E) -> Self {
        let retry = Retry { budget: Duration::from_secs(30), ..Retry::default() };
        Self::with_config(exporter, DeliveryConfig { retry, ..DeliveryConfig::default() })
    }

    /// Wraps an exporter.
    #[must_use]
    pub fn with_config(exporter: E, config: DeliveryConfig) -> Self {
        let flushes = Arc::new(AtomicUsize::new(0));
        let bridged = Bridged { exporter, flushes: Arc::clone(&flushes) };
        let inner = Inner {
            exporter: AsyncExporter::with_config(bridged, config),
            patience: config.export_timeout,
            flushes,
            has_ended: AtomicBool::new(false),
        };
        let resource = Arc::new(Resource::new("unknown_service"));
        Self { inner: Arc::new(inner), resource, exporter: PhantomData }
    }
}

impl<E> SpanExporterBridge<E> {
    /// Exports without borrowing from here, as older lines want it.
    fn deliver(&self, batch: Vec<SpanData>) -> impl Future<Output = SdkResult> + Send + use<E> {
        let (inner, resource) = (Arc::clone(&self.inner), Arc::clone(&self.resource));
        async move { inner.deliver(&batch, &resource).await }
    }
}

impl Inner {
    async fn deliver(&self, batch: &[SpanData], resource: &Arc<Resource>) -> SdkResult {
        if self.has_ended.load(Ordering::Acquire) {
            return Err(line::already_shut_down());
        }
        let (traces, without_ids) = traces_of(batch, resource);
        let taken = match &*traces {
            [] => Ok(()),
            traces => self.exporter.export(traces).await,
        };
        let sent = self.exporter.flush().await;
        if without_ids > 0 {
            let message = format!("{without_ids} spans have no valid ids and were not exported");
            return Err(line::failed(message));
        }
        taken.and(sent).map_err(|error| line::failed(error.to_string()))
    }

    fn shut_down(&self, timeout: Duration) -> SdkResult {
        if self.has_ended.swap(true, Ordering::AcqRel) {
            return Err(line::already_shut_down());
        }
        match self.exporter.shutdown_within(timeout) {
            Ok(_) => Ok(()),
            Err(ShutdownError::TimedOut { limit, .. }) => Err(line::timed_out(limit)),
            Err(error) => Err(line::failed(error.to_string())),
        }
    }

    fn flush(&self) -> SdkResult {
        if self.has_ended.load(Ordering::Acquire) {
            return Err(line::already_shut_down());
        }
        self.flushes.fetch_add(1, Ordering::AcqRel);
        let flushed = self.exporter.flush_within(self.patience);
        self.flushes.fetch_sub(1, Ordering::AcqRel);
        match flushed {
            Ok(_) => Ok(()),
            Err(FlushError::TimedOut { limit, .. }) => Err(line::timed_out(limit)),
            Err(error) => Err(line::failed(error.to_string())),
        }
    }
}

impl<E> fmt::Debug for SpanExporterBridge<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SpanExporterBridge")
            .field("inner", &self.inner)
            .field("resource", &self.resource)
            .finish()
    }
}

/// Each method as the line has it.
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
        // There is nobody to tell.
        let _ = self.inner.shut_down(line::SHUTDOWN_TIMEOUT);
    }

    #[cfg(all(before_0_30, not(before_0_28)))]
    fn shutdown(&mut self) -> SdkResult {
        self.inner.shut_down(line::SHUTDOWN_TIMEOUT)
    }

    #[cfg(all(before_0_32, not(before_0_30)))]
    fn shutdown_with_timeout(&mut self, timeout: Duration) -> SdkResult {
        self.inner.shut_down(timeout)
    }

    // By itself the trait gives 5 ns there.
    #[cfg(all(before_0_32, not(before_0_30)))]
    fn shutdown(&mut self) -> SdkResult {
        self.inner.shut_down(line::SHUTDOWN_TIMEOUT)
    }

    #[cfg(not(before_0_32))]
    fn shutdown_with_timeout(&self, timeout: Duration) -> SdkResult {
        self.inner.shut_down(timeout)
    }

    #[cfg(before_0_28)]
    fn force_flush(&mut self) -> Boxed<SdkResult> {
        let inner = Arc::clone(&self.inner);
        Box::pin(async move { inner.flush() })
    }

    #[cfg(all(before_0_32, not(before_0_28)))]
    fn force_flush(&mut self) -> SdkResult {
        self.inner.flush()
    }

    #[cfg(not(before_0_32))]
    fn force_flush(&self) -> SdkResult {
        self.inner.flush()
    }

    #[cfg(not(before_0_24))]
    fn set_resource(&mut self, resource: &OtelResource) {
        self.resource = Arc::new(from_resource(resource));
    }
}

#[cfg(before_0_29)]
type Boxed<T> = std::pin::Pin<Box<dyn Future<Output = T> + Send>>;

/// The sampled spans as traces, and how many could not become part of one.
///
/// The spans of a trace of ours share flags, trace state and resource; those that differ make another.
fn traces_of(batch: &[SpanData], resource: &Arc<Resource>) -> (Vec<Trace>, usize) {
    let mut traces: Vec<(&SpanContext, Trace)> = Vec::new();
    let mut known: HashMap<TraceId, Vec<usize>> = HashMap::new();
    let mut whose = Whose { told: Arc::clone(resource), last: None };
    let mut without_ids = 0;
    for data in batch.iter().filter(|data| data.span_context.trace_flags().is_sampled()) {
        let context = &data.span_context;
        let Some(span) = from_span_data(data) else {
            without_ids += 1;
            continue;
        };
        let resource = whose.is(data);
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

/// Who made the spans of a batch.
struct Whose<'a> {
    /// What the provider said.
    told: Arc<Resource>,
    /// What the last span said, where the line has it there.
    last: Option<(&'a OtelResource, Arc<Resource>)>,
}

impl<'a> Whose<'a> {
    fn is(&mut self, span: &'a SpanData) -> &Arc<Resource> {
        let Some(theirs) = line::resource_in(span) else { return &self.told };
        let known = self.last.take().filter(|(known, _)| *known == theirs);
        &self.last.insert(known.unwrap_or_else(|| (theirs, Arc::new(from_resource(theirs))))).1
    }
}

/// The exporter on its own thread: quiet, and flushed only when somebody outside asks for it. Each export
/// waits for the queue to be empty, which must not cost a flush to disk each time.
struct Bridged<E> {
    exporter: E,
    flushes: Arc<AtomicUsize>,
}

#[async_trait]
impl<E: Exporter> Exporter for Bridged<E> {
    async fn export(&self, batch: &[Trace]) -> Result<(), ExportError> {
        quietly(self.exporter.export(batch)).await
    }

    async fn flush(&self) -> Result<(), ExportError> {
        if self.flushes.load(Ordering::Acquire) == 0 {
            return Ok(());
        }
        quietly(self.exporter.flush()).await
    }

    async fn shutdown(&self) -> Result<(), ExportError> {
        quietly(self.exporter.shutdown()).await
    }

    fn name(&self) -> Cow<'static, str> {
        self.exporter.name()
    }

    fn batching(&self) -> Batching {
        self.exporter.batching()
    }
}
