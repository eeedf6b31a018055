//! A policy among others.

use std::fmt;

use super::{EvaluationOrder, TailPolicy, Verdict, panicked};
use crate::kit::unwind_safe;
use crate::trace::TraceView;

/// A policy inside a combinator.
pub(super) struct CombinedPolicy {
    pub(super) policy: Box<dyn TailPolicy>,
    pub(super) order: EvaluationOrder,
}

impl CombinedPolicy {
    /// Adds a policy to those that are asked in the same round or before.
    pub(super) fn insert(parts: &mut Vec<Self>, policy: impl TailPolicy + 'static) {
        let order = policy.evaluation_order();
        let at = parts.partition_point(|part| part.order.round() <= order.round());
        let policy = Box::new(policy);
        parts.insert(at, Self { policy, order });
    }

    /// The policy's verdict under its name.
    pub(super) fn ask(&self, trace: &TraceView<'_>) -> Verdict {
        let verdict = self.policy.evaluate(trace);
        verdict.by(|| self.policy.name())
    }

    /// The policy's verdict under its name; `None` when the policy panicked, whose name is [noted](panicked) then.
    #[inline]
    pub(super) fn ask_unless_it_panics(&self, trace: &TraceView<'_>) -> Option<Verdict> {
        let verdict = unwind_safe::call(|| self.ask(trace));
        if verdict.is_none() {
            panicked::note(|| self.policy.name());
        }
        verdict
    }
}

impl fmt::Debug for CombinedPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.policy.name())
    }
}
