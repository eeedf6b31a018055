//! The lock of a local trace.

use std::sync::LazyLock;

use parking_lot::{Mutex, MutexGuard};

use super::live_spans::{LiveSpans, Phase};
use crate::kit::fork::{PerProcess, lock, try_for_a_while, wait_for};
use crate::ledger::Reason;
use crate::trace::store::{MemoryBudget, SpanStore};

/// What stands for a trace that came with a fork while a thread of the parent process held its lock, for ever here: a
/// trace that was dropped. A thread of the parent may hold that one's lock too.
static GONE: LazyLock<PerProcess<Mutex<LiveSpans>>> = LazyLock::new(|| PerProcess::new(gone()));

fn gone() -> Mutex<LiveSpans> {
    let mut live = LiveSpans::new(SpanStore::with_budget(MemoryBudget::new(0)), 0);
    live.open = 0;
    live.phase = Phase::Dropped(Reason::ShutDown);
    Mutex::new(live)
}

/// The spans of a local trace behind their lock.
#[derive(Debug)]
pub(super) struct TraceLock(Mutex<LiveSpans>);

impl TraceLock {
    pub(super) const fn new(spans: LiveSpans) -> Self {
        Self(Mutex::new(spans))
    }

    /// Takes the lock. It is not waited for where the trace `is_inherited` by a process that was forked off.
    #[inline(always)]
    pub(super) fn lock(&self, is_inherited: impl FnOnce() -> bool) -> MutexGuard<'_, LiveSpans> {
        self.0.try_lock().unwrap_or_else(|| self.wait(is_inherited))
    }

    #[cold]
    fn wait(&self, is_inherited: impl FnOnce() -> bool) -> MutexGuard<'_, LiveSpans> {
        if !is_inherited() {
            return wait_for(&self.0);
        }
        try_for_a_while(&self.0).unwrap_or_else(|| lock(GONE.get(gone)))
    }

    /// What it guards, without locking.
    #[inline]
    pub(super) fn get_mut(&mut self) -> &mut LiveSpans {
        self.0.get_mut()
    }
}
