//! Locks and conditions: the standard library's, or those of the checker that tries every interleaving.
//!
//! The checker (`--cfg tailtrace_loom`) has no time: a wait with a time limit waits until it is woken.

pub(crate) use shim::{AtomicIsize, Condvar, Mutex, lock, wait, wait_while};

#[cfg(not(tailtrace_loom))]
mod shim {
    use std::sync::{MutexGuard, PoisonError};
    use std::time::Duration;

    pub(crate) use crate::kit::unwind_safe::lock;
    pub(crate) use std::sync::atomic::AtomicIsize;
    pub(crate) use std::sync::{Condvar, Mutex};

    /// Waits to be woken, for `limit` at most; may return early for no reason.
    pub(crate) fn wait<'a, T>(
        condition: &Condvar,
        guard: MutexGuard<'a, T>,
        limit: Option<Duration>,
    ) -> MutexGuard<'a, T> {
        match limit {
            None => condition.wait(guard).unwrap_or_else(PoisonError::into_inner),
            Some(limit) => {
                let woken = condition.wait_timeout(guard, limit);
                woken.unwrap_or_else(PoisonError::into_inner).0
            }
        }
    }

    /// Waits for as long as `blocked` holds, for `limit` at most.
    pub(crate) fn wait_while<'a, T>(
        condition: &Condvar,
        guard: MutexGuard<'a, T>,
        limit: Duration,
        blocked: impl FnMut(&mut T) -> bool,
    ) -> MutexGuard<'a, T> {
        let woken = condition.wait_timeout_while(guard, limit, blocked);
        woken.unwrap_or_else(PoisonError::into_inner).0
    }
}

#[cfg(tailtrace_loom)]
mod shim {
    use std::sync::PoisonError;
    use std::time::Duration;

    use loom::sync::MutexGuard;
    pub(crate) use loom::sync::atomic::AtomicIsize;
    pub(crate) use loom::sync::{Condvar, Mutex};

    pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
        mutex.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn wait<'a, T>(
        condition: &Condvar,
        guard: MutexGuard<'a, T>,
        _limit: Option<Duration>,
    ) -> MutexGuard<'a, T> {
        condition.wait(guard).unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn wait_while<'a, T>(
        condition: &Condvar,
        mut guard: MutexGuard<'a, T>,
        _limit: Duration,
        mut blocked: impl FnMut(&mut T) -> bool,
    ) -> MutexGuard<'a, T> {
        while blocked(&mut guard) {
            guard = condition.wait(guard).unwrap_or_else(PoisonError::into_inner);
        }
        guard
    }
}
