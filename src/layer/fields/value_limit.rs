//! How much of a value is kept.

/// How many bytes of a text or of a byte value the recorder keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::layer) struct ValueLimit(usize);

impl ValueLimit {
    /// No limit of the layer's own, for texts from the program's source and for the names of its
    /// threads: the program bounds their number, so it is enough that the recorder cuts them.
    pub(super) const RECORDER_ONLY: Self = Self(usize::MAX / 2);

    #[inline(always)]
    pub(in crate::layer) const fn of_bytes(bytes: usize) -> Self {
        Self(bytes)
    }

    #[inline(always)]
    pub(in crate::layer) const fn bytes(self) -> usize {
        self.0
    }
}
