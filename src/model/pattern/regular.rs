//! Regular expressions, feature `regex`.

use std::fmt;

use regex::{Regex, RegexBuilder};

use crate::model::SettingError;
use crate::model::text::excerpt;

/// How long a pattern may be, in bytes.
const PATTERN_BYTES: usize = 1 << 10;
/// How much memory a compiled pattern, and the cache of its matcher, may take, in bytes.
const COMPILED_BYTES: usize = 1 << 20;
/// How much of a text is looked at, in bytes.
const TEXT_BYTES: usize = 4 << 10;

/// A regular expression of the `regex` crate. It matches anywhere in a text unless `^` and `$` hold it.
#[derive(Clone)]
pub(crate) struct RegularExpression(Regex);

impl RegularExpression {
    /// Compiles an expression.
    ///
    /// # Errors
    /// If the pattern is longer than 1 KiB, is not a regular expression, or is too large compiled.
    pub(super) fn new(pattern: &str) -> Result<Self, SettingError> {
        if pattern.len() > PATTERN_BYTES {
            let length = pattern.len();
            return Err(SettingError::new(format_args!(
                "a pattern of {length} bytes is too long: use at most {PATTERN_BYTES}"
            )));
        }
        let compiled = RegexBuilder::new(pattern)
            .size_limit(COMPILED_BYTES)
            .dfa_size_limit(COMPILED_BYTES)
            .build();
        match compiled {
            Ok(expression) => Ok(Self(expression)),
            Err(refusal) => Err(refused(pattern, &refusal)),
        }
    }

    /// Whether the beginning of the text, up to 4 KiB of it, has a part that matches.
    pub(super) fn matches(&self, text: &str) -> bool {
        self.0.is_match(beginning(text))
    }
}

fn refused(pattern: &str, refusal: &regex::Error) -> SettingError {
    let start = excerpt(pattern);
    if let regex::Error::CompiledTooBig(_) = refusal {
        return SettingError::new(format_args!(
            "{start:?} is too large a pattern: use fewer or smaller repetitions"
        ));
    }
    // The refusal draws the pattern and marks the place; its last words say what is wrong.
    let drawing = refusal.to_string();
    let cause = drawing.rsplit("error: ").next().unwrap_or_default();
    let cause: String = cause.chars().take(200).collect();
    SettingError::new(format_args!("{start:?} is not a usable pattern: {cause}"))
}

/// The text up to the most bytes that are looked at, cut at a character.
fn beginning(text: &str) -> &str {
    let mut end = TEXT_BYTES.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

impl fmt::Debug for RegularExpression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "regex {:?}", self.0.as_str())
    }
}

/// Two expressions are equal when they are written alike.
impl PartialEq for RegularExpression {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}

impl Eq for RegularExpression {}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, text: &str) -> bool {
        RegularExpression::new(pattern).unwrap().matches(text)
    }

    #[test]
    fn an_expression_matches_anywhere_unless_it_is_anchored() {
        assert!(matches("dmi", "admin"));
        assert!(!matches("^dmi", "admin"));
        assert!(matches("", ""));
    }

    #[test]
    fn what_lies_beyond_four_kibibytes_is_not_looked_at() {
        let text = |before: usize| "é".repeat(before / 2) + "needle";
        assert!(matches("needle", &text(TEXT_BYTES - 6)));
        assert!(!matches("needle", &text(TEXT_BYTES)));
        assert!(matches("€$", &"€".repeat(2000)));
    }

    #[test]
    fn patterns_that_are_too_long_too_large_or_broken_are_refused_by_name() {
        let message = |pattern: &str| RegularExpression::new(pattern).unwrap_err().to_string();
        assert_eq!(
            message(&"a".repeat(1025)),
            "a pattern of 1025 bytes is too long: use at most 1024"
        );
        assert_eq!(
            message(r"(\w{1000}){1000}"),
            r#""(\\w{1000}){1000}" is too large a pattern: use fewer or smaller repetitions"#
        );
        assert_eq!(
            message("[z-a]"),
            "\"[z-a]\" is not a usable pattern: invalid character class range, \
             the start must be <= the end"
        );
    }
}
