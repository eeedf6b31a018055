//! What asks deciders, found where nobody may be asked.

use std::any::Any;
use std::sync::{Condvar, Mutex, PoisonError};

use super::recorder::Recorder;
use crate::kit::guarded::lock;
use crate::kit::own_work;

/// Things to be dropped, which asks deciders, where no locks of the application's are held.
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

impl Recorder {
    /// Drops something where time is looked after, within a fraction of a second, or at the next flush. After
    /// a shutdown nobody looks any more, and it is dropped here.
    pub(crate) fn postpone_drop(&self, ending: impl Any + Send) {
        let mut state = lock(&self.postponed.state);
        if !self.is_closed() {
            return state.waiting.push(Box::new(ending));
        }
        drop(state);
        drop(ending);
    }

    /// Drops what was postponed, and waits for whoever else is doing so.
    pub(super) fn drop_postponed(&self) {
        while let Some((_busy, ending)) = self.postponed.next() {
            drop(ending);
        }
        // A decider would wait for whoever asks it, which may be somebody who is busy here.
        if !own_work::is_own_thread() && !own_work::is_asking() {
            self.postponed.wait();
        }
    }
}
