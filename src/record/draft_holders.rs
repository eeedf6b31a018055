//! The holders of drafts, which a shutdown asks to settle them.

use std::ptr;
use std::sync::{Arc, Mutex, Weak};

use crate::kit::unwind_safe::lock;

/// Tells a recorder from every other that lives: its address, which a later one may have again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RecorderId(pub(super) usize);

/// A table of spans some of which are [drafts](super::Draft).
pub(crate) trait DraftHolder: Send + Sync {
    /// Starts the drafts of this recorder, which asks the sampler.
    fn settle_drafts(&self, recorder: RecorderId);

    /// Marks the spans that the calling thread, which panics, is inside of as failed by that.
    fn fail_by_panic(&self);
}

/// The holders of a recorder's drafts; the recorder itself knows of no draft.
#[derive(Default)]
pub(super) struct DraftHolders(Mutex<Vec<Weak<dyn DraftHolder>>>);

impl DraftHolders {
    pub(super) fn add(&self, new: Weak<dyn DraftHolder>) {
        let mut all = lock(&self.0);
        all.retain(|holder| {
            holder.strong_count() > 0 && !ptr::addr_eq(holder.as_ptr(), new.as_ptr())
        });
        all.push(new);
    }

    /// Adds the holders of the parent process's recorder; those that are being added there at the fork are not known.
    pub(super) fn add_those_of(&self, parent: &Self) {
        if let Ok(all) = parent.0.try_lock() {
            lock(&self.0).extend(all.iter().cloned());
        }
    }

    /// Marks the spans that the calling thread, which panics, is inside of as failed by that.
    pub(super) fn fail_by_panic(&self) {
        self.all().iter().for_each(|holder| holder.fail_by_panic());
    }

    fn all(&self) -> Vec<Arc<dyn DraftHolder>> {
        lock(&self.0).iter().filter_map(Weak::upgrade).collect()
    }

    /// Starts all drafts there are.
    pub(super) fn settle_all(&self, recorder: RecorderId) {
        for holder in self.all() {
            holder.settle_drafts(recorder);
        }
    }
}
