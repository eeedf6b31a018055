//! The two ends of the wire.

/// Which end of the wire a span stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HttpSide {
    Server,
    Client,
}
