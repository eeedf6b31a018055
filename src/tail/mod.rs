//! The tail decision: what to keep, asked when a local trace is complete.
//!
//! A [`TailPolicy`] sees the whole local trace and keeps it, drops it on purpose, or passes.

use std::borrow::Cow;
use std::sync::Arc;

use crate::model::{Threshold, TraceView};

/// Decides about a local trace when it is complete.
///
/// OpenTelemetry: a policy of the collector's `tail_sampling` processor. Closures are policies, and
/// so are `Arc` and `Box` of one. It is called on the thread that ended the last span, never under a
/// lock of ours, and so should be quick; a panic is caught, counted and taken for "no opinion".
///
/// ```
/// use tailtrace::model::TraceView;
/// use tailtrace::tail::{TailPolicy, Verdict};
/// let big = |trace: &TraceView<'_>| match trace.span_count() {
///     1000.. => Verdict::keep(),
///     _ => Verdict::pass(),
/// };
/// let policy: Box<dyn TailPolicy> = Box::new(big);
/// # let _ = policy;
/// ```
pub trait TailPolicy: Send + Sync {
    /// Says what becomes of the trace.
    fn evaluate(&self, trace: &TraceView<'_>) -> Verdict;

    /// What kept traces say they were kept by. The default is the type's own name.
    fn name(&self) -> Cow<'static, str> {
        Cow::Borrowed(short_name(std::any::type_name::<Self>()))
    }
}

/// What becomes of a complete local trace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum TailDecision {
    /// No opinion. A trace about which nobody has one is dropped.
    #[default]
    Pass,
    /// Keep it.
    Keep,
    /// Drop it on purpose, whoever else would keep it.
    Drop,
}

/// The answer of a [`TailPolicy`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verdict {
    /// What becomes of the trace.
    pub decision: TailDecision,
    /// For a kept trace, how likely such traces are kept; `None` when that is not known, as with a
    /// budget per second.
    pub threshold: Option<Threshold>,
    /// The policy that decided; empty until somebody names it.
    pub policy: Cow<'static, str>,
}

impl Verdict {
    const fn new(decision: TailDecision, threshold: Option<Threshold>) -> Self {
        Self {
            decision,
            threshold,
            policy: Cow::Borrowed(""),
        }
    }

    /// Keep the trace, as every trace like it is kept.
    #[must_use]
    pub const fn keep() -> Self {
        Self::new(TailDecision::Keep, Some(Threshold::ALWAYS))
    }

    /// Keep the trace, where only some of its likes are kept. `None` says that nobody knows how many.
    #[must_use]
    pub const fn keep_with(threshold: Option<Threshold>) -> Self {
        Self::new(TailDecision::Keep, threshold)
    }

    /// Have no opinion.
    #[must_use]
    pub const fn pass() -> Self {
        Self::new(TailDecision::Pass, None)
    }

    /// Drop the trace, whoever else would keep it.
    #[must_use]
    pub const fn drop() -> Self {
        Self::new(TailDecision::Drop, None)
    }

    /// This verdict under the name of a policy, unless it has one.
    #[must_use]
    pub fn by(mut self, policy: impl FnOnce() -> Cow<'static, str>) -> Self {
        if self.policy.is_empty() && self.decision != TailDecision::Pass {
            self.policy = policy();
        }
        self
    }

    /// Whether the trace is kept.
    #[must_use]
    pub fn is_keep(&self) -> bool {
        self.decision == TailDecision::Keep
    }
}

/// `tailtrace::tail::errors::Errors` as `Errors`; `app::main::{{closure}}` as `closure`.
fn short_name(full: &'static str) -> &'static str {
    let plain = full.split('<').next().unwrap_or(full);
    match plain.rsplit("::").next() {
        Some("{{closure}}") => "closure",
        Some(last) => last,
        None => plain,
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

impl TailPolicy for Arc<dyn TailPolicy> {
    fn evaluate(&self, trace: &TraceView<'_>) -> Verdict {
        (**self).evaluate(trace)
    }

    fn name(&self) -> Cow<'static, str> {
        (**self).name()
    }
}

impl TailPolicy for Box<dyn TailPolicy> {
    fn evaluate(&self, trace: &TraceView<'_>) -> Verdict {
        (**self).evaluate(trace)
    }

    fn name(&self) -> Cow<'static, str> {
        (**self).name()
    }
}
