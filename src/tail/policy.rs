//! The trait of the tail.

use std::borrow::Cow;
use std::sync::Arc;

use super::{EvaluationOrder, TailDecision, Verdict};
use crate::kit::type_name;
use crate::trace::TraceView;

/// Decides about a local trace when it is complete.
///
/// OpenTelemetry: a policy of the collector's `tail_sampling` processor. Closures are policies, and
/// so are `Arc` and `Box` of one.
///
/// - **When.** When the last open span of a local trace has ended; earlier where a limit, the linger
///   time or a shutdown ends the wait for the rest.
/// - **How often.** Once for each local trace by the pipeline. A combinator may skip a policy whose
///   answer cannot change anything, as [`evaluation_order`](Self::evaluation_order) says.
/// - **On which thread.** On the one that ended the last span, which waits for the answer: be quick. A
///   trace whose wait was ended early is decided on the thread that noticed.
/// - **Under which locks.** Under none of the crate's. Many threads may ask at the same time.
/// - **A panic** is caught and counted, and the policy has no opinion.
/// - **Spans that a policy starts** itself in the same pipeline are not recorded.
///
/// Give the closure's argument its type, `|trace: &TraceView<'_>|`. Without it rustc infers one lifetime instead of
/// all of them, and says "implementation of `FnOnce` is not general enough".
///
/// ```
/// use tailtrace::{TailPolicy, TraceView, Verdict};
/// let big = |trace: &TraceView<'_>| match trace.span_count() {
///     1000.. => Verdict::keep(),
///     _ => Verdict::pass(),
/// };
/// let policy: Box<dyn TailPolicy> = Box::new(big);
/// # let _ = policy;
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a tail policy",
    label = "expected a `TailPolicy`",
    note = "constructors that check a setting return a `Result`: is a `?` missing, as in `Fraction::new(0.01)?`",
    note = "a closure needs the type of its argument, or rustc says \
            \"implementation of `FnOnce` is not general enough\": `|trace: &TraceView<'_>| Verdict::pass()`"
)]
pub trait TailPolicy: Send + Sync {
    /// Decides what becomes of the trace.
    fn evaluate(&self, trace: &TraceView<'_>) -> Verdict;

    /// The name that kept traces carry. The default is the type's own name.
    fn name(&self) -> Cow<'static, str> {
        Cow::Borrowed(type_name::short(std::any::type_name::<Self>()))
    }

    /// When combinators ask this policy; see [`EvaluationOrder`]. It is read once, when the policy is added to
    /// one.
    fn evaluation_order(&self) -> EvaluationOrder {
        EvaluationOrder::Always
    }

    /// Whether evaluating runs nothing but this crate's code: no closure of the program, and nothing that is traced.
    ///
    /// Default: no, which is always right. The layer asks a tail of which it is true at once when a span closes; any
    /// other waits until `tracing` has forgotten the span, for half as much again. Policies of this crate answer for
    /// themselves and for what they combine.
    fn is_self_contained(&self) -> bool {
        false
    }

    /// This policy under a name of yours, which the traces it keeps will carry.
    fn named(self, name: impl Into<Cow<'static, str>>) -> Named<Self>
    where
        Self: Sized,
    {
        Named::new(self, name)
    }
}

impl<F> TailPolicy for F
where
    F: Fn(&TraceView<'_>) -> Verdict + Send + Sync,
{
    fn evaluate(&self, trace: &TraceView<'_>) -> Verdict {
        self(trace)
    }
}

impl<P: TailPolicy + ?Sized> TailPolicy for Arc<P> {
    fn evaluate(&self, trace: &TraceView<'_>) -> Verdict {
        (**self).evaluate(trace)
    }

    fn is_self_contained(&self) -> bool {
        (**self).is_self_contained()
    }

    fn name(&self) -> Cow<'static, str> {
        (**self).name()
    }

    fn evaluation_order(&self) -> EvaluationOrder {
        (**self).evaluation_order()
    }
}

impl TailPolicy for Box<dyn TailPolicy> {
    fn evaluate(&self, trace: &TraceView<'_>) -> Verdict {
        (**self).evaluate(trace)
    }

    fn is_self_contained(&self) -> bool {
        (**self).is_self_contained()
    }

    fn name(&self) -> Cow<'static, str> {
        (**self).name()
    }

    fn evaluation_order(&self) -> EvaluationOrder {
        (**self).evaluation_order()
    }
}

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

    fn evaluation_order(&self) -> EvaluationOrder {
        self.policy.evaluation_order()
    }

    fn is_self_contained(&self) -> bool {
        self.policy.is_self_contained()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tail::errors::Errors;
    use crate::tail::slower_than::SlowerThan;
    use crate::tail::{Any, test_traces};

    #[test]
    fn a_policy_is_called_by_the_last_word_of_its_type() {
        let closure = |_: &TraceView<'_>| Verdict::pass();
        assert_eq!(closure.name(), "closure");
        assert_eq!(Errors.name(), "Errors");
        let boxed: Box<dyn TailPolicy> = Box::new(SlowerThan::default());
        assert_eq!(boxed.name(), "SlowerThan");
        assert_eq!(boxed.evaluation_order(), EvaluationOrder::WhileUndecided);
    }

    #[test]
    fn the_outermost_name_is_the_one_that_is_told() {
        let policy = Any::new([Errors.named("inner")]).named("outer");
        let failed = test_traces::failed();
        assert_eq!(policy.evaluate(&failed.view()).policy, "outer");
        assert_eq!(policy.evaluate(&test_traces::plain().view()).policy, "");
    }

    #[test]
    fn an_empty_name_is_none() {
        assert_eq!(Errors.named("").name(), "Errors");
    }
}
