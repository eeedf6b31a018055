//! Names of your own for policies.

use std::borrow::Cow;

use super::{Asked, TailDecision, TailPolicy, Verdict};
use crate::trace::TraceView;

/// A policy under another name; [`TailPolicy::named`] makes one.
///
/// Use it so that kept traces say why they matter to the business, not which type kept them. The name
/// stands before those of the parts of a combinator. It costs nothing beside the policy.
///
/// OpenTelemetry: the `name` of a collector's policy.
///
/// ```
/// use std::time::Duration;
/// use tailtrace::{SlowerThan, TailPolicy};
/// let policy = SlowerThan(Duration::from_secs(2)).named("over the agreed two seconds");
/// assert_eq!(policy.name(), "over the agreed two seconds");
/// ```
#[derive(Clone, Debug)]
pub struct Named<P> {
    policy: P,
    name: Cow<'static, str>,
}

impl<P> Named<P> {
    pub(super) fn new(policy: P, name: impl Into<Cow<'static, str>>) -> Self {
        let name = name.into();
        Self { policy, name }
    }
}

impl<P: TailPolicy> TailPolicy for Named<P> {
    fn evaluate(&self, trace: &TraceView<'_>) -> Verdict {
        let mut verdict = self.policy.evaluate(trace);
        if verdict.decision != TailDecision::Pass && !self.name.is_empty() {
            verdict.policy = self.name.clone();
        }
        verdict
    }

    fn name(&self) -> Cow<'static, str> {
        if self.name.is_empty() { self.policy.name() } else { self.name.clone() }
    }

    fn asked(&self) -> Asked {
        self.policy.asked()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tail::errors::Errors;
    use crate::tail::{Any, made};

    #[test]
    fn the_outermost_name_is_the_one_that_is_told() {
        let policy = Any::new([Errors.named("inner")]).named("outer");
        let failed = made::failed();
        assert_eq!(policy.evaluate(&failed.view()).policy, "outer");
        assert_eq!(policy.evaluate(&made::plain().view()).policy, "");
    }

    #[test]
    fn an_empty_name_is_none() {
        assert_eq!(Errors.named("").name(), "Errors");
    }
}
