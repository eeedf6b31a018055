//! What the threads of the program hand to the thread of coherence.

use std::mem;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Waker};
use std::time::Duration;

use super::notice::Notice;
use crate::kit::unwind_safe::lock;

/// The most notices that wait for the thread; 48 bytes each.
const MOST_WAITING: usize = 65_536;

/// Notices that wait for the thread of coherence, and what else it is asked for. Every lock is held for a few
/// instructions.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    state: Mutex<InboxState>,
    answered: Condvar,
}

#[derive(Debug, Default)]
struct InboxState {
    notices: Vec<Notice>,
    waker: Option<Waker>,
    /// How often a flush was asked for, and up to which of them it was done.
    flushes_asked: u64,
    flushes_done: u64,
    is_ending: bool,
    has_ended: bool,
    is_changed: bool,
}

/// What the thread found.
#[derive(Debug, Default)]
pub(super) struct Received {
    pub(super) notices: Vec<Notice>,
    /// The number of the last flush that was asked for, if one waits.
    pub(super) flush: Option<u64>,
    pub(super) is_ending: bool,
}

impl Inbox {
    /// Adds a notice; `false` when there is no room for it, or the thread has ended.
    pub(super) fn add(&self, notice: Notice) -> bool {
        let mut state = lock(&self.state);
        if state.has_ended || state.notices.len() == MOST_WAITING {
            return false;
        }
        state.notices.push(notice);
        wake(state);
        true
    }

    /// Has the thread look after its member again.
    pub(super) fn wake(&self) {
        wake(lock(&self.state));
    }

    /// Takes what waits.
    pub(super) fn take(&self) -> Received {
        let mut state = lock(&self.state);
        state.is_changed = false;
        Received {
            notices: mem::take(&mut state.notices),
            flush: (state.flushes_asked > state.flushes_done).then_some(state.flushes_asked),
            is_ending: state.is_ending,
        }
    }

    /// Whether something came since the last [`take`](Self::take); else the task of `context` is woken when it does.
    pub(super) fn poll_changed(&self, context: &Context<'_>) -> bool {
        let mut state = lock(&self.state);
        if !state.is_changed {
            state.waker = Some(context.waker().clone());
        }
        state.is_changed
    }

    /// Waits until what was added before is published, or there is no connection; whether that was in time.
    pub(super) fn flush(&self, timeout: Duration) -> bool {
        let mut state = lock(&self.state);
        state.flushes_asked += 1;
        let number = state.flushes_asked;
        wake(state);
        self.wait(timeout, |state| state.flushes_done < number && !state.has_ended)
    }

    /// A flush is done: the one with this number and all before it.
    pub(super) fn flushed(&self, number: u64) {
        let mut state = lock(&self.state);
        state.flushes_done = state.flushes_done.max(number);
        drop(state);
        self.answered.notify_all();
    }

    /// Asks the thread to end.
    pub(super) fn end(&self) {
        let mut state = lock(&self.state);
        state.is_ending = true;
        wake(state);
    }

    /// Waits until the thread has ended; whether that was in time.
    pub(super) fn wait_for_end(&self, timeout: Duration) -> bool {
        self.wait(timeout, |state| !state.has_ended)
    }

    /// The thread ends.
    pub(super) fn ended(&self) {
        let mut state = lock(&self.state);
        state.has_ended = true;
        state.notices = Vec::new();
        drop(state);
        self.answered.notify_all();
    }

    fn wait(&self, timeout: Duration, blocked: impl Fn(&InboxState) -> bool) -> bool {
        let state = lock(&self.state);
        let waited = self.answered.wait_timeout_while(state, timeout, |state| blocked(state));
        let waited = waited.unwrap_or_else(PoisonError::into_inner);
        !waited.1.timed_out()
    }
}

fn wake(mut state: MutexGuard<'_, InboxState>) {
    state.is_changed = true;
    let waker = state.waker.take();
    drop(state);
    if let Some(waker) = waker {
        waker.wake();
    }
}
