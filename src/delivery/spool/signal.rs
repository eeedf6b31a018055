//! What wakes the thread that sends what a spool holds.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use crate::kit::unwind_safe::lock;

/// Wakes the thread, and ends it.
#[derive(Debug, Default)]
pub(super) struct ReplaySignal {
    state: Mutex<SignalState>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct SignalState {
    has_work: bool,
    is_stopped: bool,
}

impl ReplaySignal {
    pub(super) fn notify(&self) {
        lock(&self.state).has_work = true;
        self.changed.notify_all();
    }

    pub(super) fn stop(&self) {
        lock(&self.state).is_stopped = true;
        self.changed.notify_all();
    }

    pub(super) fn is_stopped(&self) -> bool {
        lock(&self.state).is_stopped
    }

    /// Waits for this long, or less where work may come meanwhile.
    pub(super) fn wait(&self, limit: Duration, for_work: bool) {
        let state = lock(&self.state);
        let waited = self.changed.wait_timeout_while(state, limit, |state| {
            !(state.is_stopped || (for_work && state.has_work))
        });
        waited.unwrap_or_else(PoisonError::into_inner).0.has_work = false;
    }
}
