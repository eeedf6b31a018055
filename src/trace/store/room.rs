//! How much memory one buffer may take.

/// Counts what a buffer has reserved and refuses what goes beyond its limit.
///
/// It counts capacities, not contents: memory is what is bounded, and a buffer whose memory suffices
/// pays one comparison for the bound.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room {
    used: u32,
    limit: u32,
}

impl Default for Room {
    fn default() -> Self {
        Self::new(u32::MAX)
    }
}

impl Room {
    pub(crate) const fn new(limit: u32) -> Self {
        Self { used: 0, limit }
    }

    pub(crate) const fn used(self) -> usize {
        self.used as usize
    }

    pub(crate) const fn limit(self) -> u32 {
        self.limit
    }

    /// This room under another limit.
    pub(super) const fn limited(self, limit: u32) -> Self {
        Self { used: self.used, limit }
    }

    /// This room after another count of what is used.
    pub(super) fn recounted(self, used: usize) -> Self {
        Self { used: u32::try_from(used).unwrap_or(u32::MAX), limit: self.limit }
    }

    /// What is already there, with no limit on what comes.
    pub(super) fn counted(bytes: usize) -> Self {
        Self { used: u32::try_from(bytes).unwrap_or(u32::MAX), limit: u32::MAX }
    }

    /// Counts memory that is taken whether or not it fits: it is small and taken once.
    pub(super) const fn count(&mut self, bytes: usize) {
        self.used = self.used.saturating_add(bytes as u32);
    }

    /// Takes `bytes` if they fit.
    pub(super) fn take(&mut self, bytes: usize) -> bool {
        let fits = u32::try_from(bytes).ok().and_then(|bytes| self.used.checked_add(bytes));
        match fits {
            Some(used) if used <= self.limit => {
                self.used = used;
                true
            }
            _ => false,
        }
    }

    /// Makes room for `extra` more items; false when the limit does not allow it.
    #[inline]
    pub(super) fn reserve<T>(&mut self, items: &mut Vec<T>, extra: usize, first: usize) -> bool {
        items.capacity() - items.len() >= extra || self.grow(items, extra, first)
    }

    #[cold]
    fn grow<T>(&mut self, items: &mut Vec<T>, extra: usize, first: usize) -> bool {
        let (len, old) = (items.len(), items.capacity());
        let Some(least) = len.checked_add(extra) else {
            return false;
        };
        for capacity in [least.max(old * 2).max(first), least] {
            if self.take((capacity - old).saturating_mul(size_of::<T>())) {
                items.reserve_exact(capacity - len);
                return true;
            }
        }
        false
    }

    /// Makes room for `extra` more bytes of text; false when the limit does not allow it.
    #[inline]
    pub(super) fn reserve_text(&mut self, text: &mut String, extra: usize) -> bool {
        text.capacity() - text.len() >= extra || self.grow_text(text, extra)
    }

    #[cold]
    fn grow_text(&mut self, text: &mut String, extra: usize) -> bool {
        let (len, old) = (text.len(), text.capacity());
        let Some(least) = len.checked_add(extra) else {
            return false;
        };
        for capacity in [least.max(old * 2).max(64), least] {
            if self.take(capacity - old) {
                text.reserve_exact(capacity - len);
                return true;
            }
        }
        false
    }
}
