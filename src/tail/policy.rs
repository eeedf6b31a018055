//! The trait of the tail.

use std::borrow::Cow;
use std::sync::Arc;

use super::{Asked, Named, Verdict};
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
///   answer cannot change anything, as [`asked`](Self::asked) says.
/// - **On which thread.** On the one that ended the last span, which waits for the answer: be quick. A
///   trace whose wait was ended early is decided on the thread that noticed.
/// - **Under which locks.** Under none of the crate's. Many threads may ask at the same time.
/// - **A panic** is caught and counted, and the policy has no opinion.
/// - **Spans that a policy starts** itself in the same pipeline are not recorded.
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
    note = "a closure needs the type of its argument: `|trace: &TraceView<'_>| Verdict::pass()`"
)]
pub trait TailPolicy: Send + Sync {
    /// Decides what becomes of the trace.
    fn evaluate(&self, trace: &TraceView<'_>) -> Verdict;

    /// The name that kept traces carry. The default is the type's own name.
    fn name(&self) -> Cow<'static, str> {
        Cow::Borrowed(type_name::short(std::any::type_name::<Self>()))
    }

    /// When combinators ask this policy; see [`Asked`]. It is read once, when the policy is added to
    /// one.
    fn asked(&self) -> Asked {
        Asked::Always
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

    fn name(&self) -> Cow<'static, str> {
        (**self).name()
    }

    fn asked(&self) -> Asked {
        (**self).asked()
    }
}

impl TailPolicy for Box<dyn TailPolicy> {
    fn evaluate(&self, trace: &TraceView<'_>) -> Verdict {
        (**self).evaluate(trace)
    }

    fn name(&self) -> Cow<'static, str> {
        (**self).name()
    }

    fn asked(&self) -> Asked {
        (**self).asked()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tail::errors::Errors;
    use crate::tail::slower_than::SlowerThan;

    #[test]
    fn a_policy_is_called_by_the_last_word_of_its_type() {
        let closure = |_: &TraceView<'_>| Verdict::pass();
        assert_eq!(closure.name(), "closure");
        assert_eq!(Errors.name(), "Errors");
        let boxed: Box<dyn TailPolicy> = Box::new(SlowerThan::default());
        assert_eq!(boxed.name(), "SlowerThan");
        assert_eq!(boxed.asked(), Asked::WhileOpen);
    }
}
