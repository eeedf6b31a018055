//! Locks and calls that outlive a panic of somebody else's code.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Takes a lock whether or not a thread once panicked while it held it.
///
/// No user code runs under our locks, so what they guard is whole even then.
#[inline]
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Calls somebody else's code; `None` when it panicked.
#[inline]
pub(crate) fn call<R>(user: impl FnOnce() -> R) -> Option<R> {
    catch_unwind(AssertUnwindSafe(user)).ok()
}
