//! The baggage of a trace's spans, as far as the total of all live traces includes it.

use crate::model::Baggage;

/// The baggage that the total includes for a trace.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::record) struct CountedBaggage {
    /// Tells the baggage that was counted last, which nearly all spans of a trace share.
    last: usize,
    bytes: usize,
}

impl CountedBaggage {
    /// Adds baggage, and gives its bytes; `None` for baggage that was added last.
    pub(in crate::record) fn add(&mut self, baggage: &Baggage) -> Option<usize> {
        if self.last == baggage.address() {
            return None;
        }
        self.last = baggage.address();
        let bytes = baggage.bytes();
        self.bytes = self.bytes.saturating_add(bytes);
        Some(bytes)
    }

    /// Counts one baggage in place of another, and gives what is counted now.
    #[cfg(feature = "layer")]
    pub(in crate::record) fn replace(&mut self, old: &Baggage, new: &Baggage) -> usize {
        // That of a root, which its children share. A child's own leaves the root's known.
        if self.last == 0 {
            self.last = new.address();
        }
        self.bytes = self.bytes.saturating_add(new.bytes()).saturating_sub(old.bytes());
        self.bytes
    }

    /// What was counted.
    pub(in crate::record) const fn bytes(self) -> usize {
        self.bytes
    }

    /// Begins anew, and gives what was counted.
    pub(in crate::record) fn take_bytes(&mut self) -> usize {
        std::mem::take(self).bytes
    }
}
