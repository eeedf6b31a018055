//! Keep what carries a tag.

use std::borrow::Cow;

use super::{EvaluationOrder, TailPolicy, Verdict};
use crate::model::{TagKey, TagValue};
use crate::trace::TraceView;

/// Keeps traces in which any span has a tag with exactly this value.
///
/// Use it for a tenant, a feature flag, a status. Values are compared with their type: the number 5
/// is not the text `5`, and not-a-number equals nothing. It costs one walk over the tags of each span
/// up to the first match.
///
/// OpenTelemetry: the collector's `boolean_attribute`, and `string_attribute` without patterns. It
/// differs on purpose: a missing or differently typed value never counts as `false` or as empty text,
/// empty text can be asked for, and the resource is not looked at, which is the same for all traces
/// of a process.
///
/// ```
/// use tailtrace::tail::{Any, TagEquals};
/// use tailtrace::TailSampler;
/// let tail = TailSampler::new().keep(
///     Any::new([TagEquals::new("tenant", "acme"), TagEquals::new("debug", true)]),
/// );
/// # let _ = tail;
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct TagEquals {
    key: Cow<'static, str>,
    value: TagValue,
}

impl TagEquals {
    /// Keeps traces with a span on which the tag `key` is `value`.
    pub fn new<'k>(key: impl Into<TagKey<'k>>, value: impl Into<TagValue>) -> Self {
        Self { key: key.into().into_owned(), value: value.into() }
    }
}

impl TailPolicy for TagEquals {
    fn evaluate(&self, trace: &TraceView<'_>) -> Verdict {
        let wanted = Some(self.value.as_ref());
        Verdict::keep_if(trace.spans().any(|span| span.tag(&self.key) == wanted))
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
    use crate::tail::test_traces;

    fn keeps(policy: &TagEquals, value: impl Into<TagValue>) -> bool {
        let trace = test_traces::with(|span| {
            span.set_tag("key", value.into());
        });
        policy.evaluate(&trace.view()).is_keep()
    }

    #[test]
    fn value_and_type_must_be_the_same() {
        assert!(keeps(&TagEquals::new("key", 5), 5));
        assert!(!keeps(&TagEquals::new("key", 5), "5"));
        assert!(!keeps(&TagEquals::new("key", 5), 5.0));
        assert!(!keeps(&TagEquals::new("other", 5), 5));
        assert!(!keeps(&TagEquals::new("key", false), "no"));
        assert!(keeps(&TagEquals::new("key", ""), ""));
        assert!(keeps(&TagEquals::new("key", vec!["a", "b"]), vec!["a", "b"]));
        assert!(!keeps(&TagEquals::new("key", f64::NAN), f64::NAN));
    }

    #[test]
    fn only_the_last_value_of_a_key_counts() {
        let trace = test_traces::with(|span| {
            span.set_tag("key", 1);
            span.set_tag("key", 2);
        });
        let keeps = |value| TagEquals::new("key", value).evaluate(&trace.view()).is_keep();
        assert!(!keeps(1) && keeps(2));
    }
}
