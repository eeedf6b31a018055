//! A mutex that is held across awaits, without a runtime.

use std::fmt;
use std::future::poll_fn;
use std::mem;
use std::process;
use std::sync::Arc;
use std::task::{Poll, Waker};

use crate::record::bridge::ContextLock;

/// A value that one future at a time uses, and waits for without blocking its thread. A process that was forked off while
/// the value was in use has none.
pub(super) struct AsyncMutex<T>(Arc<ContextLock<Slot<T>>>);

struct Slot<T> {
    /// `None` while a guard holds the value.
    value: Option<T>,
    /// The process of the last guard.
    user: u32,
    waiting: Vec<Waker>,
}

/// What a process finds that was forked off while the slot was locked: one that no process of its own has used.
impl<T> Default for Slot<T> {
    fn default() -> Self {
        Self { value: None, user: 0, waiting: Vec::new() }
    }
}

impl<T> AsyncMutex<T> {
    pub(super) fn new(value: T) -> Self {
        let lock = ContextLock::<Slot<T>>::default();
        lock.lock().value = Some(value);
        Self(Arc::new(lock))
    }

    /// Waits until no guard holds the value, and takes it; `None` where a guard of the process holds it that this one was
    /// forked off.
    pub(super) async fn lock(&self) -> Option<AsyncMutexGuard<T>> {
        poll_fn(|context| {
            let mut slot = self.0.lock();
            match slot.value.take() {
                Some(value) => {
                    slot.user = process::id();
                    let slot = Arc::clone(&self.0);
                    Poll::Ready(Some(AsyncMutexGuard { value: Some(value), slot }))
                }
                None if slot.user != process::id() => Poll::Ready(None),
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
        let is_free = self.0.lock().value.is_some();
        f.debug_struct("AsyncMutex").field("is_free", &is_free).finish_non_exhaustive()
    }
}

/// The use of a mutex's value until the guard is dropped, which may be on any thread and in a panic.
pub(super) struct AsyncMutexGuard<T> {
    /// `None` only inside of the guard's own drop.
    value: Option<T>,
    slot: Arc<ContextLock<Slot<T>>>,
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
        let mut slot = self.slot.lock();
        debug_assert!(slot.value.is_none(), "one guard at a time holds the value");
        slot.value = self.value.take();
        let waiting = mem::take(&mut slot.waiting);
        drop(slot);
        // All futures are woken: a single one may have been dropped meanwhile, and the rest would sleep.
        waiting.into_iter().for_each(Waker::wake);
    }
}
