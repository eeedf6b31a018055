//! Putting a pipeline together.

mod assembly;
mod options;

use std::fmt;
use std::sync::Arc;

use super::Pipeline;
use crate::coherence::Coherence;
use crate::delivery::DeliveryConfig;
use crate::export::Exporter;
use crate::kit::Random;
use crate::kit::internal_log::PendingWarnings;
use crate::kit::secret::Secret;
use crate::model::{Redact, Resource, TagKey, TagValue};
use crate::pipeline::core::{Core, ShutdownOnDrop};
use crate::record::{BaggageTags, RecordLimits};
use crate::sampling::Sampler;
use crate::tail::TailPolicy;
use crate::time::Clock;

/// Puts a [`Pipeline`] together.
///
/// From [`Pipeline::builder`]. Only an exporter is required.
#[must_use = "a pipeline starts with `start`"]
pub struct PipelineBuilder {
    resource: Resource,
    sampler: Option<Arc<dyn Sampler>>,
    tail: Option<Arc<dyn TailPolicy>>,
    exporters: Vec<Box<dyn Exporter>>,
    /// The exporters of a program that adds none; `None` refuses to start.
    default_exporters: Option<Vec<Box<dyn Exporter>>>,
    records: bool,
    baggage_tags: BaggageTags,
    decision_tags: bool,
    limits: RecordLimits,
    coherence: Option<Coherence>,
    redact: Option<Redact>,
    delivery: DeliveryConfig,
    clock: Clock,
    random: Random,
    pending_warnings: Arc<PendingWarnings>,
    /// Why there is nothing to export to, if the program adds no exporter.
    missing: Option<String>,
}

impl fmt::Debug for PipelineBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The values may come from the environment.
        let resource: Vec<_> = self.resource.iter().map(|(key, _)| Secret::name(key)).collect();
        f.debug_struct("PipelineBuilder")
            .field("service", &Secret::name(self.resource.service_name()))
            .field("resource", &resource)
            .field("exporters", &self.exporters.len())
            .field("limits", &self.limits)
            .field("delivery", &self.delivery)
            .finish_non_exhaustive()
    }
}

impl PipelineBuilder {
    pub(super) fn new(service_name: String) -> Self {
        Self {
            resource: Resource::new(service_name),
            sampler: None,
            tail: None,
            exporters: Vec::new(),
            default_exporters: None,
            records: true,
            baggage_tags: BaggageTags::default(),
            decision_tags: true,
            limits: RecordLimits::default(),
            coherence: None,
            redact: None,
            delivery: DeliveryConfig::default(),
            clock: Clock::system(),
            random: Random::thread(),
            pending_warnings: Arc::default(),
            missing: None,
        }
    }

    /// Sets the head sampler.
    ///
    /// Default with a tail: every trace is recorded and the tail decides. Default without: the
    /// caller's decision is followed and new traces are kept.
    /// [`Pipeline::set_sampler`] replaces it later.
    pub fn with_sampler(mut self, sampler: impl Sampler + 'static) -> Self {
        self.sampler = Some(Arc::new(sampler));
        self
    }

    /// Sets the tail policy, usually a [`TailSampler`](crate::TailSampler). Default: none.
    /// [`Pipeline::set_tail`] replaces it later.
    pub fn with_tail(mut self, tail: impl TailPolicy + 'static) -> Self {
        self.tail = Some(Arc::new(tail));
        self
    }

    /// Adds an exporter. With several, each gets every kept trace and fails alone.
    pub fn with_exporter(mut self, exporter: impl Exporter + 'static) -> Self {
        self.exporters.push(Box::new(exporter));
        self
    }

    /// Adds something that describes the service, such as `deployment.environment.name`.
    pub fn with_resource_tag<'k>(
        mut self,
        key: impl Into<TagKey<'k>>,
        value: impl Into<TagValue>,
    ) -> Self {
        self.resource = self.resource.with_tag(key, value);
        self
    }

    /// Adds what describes the service, such as what `Resource::detect` (feature `detect`) finds. A key that has a value
    /// already keeps it, the service's name too.
    pub fn with_resource(mut self, resource: Resource) -> Self {
        self.resource = self.resource.or(resource);
        self
    }

    /// Sets how much may be recorded at a time.
    pub fn with_limits(mut self, limits: RecordLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Has traces kept that other services of the same group keep, and tells them what is kept here: over a message
    /// bus, and only *which* traces. See the chapter [`across_services`](crate::manual::across_services).
    ///
    /// The ring of dropped traces is sized by [`Coherence::with_ring_reach`] (10 s of traffic) within
    /// [`Coherence::with_ring_cap`] (256 MiB), unless the program sets other [limits](RecordLimits) for it. What a caller
    /// did not sample is recorded, also without a tail, unless the program's sampler drops it on purpose. Starting
    /// connects to nothing. Costs a thread with a small runtime, and up to 60 instructions for each trace that is dropped.
    ///
    /// ```
    /// use tailtrace::coherence::{Coherence, MemoryBus};
    /// use tailtrace::{Errors, InMemoryExporter, Pipeline, TailSampler};
    /// let bus = MemoryBus::new();
    /// let pipeline = Pipeline::builder("checkout")
    ///     .with_tail(TailSampler::new().keep(Errors))
    ///     .with_coherence(Coherence::new(bus).with_group("prod"))
    ///     .with_exporter(InMemoryExporter::new())
    ///     .start()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn with_coherence(mut self, coherence: Coherence) -> Self {
        self.coherence = Some(coherence);
        self
    }

    /// Takes what must not be told out of kept traces, once, before queues, exporters, spools and consoles see them.
    /// Default: nothing is taken out.
    pub fn with_redact(mut self, redact: Redact) -> Self {
        self.redact = Some(redact);
        self
    }

    /// Sets how kept traces are queued, batched and retried.
    pub fn with_delivery(mut self, delivery: DeliveryConfig) -> Self {
        self.delivery = delivery;
        self
    }

    /// Whether spans are recorded. Default: yes.
    ///
    /// A pipeline that does not record starts no exporter, asks neither sampler nor tail, and costs
    /// next to nothing. What callers decided about their traces goes on, under the caller's span id, to
    /// whom this program calls; a trace that begins here goes on as not sampled. Its spans are counted as
    /// sampled out. It stays so as long as the pipeline lives; [`Pipeline::set_enabled`] is the switch for a pipeline
    /// that runs. OpenTelemetry: `OTEL_SDK_DISABLED`.
    pub fn with_recording(mut self, records: bool) -> Self {
        self.records = records;
        self
    }

    /// Sets what exports where the program adds no exporter. Without any the pipeline starts all the
    /// same and records nothing, and says that `missing` is why.
    pub(crate) fn with_default_exporters(
        mut self,
        exporters: Vec<Box<dyn Exporter>>,
        missing: Option<&str>,
    ) -> Self {
        self.default_exporters = Some(exporters);
        self.missing = missing.map(str::to_owned);
        self
    }

    /// Sets the warnings that are logged as soon as the program has a subscriber.
    pub(crate) fn with_pending_warnings(mut self, pending_warnings: Arc<PendingWarnings>) -> Self {
        self.pending_warnings = pending_warnings;
        self
    }
}

impl Pipeline {
    /// Prepares a pipeline for a service; `service_name` becomes the resource's `service.name`.
    pub fn builder(service_name: impl Into<String>) -> PipelineBuilder {
        PipelineBuilder::new(service_name.into())
    }

    /// A pipeline of one sampler and one exporter that records nothing if its threads cannot start.
    pub(crate) fn simple(
        service_name: String,
        sampler: Box<dyn Sampler>,
        exporter: Box<dyn Exporter>,
    ) -> Self {
        Self::builder(service_name).with_sampler(sampler).with_exporter(exporter).start_or_closed()
    }

    pub(super) fn around(core: Arc<Core>) -> Self {
        let running = Some(Arc::new(ShutdownOnDrop(Arc::clone(&core))));
        Self { core, _running: running }
    }
}
