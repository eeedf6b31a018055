//! Drops that ask deciders, found where none may be asked.

use std::any::Any;
use std::sync::{Condvar, Mutex, PoisonError};

use crate::kit::reentrancy;
use crate::kit::unwind_safe::lock;

/// Values whose drop asks deciders, to be dropped where no locks of the application's are held.
#[derive(Default)]
pub(super) struct PostponedDrops {
    state: Mutex<PostponedState>,
    is_idle: Condvar,
}

#[derive(Default)]
struct PostponedState {
    waiting: Vec<Box<dyn Any + Send>>,
    /// How many are being dropped at this moment.
    busy: usize,
    /// Whether no thread looks after them any more.
    closed: bool,
}

/// Lasts while something is being dropped.
struct DropInProgress<'p>(&'p PostponedDrops);

impl Drop for DropInProgress<'_> {
    fn drop(&mut self) {
        let mut state = lock(&self.0.state);
        state.busy = state.busy.saturating_sub(1);
        drop(state);
        self.0.is_idle.notify_all();
    }
}

impl PostponedDrops {
    /// Drops a value where time is looked after, within a fraction of a second, or at the next flush. After
    /// a shutdown no thread does that any more, and the value is dropped here.
    #[cfg(feature = "layer")]
    pub(super) fn postpone(&self, value: Box<dyn Any + Send>) {
        let mut state = lock(&self.state);
        if !state.closed {
            return state.waiting.push(value);
        }
        drop(state);
        drop(value);
    }

    /// Drops what was postponed, and waits for other threads that are doing so.
    pub(super) fn drop_all(&self) {
        while let Some((_in_progress, value)) = self.next() {
            drop(value);
        }
        // A decider would wait for the thread that asks it, which may be one that is dropping here.
        if !reentrancy::is_own_thread() && !reentrancy::is_any_user_call_running() {
            self.wait();
        }
    }

    /// Postpones nothing from now on.
    pub(super) fn close(&self) {
        lock(&self.state).closed = true;
    }

    fn next(&self) -> Option<(DropInProgress<'_>, Box<dyn Any + Send>)> {
        let mut state = lock(&self.state);
        let next = state.waiting.pop()?;
        state.busy += 1;
        Some((DropInProgress(self), next))
    }

    fn wait(&self) {
        let idle = self.is_idle.wait_while(lock(&self.state), |state| state.busy > 0);
        drop(idle.unwrap_or_else(PoisonError::into_inner));
    }
}
