//! Putting a pipeline together.

mod options;

use std::fmt;
use std::io;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use super::Pipeline;
use super::group;
use super::start_error::StartError;
use crate::coherence::Coherence;
use crate::delivery::{Delivery, DeliveryConfig};
use crate::export::Exporter;
use crate::kit::Random;
use crate::kit::internal_log::{self, PendingWarnings};
use crate::ledger::Ledger;
use crate::model::{Resource, TagKey, TagValue};
use crate::pipeline::core::{Core, ShutdownOnDrop};
use crate::pipeline::maintenance::MaintenanceThread;
use crate::record::{BaggageTags, RecordLimits, Recorder, RecorderSettings};
use crate::sampling::Sampler;
use crate::tail::TailPolicy;
use crate::time::Clock;
use crate::trace::Trace;

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
    delivery: DeliveryConfig,
    clock: Clock,
    random: Random,
    pending_warnings: Arc<PendingWarnings>,
    /// Why there is nothing to export to, if the program adds no exporter.
    missing: Option<String>,
}

impl fmt::Debug for PipelineBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PipelineBuilder")
            .field("resource", &self.resource)
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

    /// Starts the threads.
    ///
    /// # Errors
    /// When there is no exporter, a setting of coherence is out of range, or the machine refuses a thread.
    pub fn start(mut self) -> Result<Pipeline, StartError> {
        if let Some(coherence) = &self.coherence {
            coherence.check().map_err(StartError::Coherence)?;
        }
        if self.exporters.is_empty() && self.records {
            self.exporters = self.default_exporters.take().ok_or(StartError::NoExporter)?;
            self.records = !self.exporters.is_empty();
            if let Some(missing) = self.missing.take().filter(|_| !self.records) {
                self.pending_warnings.add(missing);
            }
        }
        let (core, failed) = self.assemble();
        failed.map_or_else(|| Ok(Pipeline::around(core)), |error| Err(StartError::Thread(error)))
    }

    /// Starts the threads, or records nothing if that fails.
    pub(super) fn start_or_closed(self) -> Pipeline {
        let (core, failed) = self.assemble();
        if let Some(error) = failed {
            internal_log::warn(&format!("no span is recorded: cannot start a thread: {error}"));
            core.decide_all(Duration::ZERO);
        }
        Pipeline::around(core)
    }

    fn assemble(mut self) -> (Core, Option<io::Error>) {
        if !self.records {
            self.exporters.clear();
            self.coherence = None;
        }
        if let Some(coherence) = &self.coherence {
            self.limits = self.limits.with_ring_of(coherence);
        }
        let ledger = Arc::new(Ledger::default());
        let clock = self.clock;
        let random = self.random;
        let (delivery, mut failed) = Delivery::start(
            self.exporters,
            self.delivery,
            clock.clone(),
            random.clone(),
            Arc::clone(&ledger),
        );
        let delivery = Arc::new(delivery);
        let sink = Arc::clone(&delivery);
        let service = self.resource.service_name().to_owned();
        let recorder = Recorder::new(RecorderSettings {
            clock: clock.clone(),
            random: random.clone(),
            is_coherent: self.coherence.is_some(),
            ledger,
            limits: self.limits,
            sampler: self.sampler,
            tail: self.tail,
            resource: Arc::new(self.resource),
            records: self.records,
            baggage_tags: self.baggage_tags,
            sink: match self.decision_tags {
                true => Box::new(move |trace| sink.send(trace)),
                false => Box::new(move |trace: Trace| sink.send(trace.without_notes())),
            },
        });
        if let Some(coherence) = &self.coherence {
            if recorder.drops_unsampled() {
                self.pending_warnings.add(group::DROPS_UNSAMPLED.to_owned());
            }
            let joined = group::join(coherence, &recorder, &service, clock, random);
            failed = failed.or(joined.err());
        }
        let pending_warnings = self.pending_warnings;
        let kept = MaintenanceThread::start(Arc::clone(&recorder), Arc::clone(&pending_warnings));
        let maintenance = kept.unwrap_or_else(|error| {
            failed.get_or_insert(error);
            MaintenanceThread::not_started()
        });
        let decided = Mutex::new(false);
        let is_decided = Condvar::new();
        let has_told = AtomicBool::new(false);
        let core = Core {
            recorder,
            delivery,
            maintenance,
            pending_warnings,
            decided,
            is_decided,
            has_told,
        };
        (core, failed)
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

    fn around(core: Core) -> Self {
        let core = Arc::new(core);
        let running = Some(Arc::new(ShutdownOnDrop(Arc::clone(&core))));
        Self { core, _running: running }
    }
}
