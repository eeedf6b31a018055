//! The recorders that a layer has used, one after the other.

use std::sync::{Arc, Mutex};

use arc_swap::{ArcSwap, Guard};

use crate::kit::unwind_safe::lock;
use crate::record::Recorder;

/// The recorder of new local roots, and those of roots that may still be open.
#[derive(Debug)]
pub(super) struct Recorders {
    current: ArcSwap<Recorder>,
    /// Those in use before. The list holds them so that a span never has the last reference: a span is
    /// dropped under a lock of the table, and a recorder takes the user's sampler and policies with it.
    earlier: Mutex<Vec<Arc<Recorder>>>,
}

impl Recorders {
    pub(super) fn new(first: Arc<Recorder>) -> Self {
        Self { current: ArcSwap::new(first), earlier: Mutex::default() }
    }

    /// The recorder of a root that starts now. Asking for it writes to no memory that another thread
    /// writes to: neither a lock nor a count of references.
    #[inline]
    pub(super) fn current(&self) -> Guard<Arc<Recorder>> {
        self.current.load()
    }

    /// Whether new spans are shown in the contexts of OpenTelemetry.
    pub(super) fn shares_context(&self) -> bool {
        self.current.load().shares_context()
    }

    /// Makes `new` the current one, and drops those that no span and no pipeline refers to any more.
    pub(super) fn replace(&self, new: Arc<Recorder>) {
        let before = self.current.swap(new);
        let unused: Vec<_> = {
            let mut earlier = lock(&self.earlier);
            earlier.push(before);
            // The exchange has given those that are starting a root at this moment a reference of their
            // own, and from now on only a span or a pipeline that has such a recorder hands out more. So a
            // count of one, the list's, stays one.
            earlier.extract_if(.., |recorder| Arc::strong_count(recorder) == 1).collect()
        };
        // User code, outside of the lock.
        drop(unused);
    }
}
