//! From the settings of a pipeline to its parts.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, OnceLock};
use std::time::Duration;

use super::PipelineBuilder;
use crate::coherence::Coherence;
use crate::delivery::{Delivery, DeliveryConfig, SharedExporter};
use crate::kit::Random;
use crate::kit::internal_log::{self, PendingWarnings};
use crate::ledger::{KeptNames, Ledger};
use crate::model::{Redact, Resource};
use crate::pipeline::core::{Core, Fork};
use crate::pipeline::handle::start_error::StartError;
use crate::pipeline::handle::{Pipeline, group};
use crate::pipeline::maintenance::MaintenanceThread;
use crate::record::{BaggageTags, ChosenDeciders, RecordLimits, Recorder, RecorderSettings};
use crate::time::Clock;
use crate::trace::Trace;

impl PipelineBuilder {
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
        let (core, settings) = self.assemble();
        settings.start_threads(&core).map_err(StartError::Thread)?;
        Ok(Pipeline::around(core))
    }

    /// Starts the threads, or records nothing if that fails.
    pub(in crate::pipeline::handle) fn start_or_closed(self) -> Pipeline {
        let (core, settings) = self.assemble();
        settings.start_threads_or_close(&core);
        Pipeline::around(core)
    }

    fn assemble(mut self) -> (Arc<Core>, Arc<Settings>) {
        if !self.records {
            self.exporters.clear();
            self.coherence = None;
        }
        if let Some(coherence) = &self.coherence {
            self.limits = self.limits.with_ring_of(coherence);
        }
        let settings = Arc::new(Settings {
            resource: Arc::new(self.resource.with_library()),
            exporters: self.exporters.into_iter().map(SharedExporter::new).collect(),
            records: self.records,
            baggage_tags: self.baggage_tags,
            decision_tags: self.decision_tags,
            limits: self.limits,
            coherence: self.coherence,
            redact: self.redact,
            delivery: self.delivery,
            clock: self.clock,
            random: self.random,
            pending_warnings: self.pending_warnings,
        });
        let chosen = ChosenDeciders { sampler: self.sampler, tail: self.tail };
        (settings.assemble(chosen, Arc::clone(&settings.resource)), settings)
    }
}

/// What a pipeline is made of, and made of anew in a process that is forked off.
struct Settings {
    resource: Arc<Resource>,
    exporters: Vec<SharedExporter>,
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
}

impl Settings {
    /// Makes the parts, without their threads.
    fn assemble(self: &Arc<Self>, chosen: ChosenDeciders, resource: Arc<Resource>) -> Arc<Core> {
        let ChosenDeciders { sampler, tail } = chosen;
        let ledger = Arc::new(Ledger::default());
        let delivery = Arc::new(Delivery::new(
            &self.exporters,
            self.delivery,
            self.clock.clone(),
            self.random.clone(),
            Arc::clone(&ledger),
        ));
        let recorder = Recorder::new(RecorderSettings {
            clock: self.clock.clone(),
            random: self.random.clone(),
            is_coherent: self.coherence.is_some(),
            sink: self.sink(Arc::clone(&delivery), &ledger),
            ledger,
            limits: self.limits,
            sampler,
            tail,
            resource,
            records: self.records,
            baggage_tags: self.baggage_tags.clone(),
            decision_tags: self.decision_tags,
        });
        let [restart, start] = [Arc::clone(self), Arc::clone(self)];
        let core = Arc::new(Core {
            recorder,
            delivery,
            maintenance: MaintenanceThread::default(),
            pending_warnings: Arc::clone(&self.pending_warnings),
            decided: Mutex::new(false),
            is_decided: Condvar::new(),
            has_told: AtomicBool::new(false),
            question: OnceLock::new(),
            fork: Fork::new(
                move |parent| restart.assemble_in_child(&parent.recorder),
                move |core| start.start_threads_or_close(core),
            ),
        });
        let weak = Arc::downgrade(&core);
        core.recorder.set_successor(move || Some(Arc::clone(&weak.upgrade()?.here().recorder)));
        core
    }

    /// Makes the parts of a process that was forked off; they go on with the deciders that are in use.
    fn assemble_in_child(self: &Arc<Self>, parent: &Recorder) -> Arc<Core> {
        let resource = Arc::clone(&self.resource);
        #[cfg(feature = "detect")]
        let resource = Arc::new(Arc::unwrap_or_clone(resource).in_child());
        let core = self.assemble(parent.deciders_in_use(), resource);
        core.recorder.follow(parent);
        // A child that records nothing is no mistake.
        core.has_told.store(true, Ordering::Relaxed);
        core
    }

    /// # Errors
    /// When the machine refuses a thread.
    fn start_threads(&self, core: &Core) -> io::Result<()> {
        let Self { clock, random, coherence, resource, pending_warnings, .. } = self;
        let recorder = &core.recorder;
        core.delivery.start_threads()?;
        if let Some(coherence) = coherence {
            if recorder.drops_unsampled() {
                pending_warnings.add(group::DROPS_UNSAMPLED.to_owned());
            }
            let service = resource.service_name();
            group::join(coherence, recorder, service, clock.clone(), random.clone())?;
        }
        core.maintenance.start(Arc::clone(recorder), Arc::clone(pending_warnings))
    }

    /// Starts the threads, or has nothing recorded if that fails.
    fn start_threads_or_close(&self, core: &Core) {
        if let Err(error) = self.start_threads(core) {
            internal_log::warn(&format!("no span is recorded: cannot start a thread: {error}"));
            core.decide_all(Duration::ZERO);
        }
    }

    /// What takes kept traces: the queues, behind what takes out of them what must not be told, and what counts them.
    fn sink(
        &self,
        delivery: Arc<Delivery>,
        ledger: &Arc<Ledger>,
    ) -> Box<dyn Fn(Trace) + Send + Sync> {
        let decision_tags = self.decision_tags;
        let counted = Arc::clone(ledger);
        let send = move |trace: Trace| {
            let names = KeptNames {
                policy: trace.kept_by(),
                operation: trace.operation(),
                is_late: trace.is_late(),
            };
            counted.kept_as(names, trace.span_count() as u64);
            delivery.send(if decision_tags { trace } else { trace.without_notes() });
        };
        let Some(redact) = self.redact.clone() else { return Box::new(send) };
        let ledger = Arc::clone(ledger);
        Box::new(move |trace| {
            let (trace, values) = trace.redacted(&redact);
            ledger.redacted(values);
            send(trace);
        })
    }
}
