//! One user at a time, across awaits.

use std::fmt;
use std::future::poll_fn;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

/// Something that one future at a time uses, and waits for without blocking its thread.
pub(super) struct Shared<T>(Arc<Mutex<State<T>>>);

struct State<T> {
    /// `None` while somebody uses it.
    value: Option<T>,
    waiting: Vec<Waker>,
}

impl<T> Shared<T> {
    pub(super) fn new(value: T) -> Self {
        Self(Arc::new(Mutex::new(State { value: Some(value), waiting: Vec::new() })))
    }

    /// Waits until nobody else uses it.
    pub(super) async fn turn(&self) -> Turn<T> {
        poll_fn(|context| {
            let mut state = lock(&self.0);
            match state.value.take() {
                Some(value) => Poll::Ready(Turn { value: Some(value), home: Arc::clone(&self.0) }),
                None => {
                    if !state.waiting.iter().any(|waker| waker.will_wake(context.waker())) {
                        state.waiting.push(context.waker().clone());
                    }
                    Poll::Pending
                }
            }
        })
        .await
    }
}

impl<T> fmt::Debug for Shared<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_free = lock(&self.0).value.is_some();
        f.debug_struct("Shared").field("is_free", &is_free).finish_non_exhaustive()
    }
}

/// The use of what is shared, until it is dropped. It may be dropped on any thread, and in a panic.
pub(super) struct Turn<T> {
    /// `None` only while it is dropped.
    value: Option<T>,
    home: Arc<Mutex<State<T>>>,
}

impl<T> Turn<T> {
    /// What is shared; always there.
    pub(super) fn as_mut(&mut self) -> Option<&mut T> {
        self.value.as_mut()
    }
}

impl<T> Drop for Turn<T> {
    fn drop(&mut self) {
        let mut state = lock(&self.home);
        state.value = self.value.take();
        let waiting = mem::take(&mut state.waiting);
        drop(state);
        // All of them: one that was dropped meanwhile must not be the only one who knows.
        waiting.into_iter().for_each(Waker::wake);
    }
}

fn lock<T>(state: &Mutex<State<T>>) -> MutexGuard<'_, State<T>> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
