//! Whether a local trace was asked for by its id.

use std::sync::atomic::Ordering;

use super::{KeepOrigin, LocalTrace};

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

    /// Adds a request for the trace; where the strongest that was made before comes from.
    pub(in crate::record) fn request_keep(&self, origin: KeepOrigin) -> Option<KeepOrigin> {
        self.mark_worth_keeping();
        KeepOrigin::from_bits(self.keep_requested.fetch_max(origin as u8, Ordering::Relaxed))
    }
}
