//! Whether a local trace was asked for by its id.

use std::sync::atomic::Ordering;

use super::{KeepOrigin, LocalTrace};
use crate::time::Tick;

impl<O> LocalTrace<O> {
    /// Whether it was asked for by its id.
    // Relaxed: a request is made under the stripe's lock, and the last look before the trace goes into the
    // ring is taken under the same lock. Earlier looks may miss a request and lose nothing by it.
    pub(in crate::record) fn is_keep_requested(&self) -> bool {
        self.keep_requested.load(Ordering::Relaxed) != 0
    }

    /// Whether it was asked for by its id, and not only because another service told of it.
    pub(in crate::record) fn is_keep_requested_by_person(&self) -> bool {
        self.keep_requested.load(Ordering::Relaxed) == KeepOrigin::Person as u8
    }

    /// Where the strongest request for it comes from.
    pub(in crate::record) fn requested(&self) -> Option<KeepOrigin> {
        KeepOrigin::from_bits(self.keep_requested.load(Ordering::Relaxed))
    }

    /// Where the strongest request for a part of it that began at this moment comes from.
    pub(in crate::record) fn part_requested(&self, start: Tick) -> Option<KeepOrigin> {
        self.requested().filter(|_| start.as_nanos() <= self.requested_at.load(Ordering::Relaxed))
    }

    /// Adds a request for the trace; whether none that was made before is as strong.
    pub(in crate::record) fn request_keep(&self, origin: KeepOrigin, now: Tick) -> bool {
        self.mark_worth_keeping();
        let before = self.keep_requested.fetch_max(origin as u8, Ordering::Relaxed);
        // A notice must not give a person's request what began after that: there a drop on purpose is the stronger one.
        // It is remembered besides, for parts that no policy drops.
        if before <= origin as u8 {
            self.requested_at.store(now.as_nanos(), Ordering::Relaxed);
        }
        before < origin as u8
    }
}
