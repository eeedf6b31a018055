//! The decision about a part of a trace that goes on.

use std::sync::Arc;

use super::Completion;
use super::decision::TraceDecision;
use crate::ledger::Reason;
use crate::model::SpanId;
use crate::record::live::{LiveTraces, PartDrop};
use crate::record::local::{KeepOrigin, LocalTrace, PartOutcome, TraceOwner};
use crate::time::Tick;
use crate::trace::store::{SpanStore, TakenPart};
use crate::trace::{KeepReason, OpenAncestors, TraceView};

impl<O: TraceOwner> Completion<O> {
    /// Decides a part. Its spans may have been moved to where they belong then.
    pub(super) fn decide_part(
        &self,
        traces: &LiveTraces<O>,
        trace: &Arc<LocalTrace<O>>,
        part: &mut TakenPart<SpanStore>,
        follows: Option<PartOutcome>,
        now: Tick,
    ) -> PartOutcome {
        let TakenPart { top, start, parent, .. } = *part;
        let store = &mut part.spans;
        let requested = traces.part_requested(trace, start);
        let decision = match follows {
            Some(PartOutcome::Kept(kept)) => {
                TraceDecision::Keep(KeepReason { is_late: true, ..(*kept).clone() })
            }
            Some(PartOutcome::DroppedByPolicy) => TraceDecision::Drop(Reason::DroppedByPolicy),
            Some(PartOutcome::Held(_) | PartOutcome::Dropped)
                if !store.has_errors() && requested.is_none() =>
            {
                TraceDecision::Drop(Reason::NotKept)
            }
            other => {
                // A late error is decided with what the ring has of its part.
                if let Some(PartOutcome::Held(place)) = other
                    && let Some(mut held) = traces.take_held(trace, place, now)
                {
                    held.store.append(std::mem::take(store), trace.header.correction);
                    *store = held.store;
                }
                self.ask_about_part(traces, trace, store, (parent, requested), now)
            }
        };
        match decision {
            TraceDecision::Keep(kept) => self.keep_part(traces, trace, store, kept),
            TraceDecision::KeepAndAnnounce(kept) => {
                announce(traces, trace, &kept, top, parent);
                self.keep_part(traces, trace, store, kept)
            }
            TraceDecision::Drop(reason) => {
                match traces.drop_part(trace, start, store, reason, now) {
                    PartDrop::Held(place) => PartOutcome::Held(place),
                    PartDrop::Dropped if reason == Reason::NotKept => PartOutcome::Dropped,
                    PartDrop::Dropped => PartOutcome::DroppedByPolicy,
                    PartDrop::Keep(kept) => self.keep_part(traces, trace, store, kept),
                }
            }
        }
    }

    /// Asks the tail about a part below that span, for which the strongest request came from there. The tail sees the
    /// open spans above it if it looks.
    pub(super) fn ask_about_part(
        &self,
        traces: &LiveTraces<O>,
        trace: &LocalTrace<O>,
        store: &SpanStore,
        (parent, requested): (Option<SpanId>, Option<KeepOrigin>),
        now: Tick,
    ) -> TraceDecision {
        let copy = || {
            let parent = parent.map(|parent| trace.lock().store.copy_open_upwards(parent));
            parent.unwrap_or_default()
        };
        let ancestors = OpenAncestors::new(&copy);
        let view = TraceView::new(&trace.header, store, now).below(&ancestors);
        let reason = || traces.part_reason(trace, requested);
        TraceDecision::of(&self.deciders, &view, trace.sample(), store, requested, reason)
    }

    fn keep_part(
        &self,
        traces: &LiveTraces<O>,
        trace: &LocalTrace<O>,
        store: &mut SpanStore,
        kept: KeepReason,
    ) -> PartOutcome {
        let kept = KeepReason { is_part: true, ..kept };
        self.keep_spans(&trace.header, store, &kept);
        traces.remember_kept(trace);
        PartOutcome::Kept(Arc::new(kept))
    }
}

/// Tells the other services that a policy kept a part.
pub(super) fn announce<O: TraceOwner>(
    traces: &LiveTraces<O>,
    trace: &LocalTrace<O>,
    kept: &KeepReason,
    top: SpanId,
    parent: Option<SpanId>,
) {
    if let Some(link) = traces.link() {
        link.announce(&trace.header, kept, Some((top, parent)));
    }
}
