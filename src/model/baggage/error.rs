//! Why a change to a baggage is refused.

use thiserror::Error;

use super::limits::{MAX_BYTES, MAX_MEMBERS};
use crate::kit::debug_like_display;

/// Why a change to a [`Baggage`](crate::model::Baggage) was refused.
#[derive(Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum BaggageError {
    /// The name, of which this is the start, cannot stand in a header.
    #[error("{0:?} is not a baggage name: use letters, digits and any of !#$%&'*+-.^_`|~")]
    Name(String),
    /// The key of a property, of which this is the start, cannot stand in a
    /// header.
    #[error(
        "{0:?} is not the key of a baggage property: use letters, digits and any of !#$%&'*+-.^_`|~"
    )]
    Metadata(String),
    /// The baggage would have more than [`MAX_MEMBERS`](crate::model::Baggage::MAX_MEMBERS) members.
    #[error("baggage is full with {} members: remove some first", MAX_MEMBERS)]
    TooManyMembers,
    /// As a header the baggage would exceed [`MAX_BYTES`](crate::model::Baggage::MAX_BYTES).
    #[error("baggage would take {0} of at most {max} bytes: remove members or shorten values", max = MAX_BYTES)]
    TooLong(usize),
    /// The baggage of all open spans takes as much memory as it may: a sixth of what
    /// [live traces](crate::record::RecordLimits::with_live_bytes) may take.
    #[error(
        "the baggage of open spans takes a sixth of the memory of live traces: end spans first, or raise live_bytes"
    )]
    NoRoom,
}

debug_like_display!(BaggageError);
