//! What errors say of themselves.

use std::error::Error;
use std::fmt;

use super::guarded;

/// How many causes of an error are told.
const MOST_CAUSES: usize = 16;

/// The texts of an error's causes, the nearest first, each up to `most` bytes.
pub(crate) fn causes<E: Error + ?Sized>(error: &E, most: usize) -> Vec<String> {
    let mut causes = Vec::new();
    let mut next = guarded::call(|| error.source()).flatten();
    while let Some(cause) = next
        && causes.len() < MOST_CAUSES
    {
        causes.push(guarded::display(&cause, most));
        next = guarded::call(|| cause.source()).flatten();
    }
    causes
}

/// An error as something to display, sized or not.
pub(crate) struct Shown<'e, E: ?Sized>(pub(crate) &'e E);

impl<E: Error + ?Sized> fmt::Display for Shown<'_, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.0, f)
    }
}

/// The type of an error of the standard library; of others only their own crate could tell.
pub(crate) fn known_type(error: &(dyn Error + 'static)) -> Option<&'static str> {
    macro_rules! first_of {
        ($($kind:ty = $name:literal),* $(,)?) => {
            $(if error.is::<$kind>() { return Some($name); })*
        };
    }
    first_of! {
        std::io::Error = "std::io::Error",
        fmt::Error = "std::fmt::Error",
        std::num::ParseIntError = "std::num::ParseIntError",
        std::num::ParseFloatError = "std::num::ParseFloatError",
        std::num::TryFromIntError = "std::num::TryFromIntError",
        std::str::Utf8Error = "std::str::Utf8Error",
        std::string::FromUtf8Error = "std::string::FromUtf8Error",
        std::str::ParseBoolError = "std::str::ParseBoolError",
        std::char::ParseCharError = "std::char::ParseCharError",
        std::net::AddrParseError = "std::net::AddrParseError",
        std::array::TryFromSliceError = "std::array::TryFromSliceError",
        std::time::SystemTimeError = "std::time::SystemTimeError",
        std::sync::mpsc::RecvError = "std::sync::mpsc::RecvError",
        std::sync::mpsc::RecvTimeoutError = "std::sync::mpsc::RecvTimeoutError",
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Endless;

    impl fmt::Display for Endless {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("again")
        }
    }

    impl Error for Endless {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(self)
        }
    }

    #[test]
    fn a_chain_of_causes_that_never_ends_is_cut() {
        assert_eq!(causes(&Endless, 100), vec!["again"; MOST_CAUSES]);
    }

    #[test]
    fn errors_of_the_standard_library_are_known_and_others_are_not() {
        assert_eq!(known_type(&std::io::Error::other("x")), Some("std::io::Error"));
        let parsed = "x".parse::<i32>().unwrap_err();
        assert_eq!(known_type(&parsed), Some("std::num::ParseIntError"));
        assert_eq!(known_type(&Endless), None);
    }
}
