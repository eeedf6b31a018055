//! A mutex that is held across awaits, without a runtime.

use std::fmt;
use std::future::poll_fn;
use std::mem;
use std::process;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::task::{Poll, Waker};
use std::thread;

/// How often a thread of a forked process gives way before it takes the slot for one that a thread of its parent holds.
const YIELDS: u32 = 2_000;

/// A value that one future at a time uses, and waits for without blocking its thread. A process that was forked off while
/// the value was in use has none.
pub(super) struct AsyncMutex<T>(Arc<SharedSlot<T>>);

struct SharedSlot<T> {
    slot: Mutex<Slot<T>>,
    /// The process that made it.
    process: u32,
}

struct Slot<T> {
    /// `None` while a guard holds the value.
    value: Option<T>,
    /// The process of the last guard.
    user: u32,
    waiting: Vec<Waker>,
}

impl<T> AsyncMutex<T> {
    pub(super) fn new(value: T) -> Self {
        let process = process::id();
        let slot = Mutex::new(Slot { value: Some(value), user: process, waiting: Vec::new() });
        Self(Arc::new(SharedSlot { slot, process }))
    }

    /// Waits until no guard holds the value, and takes it; `None` where a guard of the process holds it that this one was
    /// forked off.
    pub(super) async fn lock(&self) -> Option<AsyncMutexGuard<T>> {
        poll_fn(|context| {
            let Some(mut slot) = self.0.lock() else { return Poll::Ready(None) };
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
        let is_free = self.0.lock().is_some_and(|slot| slot.value.is_some());
        f.debug_struct("AsyncMutex").field("is_free", &is_free).finish_non_exhaustive()
    }
}

/// The use of a mutex's value until the guard is dropped, which may be on any thread and in a panic.
pub(super) struct AsyncMutexGuard<T> {
    /// `None` only inside of the guard's own drop.
    value: Option<T>,
    slot: Arc<SharedSlot<T>>,
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
        let Some(mut slot) = self.slot.lock() else { return };
        debug_assert!(slot.value.is_none(), "one guard at a time holds the value");
        slot.value = self.value.take();
        let waiting = mem::take(&mut slot.waiting);
        drop(slot);
        // All futures are woken: a single one may have been dropped meanwhile, and the rest would sleep.
        waiting.into_iter().for_each(Waker::wake);
    }
}

impl<T> SharedSlot<T> {
    /// Takes the lock, which is only ever held for a moment; `None` where a thread of the process holds it that this one
    /// was forked off.
    fn lock(&self) -> Option<MutexGuard<'_, Slot<T>>> {
        if let Some(slot) = self.try_lock() {
            return Some(slot);
        }
        // Asked only where the lock is taken: it is a call of the system.
        if self.process == process::id() {
            return Some(self.slot.lock().unwrap_or_else(PoisonError::into_inner));
        }
        (0..YIELDS).find_map(|_| {
            thread::yield_now();
            self.try_lock()
        })
    }

    fn try_lock(&self) -> Option<MutexGuard<'_, Slot<T>>> {
        match self.slot.try_lock() {
            Ok(slot) => Some(slot),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }
}
