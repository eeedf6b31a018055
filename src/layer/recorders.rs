//! The recorders that a layer has used, one after the other.

use std::sync::{Arc, Mutex};

use crate::kit::unwind_safe::lock;
use crate::record::Recorder;

/// The recorder of new local roots, and those of roots that may still be open.
#[derive(Debug)]
pub(super) struct Recorders(Mutex<RecorderList>);

#[derive(Debug)]
struct RecorderList {
    current: Arc<Recorder>,
    /// Those in use before. The list holds them so that a span never has the last reference: a span is
    /// dropped under a lock of the table, and a recorder takes the user's sampler and policies with it.
    earlier: Vec<Arc<Recorder>>,
}

impl Recorders {
    pub(super) const fn new(first: Arc<Recorder>) -> Self {
        Self(Mutex::new(RecorderList { current: first, earlier: Vec::new() }))
    }

    pub(super) fn current(&self) -> Arc<Recorder> {
        Arc::clone(&lock(&self.0).current)
    }

    /// Whether new spans are shown in the contexts of OpenTelemetry.
    pub(super) fn shares_context(&self) -> bool {
        lock(&self.0).current.shares_context()
    }

    /// Makes `new` the current one, and drops those that no span and no pipeline refers to any more.
    pub(super) fn replace(&self, new: Arc<Recorder>) {
        let unused: Vec<_> = {
            let mut list = lock(&self.0);
            let before = std::mem::replace(&mut list.current, new);
            list.earlier.push(before);
            // Only a span or a pipeline that has such a recorder hands out more references to it, so a
            // count of one stays one.
            list.earlier.extract_if(.., |recorder| Arc::strong_count(recorder) == 1).collect()
        };
        // User code, outside of the lock.
        drop(unused);
    }
}
