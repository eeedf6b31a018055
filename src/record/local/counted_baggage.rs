//! The baggage of a trace's spans, as far as the total of all live traces includes it.

use crate::model::Baggage;

/// The baggage that the total includes for a trace. Short, because every trace has it.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::record) struct CountedBaggage {
    /// Tells the baggage that was counted last, which nearly all spans of a trace share.
    last: u32,
    bytes: u32,
}

impl CountedBaggage {
    /// Adds baggage, and gives its bytes; `None` for baggage that was added last.
    pub(in crate::record) fn add(&mut self, baggage: &Baggage) -> Option<usize> {
        let mark = mark(baggage);
        if self.last == mark {
            return None;
        }
        self.last = mark;
        let before = self.bytes();
        self.bytes = saturated(before.saturating_add(baggage.bytes()));
        Some(self.bytes().saturating_sub(before))
    }

    /// Counts one baggage in place of another, and gives what is counted now.
    #[cfg(feature = "layer")]
    pub(in crate::record) fn replace(&mut self, old: &Baggage, new: &Baggage) -> usize {
        // That of a root, which its children share. A child's own leaves the root's known.
        if self.last == 0 {
            self.last = mark(new);
        }
        let after = self.bytes().saturating_add(new.bytes()).saturating_sub(old.bytes());
        self.bytes = saturated(after);
        self.bytes()
    }

    /// What was counted.
    pub(in crate::record) const fn bytes(self) -> usize {
        self.bytes as usize
    }

    /// Begins anew, and gives what was counted.
    pub(in crate::record) fn take_bytes(&mut self) -> usize {
        std::mem::take(self).bytes()
    }
}

/// Tells baggage from other baggage, by where it lies; zero for none.
fn mark(baggage: &Baggage) -> u32 {
    let address = baggage.address();
    // What is allocated lies at multiples of eight.
    ((address >> 3) as u32).max(u32::from(address != 0))
}

fn saturated(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}
