//! Marks the crate's own threads, so that what they trace never comes back in.

use std::cell::Cell;

thread_local! {
    static OWN: Cell<bool> = const { Cell::new(false) };
}

/// Marks the calling thread as one of ours for the rest of its life.
pub(crate) fn mark() {
    OWN.set(true);
}

/// Whether the calling thread is one of ours.
#[inline]
pub(crate) fn is_own() -> bool {
    OWN.get()
}
