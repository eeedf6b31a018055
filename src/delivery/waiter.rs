//! Where a caller waits for several exporters to finish.

use std::error::Error;
use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Poll, Waker};
use std::time::Duration;

use crate::export::ExportError;
use crate::kit::debug_like_display;
use crate::kit::sync::{Condvar, Mutex, lock, wait_while};

/// What an exporter said when it failed.
///
/// Part of [`FlushError`](super::FlushError) and [`ShutdownError`](super::ShutdownError).
#[derive(Clone)]
#[non_exhaustive]
pub struct ExporterFailure {
    /// The exporter's name.
    pub exporter: Arc<str>,
    /// Its error.
    pub error: Arc<ExportError>,
}

impl fmt::Display for ExporterFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: {}", self.exporter, self.error)
    }
}

debug_like_display!(ExporterFailure);

impl Error for ExporterFailure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.error.source()
    }
}

/// Counts exporters that are not done yet. One thread or one future waits for the last.
#[derive(Debug)]
pub(super) struct Waiter {
    state: Mutex<WaiterState>,
    ended: Condvar,
}

#[derive(Debug)]
struct WaiterState {
    open: usize,
    failure: Option<ExporterFailure>,
    waker: Option<Waker>,
}

impl Waiter {
    pub(super) fn new(exporters: usize) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(WaiterState { open: exporters, failure: None, waker: None }),
            ended: Condvar::new(),
        })
    }

    /// One exporter is done.
    pub(super) fn done(&self, failure: Option<ExporterFailure>) {
        let mut state = lock(&self.state);
        state.open = state.open.saturating_sub(1);
        let unneeded = match failure {
            Some(failure) if state.failure.is_none() => {
                state.failure = Some(failure);
                None
            }
            other => other,
        };
        let waker = if state.open == 0 { state.waker.take() } else { None };
        drop(state);
        drop(unneeded);
        self.ended.notify_all();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Blocks until the last exporter is done; false when `limit` passed before that.
    pub(super) fn wait(&self, limit: Duration) -> bool {
        let state = lock(&self.state);
        let state = wait_while(&self.ended, state, limit, |state| state.open > 0);
        state.open == 0
    }

    /// Ready when the last exporter is done.
    pub(super) async fn ended(&self) {
        poll_fn(|context| {
            let waker = context.waker().clone();
            let mut state = lock(&self.state);
            if state.open == 0 {
                return Poll::Ready(());
            }
            let old = state.waker.replace(waker);
            drop(state);
            drop(old);
            Poll::Pending
        })
        .await;
    }

    /// The first failure that an exporter reported.
    pub(super) fn failure(&self) -> Option<ExporterFailure> {
        lock(&self.state).failure.clone()
    }
}
