//! Keep what carries a tag that fits a pattern.

use std::borrow::Cow;

use regex::{Regex, RegexBuilder};
use thiserror::Error;

use super::{Asked, TailPolicy, Verdict};
use crate::model::text::excerpt;
use crate::trace::TraceView;
use crate::trace::store::cut;

/// How long a pattern may be, in bytes.
const PATTERN_BYTES: usize = 1 << 10;
/// How much memory a compiled pattern, and the cache of its matcher, may take, in bytes.
const COMPILED_BYTES: usize = 1 << 20;
/// How much of a value is looked at, in bytes.
const VALUE_BYTES: usize = 4 << 10;

/// Keeps traces in which any span has a text tag that fits a regular expression.
///
/// Use it for families of values: routes, hosts, messages. For one value, [`TagEquals`] is cheaper.
/// The syntax is that of the `regex` crate; a pattern fits anywhere in the value unless `^` and `$`
/// hold it. Only text fits, no number and no list.
///
/// **Cost.** Time linear in the value, whatever pattern and value are; the first 4 KiB of a value are
/// looked at, and `$` stands for that end too. Patterns are at most 1 KiB long and may compile to at
/// most 1 MiB.
///
/// OpenTelemetry: the collector's `string_attribute` with `enabled_regex_matching`, whose patterns
/// are not anchored either. It differs on purpose: no cache of values, which would remember what
/// users sent, and the resource is not looked at.
///
/// ```
/// use tailtrace::tail::TagMatches;
/// use tailtrace::TailSampler;
/// let tail = TailSampler::new().keep(TagMatches::new("url.path", "^/(admin|billing)/")?);
/// # let _ = tail;
/// let refused = TagMatches::new("url.path", "/(admin").unwrap_err();
/// assert_eq!(
///     refused.to_string(),
///     "\"/(admin\" is not a usable pattern: unclosed group",
/// );
/// # Ok::<(), tailtrace::tail::PatternError>(())
/// ```
///
/// [`TagEquals`]: super::TagEquals
#[derive(Clone, Debug)]
pub struct TagMatches {
    key: Cow<'static, str>,
    pattern: Regex,
}

impl TagMatches {
    /// Keeps traces with a span on which the tag `key` fits `pattern`.
    ///
    /// # Errors
    /// If the pattern is longer than 1 KiB, is not a regular expression, or is too large compiled.
    pub fn new(key: impl Into<Cow<'static, str>>, pattern: &str) -> Result<Self, PatternError> {
        if pattern.len() > PATTERN_BYTES {
            return Err(PatternError(Kind::TooLong(pattern.len())));
        }
        let pattern = RegexBuilder::new(pattern)
            .size_limit(COMPILED_BYTES)
            .dfa_size_limit(COMPILED_BYTES)
            .build()
            .map_err(|source| PatternError(Kind::refused(pattern, source)))?;
        let key = key.into();
        Ok(Self { key, pattern })
    }
}

impl TailPolicy for TagMatches {
    fn evaluate(&self, trace: &TraceView<'_>) -> Verdict {
        Verdict::keep_if(trace.spans().any(|span| {
            let text = span.tag(&self.key).and_then(|value| value.as_str());
            text.is_some_and(|text| self.pattern.is_match(cut(text, VALUE_BYTES)))
        }))
    }

    fn asked(&self) -> Asked {
        Asked::WhileOpen
    }
}

/// The text cannot serve as a pattern.
#[derive(Clone, Debug, Error)]
#[error(transparent)]
pub struct PatternError(Kind);

#[derive(Clone, Debug, Error)]
enum Kind {
    #[error("a pattern of {0} bytes is too long: use at most {PATTERN_BYTES}")]
    TooLong(usize),
    #[error("{start:?} is too large a pattern: use fewer or smaller repetitions")]
    TooLarge { start: String },
    #[error("{start:?} is not a usable pattern: {cause}")]
    Syntax { start: String, cause: String, source: regex::Error },
}

impl Kind {
    fn refused(pattern: &str, source: regex::Error) -> Self {
        let start = excerpt(pattern);
        if let regex::Error::CompiledTooBig(_) = source {
            return Self::TooLarge { start };
        }
        // The source draws the pattern and marks the place; its last words say what is wrong.
        let message = source.to_string();
        let cause = message.rsplit("error: ").next().unwrap_or_default();
        let cause = cause.chars().take(200).collect();
        Self::Syntax { start, cause, source }
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use super::*;
    use crate::model::TagValue;
    use crate::tail::made;

    fn keeps(pattern: &str, value: impl Into<TagValue>) -> bool {
        let trace = made::with(|span| {
            span.set_tag("key", value.into());
        });
        let policy = TagMatches::new("key", pattern).unwrap();
        policy.evaluate(&trace.view()).is_keep()
    }

    #[test]
    fn a_pattern_fits_anywhere_in_text_unless_it_is_anchored() {
        assert!(keeps("dmi", "admin"));
        assert!(!keeps("^dmi", "admin"));
        assert!(!keeps("5", 5));
        assert!(!keeps("", vec!["a list"]));
        assert!(keeps("", ""));
    }

    #[test]
    fn what_lies_beyond_four_kibibytes_is_not_looked_at() {
        let value = |before: usize| "é".repeat(before / 2) + "needle";
        assert!(keeps("needle", value(VALUE_BYTES - 6)));
        assert!(!keeps("needle", value(VALUE_BYTES)));
        assert!(keeps("€$", "€".repeat(2000)));
    }

    #[test]
    fn patterns_that_are_too_long_too_large_or_broken_are_refused_by_name() {
        let message = |pattern: &str| TagMatches::new("k", pattern).unwrap_err().to_string();
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
        assert!(TagMatches::new("k", "(").unwrap_err().source().is_some());
    }
}
