//! From the settings of a pipeline to its parts.

use std::io;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use super::PipelineBuilder;
use crate::delivery::Delivery;
use crate::kit::internal_log;
use crate::ledger::Ledger;
use crate::model::Redact;
use crate::pipeline::core::Core;
use crate::pipeline::handle::start_error::StartError;
use crate::pipeline::handle::{Pipeline, group};
use crate::pipeline::maintenance::MaintenanceThread;
use crate::record::{Recorder, RecorderSettings};
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
        let (core, failed) = self.assemble();
        failed.map_or_else(|| Ok(Pipeline::around(core)), |error| Err(StartError::Thread(error)))
    }

    /// Starts the threads, or records nothing if that fails.
    pub(in crate::pipeline::handle) fn start_or_closed(self) -> Pipeline {
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
        let sink =
            sink(Arc::clone(&delivery), self.decision_tags, self.redact, Arc::clone(&ledger));
        let service = self.resource.service_name().to_owned();
        let recorder = Recorder::new(RecorderSettings {
            clock: clock.clone(),
            random: random.clone(),
            is_coherent: self.coherence.is_some(),
            ledger,
            limits: self.limits,
            sampler: self.sampler,
            tail: self.tail,
            resource: Arc::new(self.resource.with_library()),
            records: self.records,
            baggage_tags: self.baggage_tags,
            sink,
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

/// What takes kept traces: the queues, behind what takes out of them what must not be told.
fn sink(
    delivery: Arc<Delivery>,
    decision_tags: bool,
    redact: Option<Redact>,
    ledger: Arc<Ledger>,
) -> Box<dyn Fn(Trace) + Send + Sync> {
    let told = move |trace: Trace| if decision_tags { trace } else { trace.without_notes() };
    let Some(redact) = redact else { return Box::new(move |trace| delivery.send(told(trace))) };
    Box::new(move |trace| {
        let (trace, values) = trace.redacted(&redact);
        ledger.redacted(values);
        delivery.send(told(trace));
    })
}
