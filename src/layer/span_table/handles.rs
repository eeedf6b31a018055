//! How many handles a program has of a span, beyond those that the span counts itself.

use std::collections::BTreeMap;

/// The handles of spans that have more of them than a span counts itself, by their ids.
#[derive(Debug, Default)]
pub(super) struct SpilledHandles(BTreeMap<u64, u64>);

impl SpilledHandles {
    #[cold]
    pub(super) fn add(&mut self, id: u64) {
        *self.0.entry(id).or_default() += 1;
    }

    /// Takes a handle off; false if the span counts all of its own itself.
    #[cold]
    pub(super) fn remove(&mut self, id: u64) -> bool {
        let Some(handles) = self.0.get_mut(&id) else { return false };
        *handles -= 1;
        if *handles == 0 {
            self.0.remove(&id);
        }
        true
    }
}
