//! The texts of errors and of their causes.

use std::error::Error;
use std::fmt;

use super::secret::without_secrets;
use super::unwind_safe;

/// How many causes of an error are told.
const MOST_CAUSES: usize = 16;

/// The texts of an error's causes, the nearest first, each up to `most` bytes.
pub(crate) fn causes<E: Error + ?Sized>(error: &E, most: usize) -> Vec<String> {
    let mut causes = Vec::new();
    let mut next = unwind_safe::call(|| error.source()).flatten();
    while let Some(cause) = next
        && causes.len() < MOST_CAUSES
    {
        causes.push(unwind_safe::display(&cause, most));
        next = unwind_safe::call(|| cause.source()).flatten();
    }
    causes
}

/// Writes an error as a person reads it: its own text, then each cause that the text does not tell yet.
pub(crate) fn write_with_causes(error: &dyn Error, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str(&text_with_causes(error, str::to_owned))
}

/// The same without the secrets of URLs, for errors that clients of other crates may have caused.
pub(crate) fn write_without_secrets(error: &dyn Error, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str(&text_with_causes(error, without_secrets))
}

/// An error as a person reads it, with what `shown` makes of each text.
fn text_with_causes(error: &dyn Error, shown: impl Fn(&str) -> String) -> String {
    let mut text = shown(&error.to_string());
    let mut next = error.source();
    // A chain of causes may never end.
    for _ in 0..MOST_CAUSES {
        let Some(cause) = next else { break };
        let told = shown(&cause.to_string());
        if !text.contains(&told) {
            text.push_str(": ");
            text.push_str(&told);
        }
        next = cause.source();
    }
    text
}

/// Lets the `Debug` of error types say what their `Display` says, with their causes, so that
/// `fn main() -> Result<…>` shows a person the cure and not a struct.
macro_rules! debug_like_display {
    ($($error:ty),+ $(,)?) => {$(
        impl std::fmt::Debug for $error {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                $crate::kit::error_text::write_with_causes(self, f)
            }
        }
    )+};
}

/// The same without the secrets of URLs.
macro_rules! debug_without_secrets {
    ($($error:ty),+ $(,)?) => {$(
        impl std::fmt::Debug for $error {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                $crate::kit::error_text::write_without_secrets(self, f)
            }
        }
    )+};
}

pub(crate) use {debug_like_display, debug_without_secrets};

/// An error as something to display, sized or not.
pub(crate) struct Shown<'e, E: ?Sized>(pub(crate) &'e E);

impl<E: Error + ?Sized> fmt::Display for Shown<'_, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.0, f)
    }
}

/// The type of an error of the standard library; of others only their own crate could tell.
#[cfg(feature = "layer")]
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

    #[derive(thiserror::Error)]
    #[error("cannot open {path}: {source}")]
    struct Nested {
        path: &'static str,
        source: std::io::Error,
    }

    #[derive(thiserror::Error)]
    #[error("cannot start")]
    struct Outer(#[source] Nested);

    debug_like_display!(Nested, Outer);

    #[test]
    fn debug_tells_each_cause_once() {
        let source = std::io::Error::other("disk on fire");
        let outer = Outer(Nested { path: "/x", source });
        assert_eq!(format!("{outer:?}"), "cannot start: cannot open /x: disk on fire");
    }

    #[test]
    fn errors_of_the_standard_library_are_known_and_others_are_not() {
        assert_eq!(known_type(&std::io::Error::other("x")), Some("std::io::Error"));
        let parsed = "x".parse::<i32>().unwrap_err();
        assert_eq!(known_type(&parsed), Some("std::num::ParseIntError"));
        assert_eq!(known_type(&Endless), None);
    }
}
