//! The parts of a running pipeline, and their end.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use super::maintenance::MaintenanceThread;
use crate::delivery::{Delivery, DeliveryReport, FlushError, ShutdownError};
use crate::kit::fork::ForkGuard;
use crate::kit::internal_log::{self, PendingWarnings};
use crate::kit::{reentrancy, unwind_safe};
use crate::record::Recorder;
use crate::time::Tick;

/// How long the last handle waits for what is still to be exported when it is dropped.
const DROP_TIMEOUT: Duration = Duration::from_secs(5);

/// The most time that a flush or a shutdown gives the bus of coherence. A bus that hangs must not take the time of the
/// exporters.
const BUS_TIMEOUT: Duration = Duration::from_millis(500);

/// What is asked where no span arrived, unless who made the pipeline knows a better question.
const QUESTION: &str = "is a subscriber with its layer installed \
                        (`tracing_subscriber::registry().with(pipeline.layer()).init()`), does its filter let spans \
                        through, and was the `Pipeline` held until the program's end?";

/// The parts of a pipeline, shared by its handles, tracers and layers.
pub(super) struct Core {
    pub(super) recorder: Arc<Recorder>,
    pub(super) delivery: Arc<Delivery>,
    pub(super) maintenance: MaintenanceThread,
    /// Warnings from before the program had a subscriber.
    pub(super) pending_warnings: Arc<PendingWarnings>,
    /// Whether a shutdown has decided every live trace.
    pub(super) decided: Mutex<bool>,
    pub(super) is_decided: Condvar,
    /// Whether the end has been looked at: a second shutdown tells nothing.
    // Relaxed: it orders with nothing.
    pub(super) has_told: AtomicBool,
    /// What is asked at the end where no span arrived.
    pub(super) question: OnceLock<String>,
    pub(super) fork: Fork,
}

/// Makes the parts of a process that was forked off, without threads.
type Restart = Box<dyn Fn(&Core) -> Arc<Core> + Send + Sync>;

/// The way to the parts of the pipeline in a process that was forked off.
pub(super) struct Fork {
    guard: ForkGuard,
    restart: Restart,
    start_threads: Box<dyn Fn(&Core) + Send + Sync>,
    child: OnceLock<Arc<Core>>,
}

impl Fork {
    /// `restart` makes the parts anew, without threads, which `start_threads` starts.
    pub(super) fn new(
        restart: impl Fn(&Core) -> Arc<Core> + Send + Sync + 'static,
        start_threads: impl Fn(&Core) + Send + Sync + 'static,
    ) -> Self {
        let guard = ForkGuard::new();
        let child = OnceLock::new();
        Self { guard, restart: Box::new(restart), start_threads: Box::new(start_threads), child }
    }
}

impl Core {
    /// The parts in this process: where it was forked off, they are made anew at the first need. What the parent
    /// holds stays the parent's, and its threads and locks are not waited for.
    pub(super) fn here(self: &Arc<Self>) -> &Arc<Self> {
        if !self.fork.guard.is_in_child() {
            return self;
        }
        let child = &self.fork.child;
        if child.get().is_none() && child.set((self.fork.restart)(self)).is_ok() {
            // Only those that are used have threads, of those that several threads may have made.
            child.get().into_iter().for_each(|child| (child.fork.start_threads)(child));
        }
        child.get().map_or(self, Self::here)
    }

    /// The parts in this process; `None` where it was forked off and has made none.
    fn made_here(self: &Arc<Self>) -> Option<&Arc<Self>> {
        if self.fork.guard.is_in_child() { self.fork.child.get()?.made_here() } else { Some(self) }
    }

    pub(super) fn shutdown(&self, timeout: Duration) -> Result<DeliveryReport, ShutdownError> {
        let start = self.recorder.clock.now();
        let asked = time_limit(timeout);
        let unfinished = self.decide_all(timeout);
        if let Some(coherence) = self.recorder.coherence() {
            coherence.shutdown(asked.min(BUS_TIMEOUT));
        }
        self.maintenance.stop();
        self.pending_warnings.log_all();
        self.tell_if_nothing_arrived();
        // The policies that were just asked have had their part of the time.
        let left = asked.saturating_sub(self.recorder.clock.now().since(start));
        self.delivery.shutdown(left, unfinished).map_err(|error| error.within(asked))
    }

    /// Tells once of a pipeline that ends without having seen a span: the usual reason is that what should have
    /// led spans to it was never installed.
    fn tell_if_nothing_arrived(&self) {
        let recorder = &self.recorder;
        if recorder.switch.may_record
            && !self.has_told.swap(true, Ordering::Relaxed)
            && recorder.stats().started == 0
        {
            let question = self.question.get().map_or(QUESTION, String::as_str);
            internal_log::warn_or_print(&format!(
                "no span arrived during the whole life of the pipeline; {question}"
            ));
        }
    }

    /// Has the notices of what was kept published, within a part of the time that is left of `asked` since `start`.
    pub(super) fn flush_notices(&self, start: Tick, asked: Duration) {
        if let Some(coherence) = self.recorder.coherence() {
            let left = asked.saturating_sub(self.recorder.clock.now().since(start));
            coherence.flush(left.min(BUS_TIMEOUT));
        }
    }

    /// Exports what is open and failed, or all that is open, and what was kept before.
    pub(super) fn flush_open(
        &self,
        is_all: bool,
        timeout: Duration,
    ) -> Result<DeliveryReport, FlushError> {
        let asked = time_limit(timeout);
        let start = self.recorder.clock.now();
        self.recorder.send_open(is_all, start);
        let left = asked.saturating_sub(self.recorder.clock.now().since(start));
        self.delivery.flush(left).map_err(|error| error.within(asked))
    }

    /// Ends recording and decides every live trace; how many spans had not ended. A second thread that
    /// shuts down waits until that is done, so that it does not close the queues before the last kept
    /// trace is in.
    pub(super) fn decide_all(&self, timeout: Duration) -> u64 {
        if let Some(unfinished) = self.recorder.shutdown(self.recorder.clock.now()) {
            *unwind_safe::lock(&self.decided) = true;
            self.is_decided.notify_all();
            return unfinished;
        }
        let decided = unwind_safe::lock(&self.decided);
        let waited = self.is_decided.wait_timeout_while(decided, timeout, |decided| !*decided);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
        0
    }
}

/// How long the calling thread may wait. An exporter that flushes or drops its own pipeline would wait
/// for itself.
pub(super) fn time_limit(timeout: Duration) -> Duration {
    if reentrancy::is_own_thread() { Duration::ZERO } else { timeout }
}

/// Shuts the pipeline down when the last of it is dropped.
pub(super) struct ShutdownOnDrop(pub(super) Arc<Core>);

impl Drop for ShutdownOnDrop {
    fn drop(&mut self) {
        let here = self.0.made_here();
        if let Some(Err(error)) = here.map(|core| core.shutdown(DROP_TIMEOUT)) {
            internal_log::warn(&error.to_string());
        }
        if self.0.fork.guard.is_in_child() {
            // What came with the fork is never dropped: it may hold locks of threads that are not here.
            std::mem::forget(Arc::clone(&self.0));
        }
    }
}
