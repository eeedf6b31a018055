//! Keep what carries a tag that matches a pattern.

use std::borrow::Cow;

use super::{EvaluationOrder, TailPolicy, Verdict};
#[cfg(feature = "regex")]
use crate::model::SettingError;
use crate::model::TagKey;
use crate::model::pattern::Pattern;
use crate::trace::TraceView;

/// Keeps traces in which any span has a text tag that matches a pattern.
///
/// Use it for families of values: routes, hosts, messages. For one value, [`TagEquals`] is cheaper.
/// In a pattern each `*` stands for any text, also none, and everything else for itself, upper and
/// lower case apart; the whole value must match, as in `/admin/*` or `*timeout*`. What a glob cannot
/// say, a regular expression can: `TagMatches::regex`, with the feature `regex`. Only text matches, no
/// number and no list.
///
/// **Cost.** Time linear in the value, whatever pattern and value are.
///
/// OpenTelemetry: the collector's `string_attribute` with `enabled_regex_matching`. It differs on
/// purpose: no cache of values, which would remember what users sent, and the resource is not looked
/// at.
///
/// ```
/// use tailtrace::{TailSampler, tail::TagMatches};
/// let tail = TailSampler::new().keep(TagMatches::new("url.path", "/admin/*"));
/// # let _ = tail;
/// ```
///
/// [`TagEquals`]: super::TagEquals
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagMatches {
    key: Cow<'static, str>,
    pattern: Pattern,
}

impl TagMatches {
    /// Keeps traces with a span on which the tag `key` matches `glob`, in which `*` stands for any text.
    #[must_use]
    pub fn new<'k>(key: impl Into<TagKey<'k>>, glob: &str) -> Self {
        Self { key: key.into().into_owned(), pattern: Pattern::glob(glob) }
    }

    /// Keeps traces with a span on which the tag `key` matches a regular expression of the `regex`
    /// crate.
    ///
    /// It matches anywhere in the value unless `^` and `$` hold it. The first 4 KiB of a value are
    /// looked at, and `$` stands for that end too. Expressions are at most 1 KiB long and may compile
    /// to at most 1 MiB. Needs the feature `regex`.
    ///
    /// ```
    /// use tailtrace::{TailSampler, tail::TagMatches};
    /// let tail = TailSampler::new().keep(TagMatches::regex("url.path", "^/(admin|billing)/")?);
    /// # let _ = tail;
    /// assert_eq!(
    ///     TagMatches::regex("url.path", "/(admin").unwrap_err().to_string(),
    ///     "\"/(admin\" is not a usable pattern: unclosed group",
    /// );
    /// # Ok::<(), tailtrace::model::SettingError>(())
    /// ```
    ///
    /// # Errors
    /// If the expression is too long, is none, or is too large compiled.
    #[cfg(feature = "regex")]
    pub fn regex<'k>(key: impl Into<TagKey<'k>>, expression: &str) -> Result<Self, SettingError> {
        Ok(Self { key: key.into().into_owned(), pattern: Pattern::regex(expression)? })
    }
}

impl TailPolicy for TagMatches {
    fn evaluate(&self, trace: &TraceView<'_>) -> Verdict {
        Verdict::keep_if(trace.spans().any(|span| {
            let text = span.tag(&self.key).and_then(|value| value.as_str());
            text.is_some_and(|text| self.pattern.matches(text))
        }))
    }

    fn evaluation_order(&self) -> EvaluationOrder {
        EvaluationOrder::WhileUndecided
    }

    fn is_self_contained(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::TagValue;
    use crate::tail::test_traces;

    fn keeps(policy: &TagMatches, value: impl Into<TagValue>) -> bool {
        let trace = test_traces::with(|span| {
            span.set_tag("key", value.into());
        });
        policy.evaluate(&trace.view()).is_keep()
    }

    #[test]
    fn the_whole_text_must_match_the_glob() {
        let policy = TagMatches::new("key", "/admin/*");
        assert!(keeps(&policy, "/admin/users"));
        assert!(!keeps(&policy, "x/admin/users"));
        assert!(!keeps(&policy, "/Admin/users"));
        assert!(!keeps(&TagMatches::new("other", "*"), "/admin/users"));
    }

    #[test]
    fn only_text_matches() {
        let any = TagMatches::new("key", "*");
        assert!(keeps(&any, "") && keeps(&any, "5"));
        assert!(!keeps(&any, 5) && !keeps(&any, vec!["a list"]));
    }

    #[cfg(feature = "regex")]
    #[test]
    fn an_expression_may_match_anywhere() {
        let policy = TagMatches::regex("key", "d[mn]i").unwrap();
        assert!(keeps(&policy, "admin") && !keeps(&policy, "adin"));
        assert!(!keeps(&policy, 5));
    }
}
