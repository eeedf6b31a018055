//! The thread that does what time asks for.

use std::io;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use crate::kit::fork::ForkGuard;
use crate::kit::internal_log::{self, PendingWarnings};
use crate::kit::{reentrancy, unwind_safe};
use crate::ledger::{LossChange, LossWatch};
use crate::record::{LeakWatch, Recorder, RingWatch};

/// How often the thread wakes, and so how late a lingering trace may be decided.
const PERIOD: Duration = Duration::from_millis(100);

/// Polls the recorder, follows the wall clock, and tells when loss starts and ends and which roots do not end.
#[derive(Debug, Default)]
pub(super) struct MaintenanceThread {
    stop: Arc<StopSignal>,
    guard: ForkGuard,
}

#[derive(Debug, Default)]
struct StopSignal {
    asked: Mutex<bool>,
    changed: Condvar,
}

impl MaintenanceThread {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the machine refuses another thread.
    #[expect(clippy::disallowed_methods, reason = "one of the two rooms that start threads")]
    pub(super) fn start(
        &self,
        recorder: Arc<Recorder>,
        pending_warnings: Arc<PendingWarnings>,
    ) -> io::Result<()> {
        let signal = Arc::clone(&self.stop);
        thread::Builder::new()
            .name("tailtrace".into())
            .spawn(move || run(&recorder, &pending_warnings, &signal))
            .map(drop)
    }

    /// Asks the thread to end, which it does when it wakes.
    pub(super) fn stop(&self) {
        *unwind_safe::lock(&self.stop.asked) = true;
        self.stop.changed.notify_all();
    }
}

impl Drop for MaintenanceThread {
    fn drop(&mut self) {
        // The thread is not in the child of a fork, and may have held the lock.
        if !self.guard.is_in_child() {
            self.stop();
        }
    }
}

fn run(recorder: &Recorder, pending_warnings: &PendingWarnings, stop: &StopSignal) {
    // Policies run on this thread when a trace lingered: what they trace must not come back in.
    reentrancy::mark_own_thread();
    let mut losses = LossWatch::default();
    let mut ring = RingWatch::default();
    let mut leaks = LeakWatch::new(recorder.limits.leak_age);
    let mut asked = unwind_safe::lock(&stop.asked);
    while !*asked {
        let waited = stop.changed.wait_timeout(asked, PERIOD);
        asked = waited.unwrap_or_else(PoisonError::into_inner).0;
        drop(asked);
        let now = recorder.clock.now();
        recorder.clock.refresh();
        pending_warnings.log_when_subscribed();
        // A bug in one round must not end the rounds after it.
        let _ = unwind_safe::call(|| recorder.poll(now));
        match losses.observe(now, &recorder.losses()) {
            Some(loss @ LossChange::Started { .. }) => internal_log::warn(&loss.message()),
            Some(end @ LossChange::Ended { .. }) => internal_log::info(&end.message()),
            None => {}
        }
        recorder.take_panics_told().for_each(|told| internal_log::warn(&told));
        if let Some(told) = ring.observe(recorder, now) {
            internal_log::warn(&told);
        }
        let leaked = unwind_safe::call(|| leaks.observe(recorder, now));
        leaked.iter().flatten().for_each(|told| internal_log::warn(told));
        asked = unwind_safe::lock(&stop.asked);
    }
}
