//! The same work under tailtrace and under its peers.
//!
//! - [`shapes`]: what is traced, once in the words of each library.
//! - [`setups`]: what becomes of it: how each library is configured.
//! - [`rows`]: the pairs of both that are measured.
//! - `cargo bench -p tailtrace-benches`: nanoseconds per span on the calling thread.
//! - `benches/instructions.sh`: instructions and allocations per span, and memory per open span.

pub mod heap;
pub mod rows;
pub mod setups;
pub mod shapes;

/// A library that has been set up and given something to trace.
pub struct Job {
    /// Makes one trace.
    pub trace: Box<dyn Fn() + Send + Sync>,
    /// Waits until background threads have done what is due to the traces so far.
    pub settle: Box<dyn Fn() + Send + Sync>,
    /// After how many spans at most to settle, so that queues do not overflow: a span that is lost
    /// would look cheap.
    pub settle_after: usize,
}

impl Job {
    /// A job that leaves nothing to background threads.
    pub fn new(trace: impl Fn() + Send + Sync + 'static) -> Self {
        Self { trace: Box::new(trace), settle: Box::new(|| ()), settle_after: usize::MAX }
    }

    /// This job with work in the background.
    pub fn settling(mut self, after: usize, settle: impl Fn() + Send + Sync + 'static) -> Self {
        self.settle = Box::new(settle);
        self.settle_after = after;
        self
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
