//! How much text that came in headers, or that the program put beside it, is alive in this process.
//!
//! Such text lives as long as a span or a context carries it: longer than the trace it came with is on record.
//! So it is counted where it is, and the recorder looks at the totals before a new trace carries more.

use std::sync::atomic::{AtomicUsize, Ordering};

// Relaxed: the totals guard no memory; a reader that is late by some texts carries some more.
static OF_CALLERS: AtomicUsize = AtomicUsize::new(0);

/// What the program itself added.
static OWN: AtomicUsize = AtomicUsize::new(0);

/// Shorter texts are not counted: they weigh no more than the span that carries them.
const SHORT: usize = 256;

/// The share of a text in the totals, which ends with the text.
#[derive(Debug, Default)]
pub(crate) struct CarriedBytes {
    of_callers: usize,
    own: usize,
}

/// The bytes of all such texts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CarriedTotals {
    pub(crate) of_callers: usize,
    pub(crate) all: usize,
}

impl CarriedBytes {
    /// The share of a text that came from a caller.
    pub(crate) fn of(bytes: usize) -> Self {
        if is_counted(bytes) { Self::added(bytes, 0) } else { Self::default() }
    }

    /// The share of a text that the program made of another, which keeps what that had of callers: a copy of theirs
    /// stays theirs.
    pub(crate) fn changed(bytes: usize, before: &Self) -> Self {
        if !is_counted(bytes) {
            return Self::default();
        }
        let of_callers = before.of_callers.min(bytes);
        Self::added(of_callers, bytes - of_callers)
    }

    fn added(of_callers: usize, own: usize) -> Self {
        for (total, bytes) in [(&OF_CALLERS, of_callers), (&OWN, own)] {
            if bytes > 0 {
                total.fetch_add(bytes, Ordering::Relaxed);
            }
        }
        Self { of_callers, own }
    }
}

/// A copy of a text takes memory of its own.
impl Clone for CarriedBytes {
    fn clone(&self) -> Self {
        Self::added(self.of_callers, self.own)
    }
}

impl Drop for CarriedBytes {
    fn drop(&mut self) {
        for (total, bytes) in [(&OF_CALLERS, self.of_callers), (&OWN, self.own)] {
            if bytes > 0 {
                total.fetch_sub(bytes, Ordering::Relaxed);
            }
        }
    }
}

/// Whether a text of this length is counted.
pub(crate) const fn is_counted(bytes: usize) -> bool {
    bytes >= SHORT
}

/// How much is alive now.
pub(crate) fn carried_totals() -> CarriedTotals {
    let of_callers = OF_CALLERS.load(Ordering::Relaxed);
    CarriedTotals { of_callers, all: of_callers.saturating_add(OWN.load(Ordering::Relaxed)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_of_a_callers_text_stays_the_callers_and_what_is_added_is_the_programs() {
        let came = CarriedBytes::of(1_000);
        let longer = CarriedBytes::changed(1_400, &came);
        assert_eq!((longer.of_callers, longer.own), (1_000, 400));
        let shorter = CarriedBytes::changed(600, &longer);
        assert_eq!((shorter.of_callers, shorter.own), (600, 0));
        let own = CarriedBytes::changed(SHORT, &CarriedBytes::default());
        assert_eq!((own.of_callers, own.own), (0, SHORT));
        let short = CarriedBytes::changed(SHORT - 1, &came);
        assert_eq!((short.of_callers, short.own), (0, 0));
    }
}
