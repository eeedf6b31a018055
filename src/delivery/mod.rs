//! When and how often kept traces are exported.
//!
//! ```text
//! send --> queue (bounded) --> batch --> exporter 0, on its own thread
//!      \-> queue (bounded) --> batch --> exporter 1, on its own thread
//! ```
//!
//! Each exporter has a queue, a thread and a tokio runtime of its own, so one that is slow, down,
//! hung or panicking costs the other exporters nothing. Sending never waits: a full queue sheds what is worth
//! the least, and the ledger says so. What a peer may accept later is [tried again](Retry).

mod async_exporter;
mod backoff;
mod channel;
mod config;
mod drain;
mod health;
mod ledger_entry;
pub(crate) mod may_block;
mod queue;
mod queued_batch;
pub(crate) mod report;
mod shared_exporter;
#[cfg(feature = "spool")]
mod spool;
pub(crate) mod waiter;
mod worker;

#[cfg(all(test, tailtrace_loom))]
mod interleavings;
#[cfg(all(test, not(tailtrace_loom)))]
mod tests;

use std::sync::{Arc, Mutex};
use std::time::Duration;
use std::{fmt, io};

pub use async_exporter::AsyncExporter;
pub use backoff::Retry;
pub use config::DeliveryConfig;
#[cfg(feature = "otel")]
pub(crate) use may_block::may_block;
pub(crate) use report::{DeliveryReport, FlushError, ShutdownError};
pub(crate) use shared_exporter::SharedExporter;
#[cfg(feature = "spool")]
pub use spool::{Spool, SpoolError};

use crate::export::Exporter;
use crate::kit::fork::ForkGuard;
use crate::kit::{Random, unwind_safe};
use crate::ledger::{Ledger, Reason, SpoolAccount};
use crate::time::Clock;
use crate::trace::Trace;
use channel::{Channel, QueuedTrace};
use drain::{Drain, DrainKind};
use ledger_entry::LedgerEntry;
use queue::{Bounds, Offer};
use queued_batch::WaitingTrace;
use worker::Worker;

/// Exporters with their queues and threads. Dropping it without a shutdown gives up what waits.
pub(crate) struct Delivery {
    channels: Vec<Arc<Channel>>,
    /// The exporter of each channel, until it has a thread.
    workers: Mutex<Vec<Worker>>,
    guard: ForkGuard,
    /// A larger trace leaves in parts.
    max_queued_bytes: usize,
    clock: Clock,
    ledger: Arc<Ledger>,
}

impl Delivery {
    /// Makes the queues, and starts a thread for each exporter. Without any, everything sent counts as refused.
    ///
    /// The error is that the system refuses a thread or what a runtime needs. The delivery has ended
    /// then: what is sent to it is counted as lost.
    pub(crate) fn start(
        exporters: Vec<Box<dyn Exporter>>,
        config: DeliveryConfig,
        clock: Clock,
        random: Random,
        ledger: Arc<Ledger>,
    ) -> (Self, Option<io::Error>) {
        let exporters: Vec<_> = exporters.into_iter().map(SharedExporter::new).collect();
        let delivery = Self::new(&exporters, config, clock, random, ledger);
        let failed = delivery.start_threads().err();
        (delivery, failed)
    }

    /// Makes the queues. What is sent waits there until the threads [have started](Self::start_threads).
    pub(crate) fn new(
        exporters: &[SharedExporter],
        config: DeliveryConfig,
        clock: Clock,
        random: Random,
        ledger: Arc<Ledger>,
    ) -> Self {
        let mut delivery = Self {
            channels: Vec::with_capacity(exporters.len()),
            workers: Mutex::default(),
            guard: ForkGuard::new(),
            max_queued_bytes: config.max_queued_bytes,
            clock,
            ledger,
        };
        if let [only] = exporters
            && let Some(only) = only.get()
        {
            let account = SpoolAccount::new(Arc::clone(&delivery.ledger));
            delivery.ledger.call_user(|| only.attach(&account));
        }
        for exporter in exporters {
            delivery.add(exporter, config, random.clone());
        }
        delivery
    }

    /// Starts a thread for each exporter, once.
    ///
    /// # Errors
    /// When the system refuses a thread or what a runtime needs. The delivery has ended then: what is sent to it is
    /// counted as lost.
    pub(crate) fn start_threads(&self) -> io::Result<()> {
        let workers = std::mem::take(&mut *unwind_safe::lock(&self.workers));
        let mut started = workers.into_iter().zip(0..).map(|(worker, index)| worker.start(index));
        started.try_for_each(|started| started).inspect_err(|_| self.end())
    }

    fn add(&mut self, shared: &SharedExporter, config: DeliveryConfig, random: Random) {
        // One whose thread had ended before the fork.
        let Some(exporter) = shared.get() else { return };
        let name = self.ledger.call_user(|| exporter.name().into());
        let batching = config.batching.or_else(|| self.ledger.call_user(|| exporter.batching()));
        let channel = Arc::new(Channel::new(
            name.unwrap_or_else(|| Arc::from("unnamed")),
            Bounds { traces: config.max_queued_traces, bytes: config.max_queued_bytes },
            batching.unwrap_or_default(),
            self.clock.clone(),
            Arc::clone(&self.ledger),
        ));
        self.channels.push(Arc::clone(&channel));
        let shared = shared.clone();
        let worker = Worker { exporter, shared, channel, config, random };
        unwind_safe::lock(&self.workers).push(worker);
    }

    /// How long the oldest trace has waited that an exporter has not answered for; zero where none waits.
    pub(crate) fn oldest_queued(&self) -> Duration {
        let oldest = self.channels.iter().filter_map(|channel| channel.oldest()).min();
        oldest.map_or(Duration::ZERO, |since| self.clock.now().since(since))
    }

    /// Queues a trace for every exporter. Never waits and runs no exporter's code.
    pub(crate) fn send(&self, trace: Trace) {
        self.offer(trace);
    }

    /// Queues a trace for every exporter; false when no queue had room for it.
    fn offer(&self, trace: Trace) -> bool {
        let spans = trace.span_count();
        let Some((last, rest)) = self.channels.split_last() else {
            self.ledger.queued(spans as u64);
            self.ledger.lost(Reason::Refused, spans as u64);
            return false;
        };
        if trace.bytes() > self.max_queued_bytes && spans > 1 {
            return self.offer_parts(&trace);
        }
        let error = trace.has_errors();
        let Some((trace, bytes)) = self.packed_if_filling(trace) else {
            self.ledger.queued(spans as u64);
            self.ledger.lost(Reason::ExporterPanicked, spans as u64);
            return false;
        };
        let offer = Offer { spans, bytes, error, is_part: false };
        let now = self.clock.now();
        let mut ledger_entries =
            LedgerEntry::issue(&self.ledger, spans as u64, self.channels.len());
        let mut accepted = false;
        for (channel, ledger_entry) in rest.iter().zip(&mut ledger_entries) {
            let queued = QueuedTrace { trace: trace.clone(), ledger_entry };
            accepted |= channel.push([(queued, offer)], now);
        }
        // The last exporter gets the trace itself: where there is only one, nothing is cloned.
        if let Some(ledger_entry) = ledger_entries.next() {
            let queued = QueuedTrace { trace, ledger_entry };
            accepted |= last.push([(queued, offer)], now);
        }
        accepted
    }

    /// Makes a trace of another tracer's spans take less room, where a queue fills because its exporter does not keep up;
    /// with it the memory that it takes, in bytes. `None` when their adapter panics.
    fn packed_if_filling(&self, trace: Trace) -> Option<(WaitingTrace, usize)> {
        if self.channels.iter().any(|channel| channel.is_filling()) {
            self.ledger.call_user(|| WaitingTrace::packed(trace))
        } else {
            Some(WaitingTrace::whole(trace))
        }
    }

    /// Queues a trace that is larger than the queue, in parts that each fit. Every part refers to the trace, of
    /// which the exporting thread copies the spans when their turn comes.
    #[cold]
    fn offer_parts(&self, trace: &Trace) -> bool {
        let now = self.clock.now();
        let bytes_of_each = trace.bytes() / trace.span_count().max(1);
        let error = trace.has_errors();
        let mut parcels: Vec<Vec<(QueuedTrace, Offer)>> = Vec::new();
        parcels.resize_with(self.channels.len(), Vec::new);
        for part in trace.parts(self.max_queued_bytes) {
            let spans = part.len();
            let offer = Offer { spans, bytes: spans * bytes_of_each, error, is_part: true };
            let entries = LedgerEntry::issue(&self.ledger, spans as u64, self.channels.len());
            for (parcels, ledger_entry) in parcels.iter_mut().zip(entries) {
                let trace = WaitingTrace::Part(Box::new((trace.clone(), part.clone())));
                parcels.push((QueuedTrace { trace, ledger_entry }, offer));
            }
        }
        let mut accepted = false;
        for (channel, parcels) in self.channels.iter().zip(parcels) {
            accepted |= channel.push(parcels, now);
        }
        accepted
    }

    /// Blocks until everything sent before the call has been exported and every exporter flushed.
    ///
    /// # Errors
    /// When that took longer than `timeout`, when spans were lost meanwhile, or when an exporter
    /// could not flush.
    pub(crate) fn flush(&self, timeout: Duration) -> Result<DeliveryReport, FlushError> {
        let mut outcome = Drain::start(&self.channels, DrainKind::Flush).wait(timeout);
        outcome.report.spooled = self.ledger.counters().spooled;
        FlushError::check(outcome, timeout)
    }

    /// Exports what waits, shuts every exporter down and ends its thread. What is sent from now on is
    /// lost. A second call has nothing to do and says so. The report includes the `unfinished` spans,
    /// which were counted before they could get here.
    ///
    /// # Errors
    /// When that took longer than `timeout`, in which case what still waits is given up; when spans
    /// were lost meanwhile, or when an exporter could not shut down.
    pub(crate) fn shutdown(
        &self,
        timeout: Duration,
        unfinished: u64,
    ) -> Result<DeliveryReport, ShutdownError> {
        let mut outcome = Drain::start(&self.channels, DrainKind::Shutdown).wait(timeout);
        outcome.report.drop_spans(Reason::Unfinished, unfinished);
        outcome.report.spooled = self.ledger.counters().spooled;
        ShutdownError::check(outcome, timeout)
    }

    fn end(&self) {
        for channel in &self.channels {
            channel.end(None);
            channel.clear();
        }
    }
}

impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery").field("channels", &self.channels).finish_non_exhaustive()
    }
}

impl Drop for Delivery {
    fn drop(&mut self) {
        // Its threads are not in the child of a fork, and may have held its locks.
        if !self.guard.is_in_child() {
            self.end();
        }
    }
}
