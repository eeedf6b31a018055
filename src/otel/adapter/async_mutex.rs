//! A mutex that is held across awaits, without a runtime.

use std::fmt;
use std::future::poll_fn;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

/// A value that one future at a time uses, and waits for without blocking its thread.
pub(super) struct AsyncMutex<T>(Arc<Mutex<Slot<T>>>);

struct Slot<T> {
    /// `None` while a guard holds the value.
    value: Option<T>,
    waiting: Vec<Waker>,
}

impl<T> AsyncMutex<T> {
    pub(super) fn new(value: T) -> Self {
        Self(Arc::new(Mutex::new(Slot { value: Some(value), waiting: Vec::new() })))
    }

    /// Waits until no guard holds the value, and takes it.
    pub(super) async fn lock(&self) -> AsyncMutexGuard<T> {
        poll_fn(|context| {
            let mut slot = lock(&self.0);
            match slot.value.take() {
                Some(value) => {
                    Poll::Ready(AsyncMutexGuard { value: Some(value), slot: Arc::clone(&self.0) })
                }
                None => {
                    // A future may be polled often before its turn; one waker for each is enough.
                    if !slot.waiting.iter().any(|waker| waker.will_wake(context.waker())) {
                        slot.waiting.push(context.waker().clone());
                    }
                    Poll::Pending
                }
            }
        })
        .await
    }
}

impl<T> fmt::Debug for AsyncMutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_free = lock(&self.0).value.is_some();
        f.debug_struct("AsyncMutex").field("is_free", &is_free).finish_non_exhaustive()
    }
}

/// The use of a mutex's value until the guard is dropped, which may be on any thread and in a panic.
pub(super) struct AsyncMutexGuard<T> {
    /// `None` only inside of the guard's own drop.
    value: Option<T>,
    slot: Arc<Mutex<Slot<T>>>,
}

impl<T> AsyncMutexGuard<T> {
    /// The value; always there, as long as the guard is.
    pub(super) fn as_mut(&mut self) -> Option<&mut T> {
        debug_assert!(self.value.is_some(), "a guard holds the value until it is dropped");
        self.value.as_mut()
    }
}

impl<T> Drop for AsyncMutexGuard<T> {
    fn drop(&mut self) {
        let mut slot = lock(&self.slot);
        debug_assert!(slot.value.is_none(), "one guard at a time holds the value");
        slot.value = self.value.take();
        let waiting = mem::take(&mut slot.waiting);
        drop(slot);
        // All futures are woken: a single one may have been dropped meanwhile, and the rest would sleep.
        waiting.into_iter().for_each(Waker::wake);
    }
}

fn lock<T>(slot: &Mutex<Slot<T>>) -> MutexGuard<'_, Slot<T>> {
    slot.lock().unwrap_or_else(PoisonError::into_inner)
}
