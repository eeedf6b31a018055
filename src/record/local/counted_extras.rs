//! What a trace has beside its buffer, as far as the total of all live traces includes it.

use crate::model::Baggage;

/// The baggage of a trace's spans and what it remembers of its parts, as far as the total includes them. Short, because
/// every trace has it.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::record) struct CountedExtras {
    /// Tells the baggage that was counted last, which nearly all spans of a trace share.
    last: u32,
    bytes: u32,
}

impl CountedExtras {
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
        self.recount(old.bytes(), new.bytes());
        self.bytes()
    }

    /// Counts so many bytes in place of others.
    pub(in crate::record) fn recount(&mut self, old: usize, new: usize) {
        self.bytes = saturated(self.bytes().saturating_add(new).saturating_sub(old));
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
