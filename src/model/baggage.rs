//! What the application carries along.

/// What the application carries along.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Baggage;
