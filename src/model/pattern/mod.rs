//! Patterns for names and values.

#[cfg(feature = "regex")]
mod regular;
#[cfg(not(feature = "regex"))]
mod without_regular;

#[cfg(feature = "regex")]
use regular::RegularExpression;
#[cfg(not(feature = "regex"))]
use without_regular::RegularExpression;

use crate::kit::glob::Glob;
#[cfg(feature = "regex")]
use crate::model::SettingError;

/// What a name or a value is compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Pattern {
    /// The whole text, in which each `*` stands for any text.
    Glob(Glob),
    /// A place in the text. Without the feature `regex` there is no value of this variant.
    #[cfg_attr(
        not(feature = "regex"),
        expect(dead_code, reason = "only the feature `regex` makes one")
    )]
    Regular(RegularExpression),
}

impl Pattern {
    /// The pattern that the whole text must match; `*` stands for any text, also none.
    pub(crate) fn glob(pattern: &str) -> Self {
        Self::Glob(Glob::new(pattern))
    }

    /// The regular expression that some part of the text must match.
    ///
    /// # Errors
    /// If the expression is longer than 1 KiB, is none, or is too large compiled.
    #[cfg(feature = "regex")]
    pub(crate) fn regex(expression: &str) -> Result<Self, SettingError> {
        RegularExpression::new(expression).map(Self::Regular)
    }

    /// Whether the text matches. Takes time in proportion to the text, whatever the pattern.
    pub(crate) fn matches(&self, text: &str) -> bool {
        match self {
            Self::Glob(glob) => glob.matches(text),
            Self::Regular(expression) => expression.matches(text),
        }
    }
}
