//! The same `tracing` program under `tracing-opentelemetry` and under tailtrace's layer.
//!
//! [`Sides`] runs a program twice on the same thread and brings what was exported into one small form,
//! [`Seen`]. What a program needs besides `tracing` itself, such as a remote parent, it asks of a [`Peer`].
//! The claims are in `tests/`: what is the same, and what differs on purpose, with both sides shown.

mod peer;
mod seen;
mod sides;

pub use peer::{Ours, Peer, Theirs};
pub use seen::{Log, Seen, Value};
pub use sides::{HIDDEN, REMOTE_SPAN, REMOTE_TRACE, Sides, TheirLayer, under_ours, under_theirs};
