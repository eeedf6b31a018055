//! How much text that came in headers is alive in this process.
//!
//! Such text lives as long as a span or a context carries it: longer than the trace it came with is on record.
//! So it is counted where it is, and the recorder looks at the total before a new trace carries more.

use std::sync::atomic::{AtomicUsize, Ordering};

// Relaxed: the total guards no memory; a reader that is late by some texts carries some more.
static TOTAL: AtomicUsize = AtomicUsize::new(0);

/// Shorter texts are not counted: they weigh no more than the span that carries them.
const SHORT: usize = 256;

/// The share of a text in the total, which ends with the text.
#[derive(Debug, Default)]
pub(crate) struct CarriedBytes(usize);

impl CarriedBytes {
    pub(crate) fn of(bytes: usize) -> Self {
        let counted = if is_counted(bytes) { bytes } else { 0 };
        if counted > 0 {
            TOTAL.fetch_add(counted, Ordering::Relaxed);
        }
        Self(counted)
    }
}

/// A copy of a text takes memory of its own.
impl Clone for CarriedBytes {
    fn clone(&self) -> Self {
        Self::of(self.0)
    }
}

impl Drop for CarriedBytes {
    fn drop(&mut self) {
        if self.0 > 0 {
            TOTAL.fetch_sub(self.0, Ordering::Relaxed);
        }
    }
}

/// Whether a text of this length is counted.
pub(crate) const fn is_counted(bytes: usize) -> bool {
    bytes >= SHORT
}

/// The bytes of all such texts.
pub(crate) fn carried_bytes() -> usize {
    TOTAL.load(Ordering::Relaxed)
}
