//! How much memory one store may reserve.

/// Counts what a store has reserved, and refuses what goes beyond its limit.
///
/// It counts capacities, not contents: memory is what is bounded, and a store whose memory suffices pays one
/// comparison for the bound.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MemoryBudget {
    used: u32,
    limit: u32,
}

impl Default for MemoryBudget {
    fn default() -> Self {
        Self::new(u32::MAX)
    }
}

impl MemoryBudget {
    /// Makes a budget of `limit` bytes.
    pub(crate) const fn new(limit: u32) -> Self {
        Self { used: 0, limit }
    }

    /// The bytes that are reserved.
    pub(crate) const fn used(self) -> usize {
        self.used as usize
    }

    /// The most bytes that may be reserved.
    pub(crate) const fn limit(self) -> u32 {
        self.limit
    }

    /// This budget under another limit.
    pub(super) const fn with_limit(self, limit: u32) -> Self {
        Self { used: self.used, limit }
    }

    /// This budget with a limit that leaves an eighth more, which is kept for spans that failed.
    pub(super) const fn with_error_reserve(self) -> Self {
        self.with_limit(self.limit.saturating_add(self.limit / 8))
    }

    /// This budget after another count of what is reserved.
    pub(super) fn with_used(self, used: usize) -> Self {
        Self { used: u32::try_from(used).unwrap_or(u32::MAX), limit: self.limit }
    }

    /// Counts memory that is reserved whether or not it fits: it is small and reserved once.
    pub(super) const fn add(&mut self, bytes: usize) {
        self.used = self.used.saturating_add(bytes as u32);
    }

    /// Counts `bytes` as reserved if they fit; false, and nothing is counted, if they do not.
    pub(super) fn claim(&mut self, bytes: usize) -> bool {
        let sum = u32::try_from(bytes).ok().and_then(|bytes| self.used.checked_add(bytes));
        match sum {
            Some(used) if used <= self.limit => {
                self.used = used;
                true
            }
            _ => false,
        }
    }

    /// Reserves memory for `extra` more items; false when the limit does not allow it.
    #[inline]
    pub(super) fn reserve<T>(&mut self, items: &mut Vec<T>, extra: usize, first: usize) -> bool {
        items.capacity() - items.len() >= extra || self.grow(items, extra, first)
    }

    #[cold]
    fn grow<T>(&mut self, items: &mut Vec<T>, extra: usize, first: usize) -> bool {
        let len = items.len();
        let old = items.capacity();
        let Some(least) = len.checked_add(extra) else {
            return false;
        };
        // Twice as much as before, or, close to the limit, only what is needed now.
        for capacity in [least.max(old * 2).max(first), least] {
            if self.claim((capacity - old).saturating_mul(size_of::<T>())) {
                items.reserve_exact(capacity - len);
                return true;
            }
        }
        false
    }

    /// Reserves memory for `extra` more bytes of text; false when the limit does not allow it.
    #[inline]
    pub(super) fn reserve_text(&mut self, text: &mut String, extra: usize) -> bool {
        text.capacity() - text.len() >= extra || self.grow_text(text, extra)
    }

    #[cold]
    fn grow_text(&mut self, text: &mut String, extra: usize) -> bool {
        let len = text.len();
        let old = text.capacity();
        let Some(least) = len.checked_add(extra) else {
            return false;
        };
        for capacity in [least.max(old * 2).max(64), least] {
            if self.claim(capacity - old) {
                text.reserve_exact(capacity - len);
                return true;
            }
        }
        false
    }
}
