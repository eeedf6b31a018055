//! The crate's own log: the one place that speaks through `tracing`.

use std::mem;
use std::sync::Mutex;

use super::guarded;

/// Tells the operator something they would want to know, at the warning level, target `tailtrace`.
///
/// The program's own subscriber hears it; should that panic, nothing is said.
pub(crate) fn warn(message: &str) {
    guarded::call(|| tracing::warn!(target: "tailtrace", "{message}"));
}

/// Tells the operator that things are well again, at the information level, target `tailtrace`.
///
/// The program's own subscriber hears it; should that panic, nothing is said.
pub(crate) fn info(message: &str) {
    guarded::call(|| tracing::info!(target: "tailtrace", "{message}"));
}

/// Warnings from before anybody can listen, kept until somebody does.
#[derive(Debug, Default)]
pub(crate) struct Pending(Mutex<Vec<String>>);

impl Pending {
    pub(crate) fn new(warnings: Vec<String>) -> Self {
        Self(Mutex::new(warnings))
    }

    /// One more to say.
    pub(crate) fn add(&self, warning: String) {
        guarded::lock(&self.0).push(warning);
    }

    /// Says them if this thread has a subscriber.
    pub(crate) fn say_if_heard(&self) {
        let is_deaf =
            |dispatch: &tracing::Dispatch| dispatch.is::<tracing::subscriber::NoSubscriber>();
        if !guarded::lock(&self.0).is_empty() && !tracing::dispatcher::get_default(is_deaf) {
            self.say();
        }
    }

    /// Says them, once.
    pub(crate) fn say(&self) {
        let warnings = mem::take(&mut *guarded::lock(&self.0));
        for warning in warnings {
            warn(&warning);
        }
    }
}
