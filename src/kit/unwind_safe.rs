//! Locks and calls that outlive a panic of the program's code.

use std::any::Any;
use std::fmt::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Takes a lock whether or not a thread once panicked while it held it.
///
/// No user code runs under our locks, so what they guard is whole even then.
#[inline]
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Calls the program's code; `None` when it panicked.
#[inline]
pub(crate) fn call<R>(user: impl FnOnce() -> R) -> Option<R> {
    match catch_unwind(AssertUnwindSafe(user)) {
        Ok(result) => Some(result),
        Err(payload) => {
            defuse(payload);
            None
        }
    }
}

/// Drops what a panic carried. Where that panics as well, the second payload is forgotten: it could go
/// on like that.
#[cold]
fn defuse(payload: Box<dyn Any + Send>) {
    if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        std::mem::forget(again);
    }
}

/// What `value` displays, up to `most` bytes; a panic of its `Display` is told in its place.
pub(crate) fn display(value: &dyn fmt::Display, most: usize) -> String {
    let mut text = Capped { text: String::new(), most };
    match call(|| write!(text, "{value}")) {
        Some(_) => text.text,
        None => String::from("(its Display panicked)"),
    }
}

/// Text that stops growing, and refuses what its writer adds then.
struct Capped {
    text: String,
    most: usize,
}

impl Write for Capped {
    fn write_str(&mut self, more: &str) -> fmt::Result {
        let mut room = self.most.saturating_sub(self.text.len()).min(more.len());
        while !more.is_char_boundary(room) {
            room -= 1;
        }
        self.text.push_str(more.get(..room).unwrap_or_default());
        if room < more.len() {
            // A writer that goes on after the error must not leave a gap in the middle.
            self.most = self.text.len();
            return Err(fmt::Error);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_whose_payload_panics_is_survived() {
        struct Bomb;
        impl Drop for Bomb {
            fn drop(&mut self) {
                panic!("once more")
            }
        }
        assert_eq!(call(|| std::panic::panic_any(Bomb)), None::<()>);
    }

    #[test]
    fn a_long_display_is_stopped_at_a_character() {
        assert_eq!(display(&"ééé", 5), "éé");
    }

    #[test]
    fn a_display_that_does_not_stop_when_told_adds_nothing() {
        struct GoesOn;
        impl fmt::Display for GoesOn {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let _ = f.write_str("ééé");
                f.write_str("x")
            }
        }
        assert_eq!(display(&GoesOn, 5), "éé");
    }

    #[test]
    fn a_panicking_display_is_told_and_survived() {
        struct Panics;
        impl fmt::Display for Panics {
            fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
                panic!("no words")
            }
        }
        assert_eq!(display(&Panics, 100), "(its Display panicked)");
    }
}
