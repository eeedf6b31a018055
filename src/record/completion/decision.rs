//! Whether spans are kept, and what a request to keep a trace could do.

use std::borrow::Cow;

use crate::ledger::Reason;
use crate::model::Threshold;
use crate::record::deciders::Deciders;
use crate::record::live::LiveTraces;
use crate::record::local::{KeepOrigin, LocalTrace, TraceOwner};
use crate::tail::TailDecision;
use crate::time::Tick;
use crate::trace::header::HeadSample;
use crate::trace::store::SpanStore;
use crate::trace::{KeepReason, TraceView};

/// What [`Pipeline::keep`](crate::Pipeline::keep) could do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeepOutcome {
    /// The trace had been dropped, was still in the ring, and is on its way to the exporters.
    Exported,
    /// The trace is still running and will be kept when it is complete.
    WhenComplete,
    /// The trace was kept before: it is on its way to the exporters, or was sent.
    AlreadyKept,
    /// A policy dropped the trace on purpose. Its spans are gone.
    DroppedOnPurpose,
    /// No such trace is known: it never ran here, has left the ring, or was kept or dropped on purpose longer ago than
    /// is remembered. Each of up to 16 groups of threads remembers at least its last 2,048 of those.
    Unknown,
}

/// What the head, the tail and requests together decide about spans.
pub(super) enum TraceDecision {
    Keep(KeepReason),
    /// A policy by content or a budget keeps it, which other services cannot know.
    KeepAndAnnounce(KeepReason),
    Drop(Reason),
}

impl TraceDecision {
    /// Asks the tail about spans of a trace, and weighs its answer with what the head answered and with
    /// requests for the trace.
    #[inline]
    pub(super) fn new<O: TraceOwner>(
        deciders: &Deciders,
        traces: &LiveTraces<O>,
        trace: &LocalTrace<O>,
        store: &SpanStore,
        now: Tick,
    ) -> Self {
        let view = TraceView::new(&trace.header, store, now).as_part(store.is_part());
        let reason = || Some(traces.take_reason(trace));
        Self::of(deciders, &view, trace.sample(), store, trace.requested(), reason)
    }

    /// Asks the tail about the spans of a store as a view shows them. `reason` says why they are kept where only a request
    /// has them kept; `None` where as many were for notices as may be.
    #[inline]
    pub(super) fn of(
        deciders: &Deciders,
        view: &TraceView<'_>,
        sample: Option<HeadSample>,
        store: &SpanStore,
        requested: Option<KeepOrigin>,
        reason: impl FnOnce() -> Option<KeepReason>,
    ) -> Self {
        let verdict = deciders.ask_tail(view);
        let is_part = view.is_part();
        let kept =
            |policy, threshold| KeepReason { policy, threshold, is_part, ..KeepReason::default() };
        let keep = |policy, threshold| Self::Keep(kept(policy, threshold));
        match verdict.decision {
            // What leads to a part that was kept leaves with it.
            TailDecision::Pass | TailDecision::Drop if is_part && store.has_kept_below() => {
                keep(Cow::Borrowed("a part below"), None)
            }
            TailDecision::Drop if requested != Some(KeepOrigin::Person) => {
                Self::Drop(Reason::DroppedByPolicy)
            }
            TailDecision::Keep => {
                let either = |head| Threshold::either(head, verdict.threshold);
                let sampled = sample.map(|sample| sample.threshold);
                let is_alike_everywhere = verdict.is_alike_everywhere();
                let kept = kept(verdict.policy, sampled.map_or(verdict.threshold, either));
                // What a notice asked for is known to the others; what a person asked for is not.
                if is_alike_everywhere || requested == Some(KeepOrigin::Notice) {
                    Self::Keep(kept)
                } else {
                    Self::KeepAndAnnounce(kept)
                }
            }
            _ => match sample {
                Some(sample) => keep(Cow::Borrowed("head sampler"), sample.threshold),
                None => match requested.and_then(|_| reason()) {
                    Some(reason) => Self::Keep(KeepReason { is_part, ..reason }),
                    // The policy that panicked may have been the one that keeps what failed.
                    None if verdict.panics() > 0 && store.has_errors() => {
                        keep(Cow::Borrowed("error, as a policy panicked"), None)
                    }
                    None => Self::Drop(Reason::NotKept),
                },
            },
        }
    }
}
