//! How a subscriber becomes the default one.

use std::sync::Arc;

use tracing::dispatcher::{self, DefaultGuard, Dispatch};
use tracing::subscriber::Subscriber;

/// A subscriber that is to become the default one.
pub(crate) trait Subscription: Send + Sync {
    fn of_process(self: Box<Self>);

    fn of_thread(&self) -> DefaultGuard;
}

/// Shared by the threads that make it theirs.
pub(crate) struct Shared<S>(Arc<S>);

impl<S> Shared<S> {
    pub(crate) fn new(subscriber: S) -> Self {
        Self(Arc::new(subscriber))
    }
}

impl<S: Subscriber + Send + Sync> Subscription for Shared<S> {
    fn of_process(self: Box<Self>) {
        // Not in an `Arc`: no program has one there, and it would cost a dozen instructions a span.
        let subscriber = Arc::into_inner(self.0).expect("no thread has made it its own");
        dispatcher::set_global_default(Dispatch::new(subscriber)).expect("it is the first");
    }

    fn of_thread(&self) -> DefaultGuard {
        let dispatch = Dispatch::new(Arc::clone(&self.0));
        // Which an `Arc` does not pass on by itself.
        self.0.on_register_dispatch(&dispatch);
        dispatcher::set_default(&dispatch)
    }
}
