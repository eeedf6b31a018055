//! The recorders of a layer, one after the other.

use std::sync::Arc;

use crate::record::Recorder;

/// Where local roots are recorded.
#[derive(Debug)]
pub(super) struct Recorders {
    /// New ones.
    current: Arc<Recorder>,
    /// Those that may be running. A span is the last to refer to none of these, because it goes under
    /// a lock of the table, and a recorder takes the user's sampler and policies with it.
    before: Vec<Arc<Recorder>>,
}

impl Recorders {
    pub(super) const fn new(first: Arc<Recorder>) -> Self {
        Self { current: first, before: Vec::new() }
    }

    pub(super) fn current(&self) -> Arc<Recorder> {
        Arc::clone(&self.current)
    }

    /// Whether new ones are shown to a neighbour.
    pub(super) fn shares_context(&self) -> bool {
        self.current.shares_context()
    }

    /// Takes another one; those that nobody refers to any more are the caller's to drop.
    pub(super) fn exchange(&mut self, by: Arc<Recorder>) -> Vec<Arc<Recorder>> {
        self.before.push(std::mem::replace(&mut self.current, by));
        // Nobody gets hold of one of these but from a span or a pipeline that has it.
        self.before.extract_if(.., |recorder| Arc::strong_count(recorder) == 1).collect()
    }
}
