//! The same work under tailtrace and under its peers.
//!
//! - [`shapes`]: what is traced, once in the words of each library.
//! - [`setups`]: what becomes of it: how each library is configured.
//! - [`rows`]: the pairs of both that are measured.
//! - [`clock`]: CPU time per span, for `benches/clock.sh`.
//! - `cargo bench -p tailtrace-benches`: nanoseconds per span on the calling thread.
//! - `benches/instructions.sh`: instructions and allocations per span, and memory per open span.

pub mod clock;
pub mod heap;
pub mod rows;
pub mod setups;
pub mod shapes;
mod subscription;

use tracing::dispatcher::DefaultGuard;
use tracing::subscriber::Subscriber;

use subscription::{Shared, Subscription};

/// A library that has been set up and given something to trace.
pub struct Job {
    /// Makes one trace.
    pub trace: Box<dyn Fn() + Send + Sync>,
    /// Waits until background threads have done what is due to the traces so far.
    pub settle: Box<dyn Fn() + Send + Sync>,
    /// After how many spans at most to settle, so that queues do not overflow: a span that is lost
    /// would look cheap.
    pub settle_after: usize,
    /// Where what is traced with the macros of `tracing` goes to.
    subscription: Option<Box<dyn Subscription>>,
}

impl Job {
    /// A job that leaves nothing to background threads.
    pub fn new(trace: impl Fn() + Send + Sync + 'static) -> Self {
        Self {
            trace: Box::new(trace),
            settle: Box::new(|| ()),
            settle_after: usize::MAX,
            subscription: None,
        }
    }

    /// This job with work in the background.
    pub fn settling(mut self, after: usize, settle: impl Fn() + Send + Sync + 'static) -> Self {
        self.settle = Box::new(settle);
        self.settle_after = after;
        self
    }

    /// This job under a subscriber of `tracing`.
    pub fn under(mut self, subscriber: impl Subscriber + Send + Sync) -> Self {
        self.subscription = Some(Box::new(Shared::new(subscriber)));
        self
    }

    /// Makes the job's subscriber the one of the process, as programs do.
    ///
    /// # Panics
    ///
    /// When the process already has one: it can run one such job.
    pub fn subscribe_process(&mut self) {
        if let Some(subscription) = self.subscription.take() {
            subscription.of_process();
        }
    }

    /// Makes the job's subscriber the one of this thread for as long as the guard lives.
    ///
    /// That costs each span more than a subscriber of the process does: the thread's is looked up,
    /// and the span holds a reference to it, which is counted. Each call makes a count of its own, so
    /// that threads do not share it.
    pub fn subscribe_thread(&self) -> Option<DefaultGuard> {
        self.subscription.as_ref().map(|subscription| subscription.of_thread())
    }

    /// Makes `traces` traces of `spans` spans and waits for what they cause.
    pub fn run(&self, traces: usize, spans: usize) {
        let between = (self.settle_after / spans).max(1);
        for done in 1..=traces {
            (self.trace)();
            if done % between == 0 {
                (self.settle)();
            }
        }
        (self.settle)();
    }
}
