//! What a panic passes through, and what runs meanwhile.
//!
//! A thread that unwinds drops what stands on its stack. Among that may be futures of other tasks, which enter their
//! spans to drop what they hold: the panic passes through none of that.

use std::cell::RefCell;
use std::thread;

/// More than this many are not told apart: the oldest is forgotten.
#[cfg(any(feature = "layer", test))]
const MOST: usize = 64;

/// What is entered and exited, of whichever kind: who keeps it, and its number there.
type Scope = (u64, u64);

thread_local! {
    /// What this thread has entered since it began to panic.
    static ENTERED: RefCell<Vec<Scope>> = const { RefCell::new(Vec::new()) };
}

/// Notes that the thread enters a scope.
#[cfg(any(feature = "layer", test))]
#[inline(always)]
pub(crate) fn enter(keeper: u64, number: u64) {
    if thread::panicking() {
        add((keeper, number));
    }
}

/// Whether a panic passes through the scope that the thread exits: it was entered before, and the thread is not inside
/// of another that it has entered meanwhile.
#[cfg(any(feature = "layer", test))]
#[inline(always)]
pub(crate) fn exit(keeper: u64, number: u64) -> bool {
    thread::panicking() && !remove((keeper, number)) && is_outside()
}

/// Whether the thread unwinds, and is not inside of a scope that it has entered meanwhile.
#[inline(always)]
pub(crate) fn passes_here() -> bool {
    thread::panicking() && is_outside()
}

#[cfg(any(feature = "layer", test))]
#[cold]
fn add(scope: Scope) {
    let _ = ENTERED.try_with(|entered| {
        let mut entered = entered.borrow_mut();
        if entered.len() == MOST {
            entered.remove(0);
        }
        entered.push(scope);
    });
}

#[cfg(any(feature = "layer", test))]
#[cold]
fn remove(scope: Scope) -> bool {
    let removed = ENTERED.try_with(|entered| {
        let mut entered = entered.borrow_mut();
        let at = entered.iter().rposition(|other| *other == scope);
        at.map(|at| entered.remove(at)).is_some()
    });
    removed.unwrap_or(false)
}

#[cold]
fn is_outside() -> bool {
    ENTERED.try_with(|entered| entered.borrow().is_empty()).unwrap_or(true)
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

    use super::*;

    /// What a drop during the unwinding sees.
    struct Asks<'a>(&'a mut Vec<bool>);

    impl Drop for Asks<'_> {
        fn drop(&mut self) {
            self.0.push(passes_here());
            enter(1, 2);
            self.0.push(passes_here());
            self.0.push(exit(1, 2));
            self.0.push(exit(1, 1));
        }
    }

    #[test]
    fn a_panic_passes_through_what_was_entered_before_it_and_through_nothing_else() {
        let mut seen = Vec::new();
        enter(1, 1);
        let unwound = catch_unwind(AssertUnwindSafe(|| {
            let _asks = Asks(&mut seen);
            resume_unwind(Box::new("no words"));
        }));
        assert!(unwound.is_err());
        assert_eq!(seen, [true, false, false, true]);
        assert!(!exit(1, 1) && !passes_here());
    }
}
