//! How much a baggage holds.

/// The most members.
pub(super) const MAX_MEMBERS: usize = 64;

/// The most bytes as a header.
pub(super) const MAX_BYTES: usize = 8192;
