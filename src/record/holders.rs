//! Who holds drafts, to be told when no more time is left.

use std::ptr;
use std::sync::{Arc, Mutex, Weak};

use super::recorder::Recorder;
use crate::kit::guarded::lock;

/// Somebody who holds [drafts](super::Draft).
pub(crate) trait DraftHolder: Send + Sync {
    /// Starts the drafts of this recorder.
    fn settle_drafts(&self, recorder: &Recorder);
}

/// Those who hold drafts of a recorder, which knows of none itself.
#[derive(Default)]
pub(super) struct DraftHolders(Mutex<Vec<Weak<dyn DraftHolder>>>);

impl Recorder {
    /// Tells the recorder who will hold drafts of it.
    pub(crate) fn add_draft_holder(&self, new: Weak<dyn DraftHolder>) {
        let mut all = lock(&self.draft_holders.0);
        all.retain(|holder| {
            holder.strong_count() > 0 && !ptr::addr_eq(holder.as_ptr(), new.as_ptr())
        });
        all.push(new);
    }

    /// Starts all drafts there are, which asks the sampler.
    pub(super) fn settle_drafts(&self) {
        let all: Vec<Arc<_>> =
            lock(&self.draft_holders.0).iter().filter_map(Weak::upgrade).collect();
        for holder in all {
            holder.settle_drafts(self);
        }
    }
}
