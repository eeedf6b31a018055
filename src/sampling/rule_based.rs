//! Rules that pick a sampler.

use std::borrow::Cow;
use std::fmt;

use super::{Sampler, SamplingRequest, SamplingResult};
#[cfg(feature = "regex")]
use crate::model::SettingError;
use crate::model::pattern::Pattern;
use crate::model::{SpanKind, TagKey, TagValue};

/// Asks the sampler of the first rule that fits the local root, else a fallback.
///
/// Use it to treat operations differently: drop health checks, keep what a paying tenant does, sample
/// the rest. Rules are tried in the order in which they were added. A decision costs one comparison
/// for each rule up to the one that fits, and then what the picked sampler costs.
///
/// How to drop health checks:
///
/// ```
/// use tailtrace::sampling::{Rule, RuleBasedSampler};
/// use tailtrace::time::Clock;
/// use tailtrace::{
///     AlwaysOff, AlwaysOn, FixedRateSampler, Sampler, SamplingDecision, SamplingRequest, SpanKind,
///     TraceId,
/// };
///
/// let sampler = RuleBasedSampler::new(FixedRateSampler::new(0.1)?)
///     .rule(Rule::named("GET /health*"), AlwaysOff)
///     .rule(Rule::kind(SpanKind::Server).with_tag("tenant", "gold"), AlwaysOn);
///
/// let probe = SamplingRequest::new(TraceId::new(), "GET /healthz", Clock::system().now());
/// assert_eq!(sampler.should_sample(&probe).decision, SamplingDecision::Drop);
/// # Ok::<(), tailtrace::model::SettingError>(())
/// ```
///
/// OpenTelemetry: `ComposableRuleBased`.
pub struct RuleBasedSampler {
    rules: Vec<(Rule, Box<dyn Sampler>)>,
    fallback: Box<dyn Sampler>,
}

impl RuleBasedSampler {
    /// A sampler without rules yet: `fallback` decides about everything.
    pub fn new(fallback: impl Sampler + 'static) -> Self {
        Self { rules: Vec::new(), fallback: Box::new(fallback) }
    }

    /// This sampler with one more rule, tried after those it has.
    #[must_use]
    pub fn rule(mut self, rule: Rule, sampler: impl Sampler + 'static) -> Self {
        self.rules.push((rule, Box::new(sampler)));
        self
    }
}

impl Sampler for RuleBasedSampler {
    fn should_sample(&self, request: &SamplingRequest<'_>) -> SamplingResult {
        let picked = self.rules.iter().find(|(rule, _)| rule.fits(request));
        picked.map_or(&self.fallback, |(_, sampler)| sampler).should_sample(request)
    }
}

impl fmt::Debug for RuleBasedSampler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rules = self.rules.iter().map(|(rule, _)| rule);
        f.write_str("RuleBasedSampler ")?;
        f.debug_list().entries(rules).finish()
    }
}

/// What a local root must be like for a rule of a [`RuleBasedSampler`] to fit: all that is said of it.
///
/// Begin with its name, its kind or a tag, and narrow it down with `with_…`. Rules see what is known
/// when the root starts; tags that are set later come too late.
///
/// ```
/// use tailtrace::sampling::Rule;
/// use tailtrace::SpanKind;
/// let rule = Rule::named("GET /v1/*")
///     .with_kind(SpanKind::Server)
///     .with_tag("tenant", "gold");
/// # let _ = rule;
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rule {
    name: Option<Pattern>,
    kind: Option<SpanKind>,
    tags: Vec<(Cow<'static, str>, TagValue)>,
}

impl Rule {
    /// Fits roots whose operation name matches `glob`, in the case given. Each `*` in it stands for any
    /// text, also for none. A comparison takes time in proportion to the name, whatever the glob; one
    /// that has a star at its end only is the quickest.
    #[must_use]
    pub fn named(glob: &str) -> Self {
        Self { name: Some(Pattern::glob(glob)), ..Self::default() }
    }

    /// Fits roots whose operation name matches a regular expression of the `regex` crate, which matches
    /// anywhere in the name unless `^` and `$` hold it. Needs the feature `regex`.
    ///
    /// # Errors
    /// If the expression is longer than 1 KiB, is none, or compiles to more than 1 MiB.
    #[cfg(feature = "regex")]
    pub fn named_regex(expression: &str) -> Result<Self, SettingError> {
        Ok(Self { name: Some(Pattern::regex(expression)?), ..Self::default() })
    }

    /// Fits roots of this kind.
    #[must_use]
    pub fn kind(kind: SpanKind) -> Self {
        Self::default().with_kind(kind)
    }

    /// Fits roots that start with this tag; type and value must be the same.
    #[must_use]
    pub fn tag<'k>(key: impl Into<TagKey<'k>>, value: impl Into<TagValue>) -> Self {
        Self::default().with_tag(key, value)
    }

    /// This rule for roots of this kind only, instead of the kind it had.
    #[must_use]
    pub fn with_kind(mut self, kind: SpanKind) -> Self {
        self.kind = Some(kind);
        self
    }

    /// This rule for roots that also start with this tag.
    #[must_use]
    pub fn with_tag<'k>(mut self, key: impl Into<TagKey<'k>>, value: impl Into<TagValue>) -> Self {
        self.tags.push((key.into().into_owned(), value.into()));
        self
    }

    fn fits(&self, request: &SamplingRequest<'_>) -> bool {
        self.kind.is_none_or(|kind| kind == request.kind)
            && (self.name.as_ref()).is_none_or(|name| name.matches(request.name))
            && (self.tags.iter()).all(|(key, value)| request.tag(key) == Some(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::TraceId;
    use crate::time::Tick;

    fn mark(with: &'static str) -> impl Sampler {
        move |_: &SamplingRequest<'_>| SamplingResult::record().with_tag("by", with)
    }

    fn request(name: &str) -> SamplingRequest<'_> {
        SamplingRequest::new(TraceId::new(), name, Tick::from_nanos(1))
    }

    #[track_caller]
    fn assert_by(sampler: &RuleBasedSampler, request: &SamplingRequest<'_>, by: &'static str) {
        let expected = SamplingResult::record().with_tag("by", by);
        assert_eq!(sampler.should_sample(request), expected);
    }

    #[test]
    fn the_first_rule_that_fits_decides_and_the_fallback_about_the_rest() {
        let sampler = RuleBasedSampler::new(mark("fallback"))
            .rule(Rule::named("GET /a"), mark("exact"))
            .rule(Rule::named("GET /*"), mark("glob"))
            .rule(Rule::named("GET /a"), mark("never reached"));
        assert_by(&sampler, &request("GET /a"), "exact");
        assert_by(&sampler, &request("GET /b"), "glob");
        assert_by(&sampler, &request("PUT /b"), "fallback");
    }

    #[test]
    fn all_that_a_rule_says_must_hold() {
        let sampler = RuleBasedSampler::new(mark("fallback")).rule(
            Rule::named("op").with_kind(SpanKind::Server).with_tag("a", 1).with_tag("b", "x"),
            mark("rule"),
        );
        let tags = [("b".into(), "x".into()), ("a".into(), TagValue::I64(1))];
        let full = request("op").with_kind(SpanKind::Server).with_tags(&tags);
        assert_by(&sampler, &full, "rule");
        assert_by(&sampler, &full.with_kind(SpanKind::Client), "fallback");
        assert_by(&sampler, &full.with_tags(&tags[..1]), "fallback");
        let other = SamplingRequest { name: "other", ..full };
        assert_by(&sampler, &other, "fallback");
    }

    #[test]
    fn a_tag_fits_by_type_and_value() {
        let sampler = RuleBasedSampler::new(mark("fallback"))
            .rule(Rule::tag("http.status_code", 200), mark("number"))
            .rule(Rule::tag("http.status_code", "200"), mark("text"));
        for (value, by) in [
            (TagValue::I64(200), "number"),
            (TagValue::from("200"), "text"),
            (TagValue::F64(200.0), "fallback"),
        ] {
            let tags = [("http.status_code".into(), value)];
            assert_by(&sampler, &request("op").with_tags(&tags), by);
        }
    }
}
