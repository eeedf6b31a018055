//! The crate's own log: the one place that speaks through `tracing`.

use std::fmt;
use std::mem;

use super::fork::ForkLock;
use super::{standard_stream, unwind_safe};

/// Logs a warning for the operator, target `tailtrace`, through the program's own subscriber.
///
/// A panic of the subscriber is caught, and the warning is lost.
pub(crate) fn warn(message: &str) {
    unwind_safe::call(|| tracing::warn!(target: "tailtrace", "{message}"));
}

/// Logs a warning, or prints it on standard error where the program has no subscriber that could log it.
///
/// For what says that the subscriber itself is missing, which no subscriber would ever tell.
pub(crate) fn warn_or_print(message: &str) {
    if has_subscriber() {
        warn(message);
    } else {
        let line = format!("tailtrace: {message}\n");
        let _ = standard_stream::stderr(|stderr| stderr.write_all(line.as_bytes()));
    }
}

/// Whether this thread has a subscriber.
fn has_subscriber() -> bool {
    let is_none = |dispatch: &tracing::Dispatch| dispatch.is::<tracing::subscriber::NoSubscriber>();
    !tracing::dispatcher::get_default(is_none)
}

/// Logs that all is well again, at the information level, target `tailtrace`.
///
/// A panic of the subscriber is caught, and the message is lost.
pub(crate) fn info(message: &str) {
    unwind_safe::call(|| tracing::info!(target: "tailtrace", "{message}"));
}

/// Logs a detail for a person who looks for a cause, at the level debug, target `tailtrace`.
///
/// A panic of the subscriber is caught, and the message is lost.
#[cfg(feature = "http-client")]
pub(crate) fn debug(message: &str) {
    unwind_safe::call(|| tracing::debug!(target: "tailtrace", "{message}"));
}

/// Says whether a warning is out of date by the time that it can be logged.
type OutOfDate = Box<dyn Fn() -> bool + Send + Sync>;

/// Warnings from before the program has a subscriber, kept until it has one.
#[derive(Default)]
pub(crate) struct PendingWarnings(ForkLock<Vec<(String, Option<OutOfDate>)>>);

impl PendingWarnings {
    pub(crate) fn new(warnings: Vec<String>) -> Self {
        let pending = Self::default();
        *pending.0.lock() = warnings.into_iter().map(|warning| (warning, None)).collect();
        pending
    }

    /// Adds a warning.
    pub(crate) fn add(&self, warning: String) {
        self.0.lock().push((warning, None));
    }

    /// Adds a warning that is not logged if it is out of date by then.
    #[cfg(feature = "layer")]
    pub(crate) fn add_unless(&self, warning: String, out_of_date: OutOfDate) {
        self.0.lock().push((warning, Some(out_of_date)));
    }

    /// Logs the warnings, once, if this thread has a subscriber.
    pub(crate) fn log_when_subscribed(&self) {
        if !self.0.lock().is_empty() && has_subscriber() {
            self.log_all();
        }
    }

    /// Forgets the warnings: what they are about was never used.
    #[cfg(feature = "init")]
    pub(crate) fn forget(&self) {
        self.0.lock().clear();
    }

    /// Logs the warnings, once.
    pub(crate) fn log_all(&self) {
        let warnings = mem::take(&mut *self.0.lock());
        for (warning, out_of_date) in warnings {
            if !out_of_date.is_some_and(|out_of_date| out_of_date()) {
                warn(&warning);
            }
        }
    }
}

impl fmt::Debug for PendingWarnings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.0.lock().len();
        f.debug_struct("PendingWarnings").field("count", &count).finish()
    }
}
