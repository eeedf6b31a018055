//! What spans are in a trace that is decided in parts.

/// What a span is in a trace that is decided in parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PartMarks(pub(super) u8);

impl PartMarks {
    pub(super) const NONE: Self = Self(0);
    pub(super) const TRUNK: u8 = 1;
    pub(super) const KEPT_BELOW: u8 = 2;
    pub(super) const TOP: u8 = 4;

    pub(super) fn is_trunk(self) -> bool {
        self.0 & Self::TRUNK != 0
    }

    pub(super) fn has_kept_below(self) -> bool {
        self.0 & Self::KEPT_BELOW != 0
    }
}
