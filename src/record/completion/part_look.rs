//! Which parts of a trace are decided.

/// Which parts of a trace are complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PartLook {
    /// Those below spans that have been open for long.
    BelowTrunk,
    /// All that has ended.
    AllEnded,
}
