//! A member's own messages, as some buses return them to their sender.

use std::collections::VecDeque;

/// How many messages may be on their way back.
const MOST_AWAITED: usize = 4_096;

/// Tells a member's own messages from those of another process that has the same number.
#[derive(Debug, Default)]
pub(super) struct Echoes {
    /// Hashes of messages that were published, the oldest first.
    awaited: VecDeque<u64>,
}

impl Echoes {
    pub(super) fn add(&mut self, message: &[u8]) {
        // A bus that returns none fills it once: eight bytes each.
        if self.awaited.len() == MOST_AWAITED {
            self.awaited.pop_front();
        }
        self.awaited.push_back(hash(message));
    }

    /// Whether this member published the message.
    pub(super) fn has(&self, message: &[u8]) -> bool {
        self.awaited.contains(&hash(message))
    }
}

/// FNV-1a of 64 bits.
fn hash(message: &[u8]) -> u64 {
    message.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
