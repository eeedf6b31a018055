//! What a recorder holds of its coherence.

mod reasons;
mod watch;

use std::borrow::Cow;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use reasons::{HeardReasons, RememberedPart};
use watch::CoherenceWatch;
pub(super) use watch::is_watched;

use super::local::kept_for;
use crate::coherence::{CoherenceHandle, HeardNotice, Notice};
use crate::kit::unwind_safe::lock;
use crate::ledger::CoherenceStats;
use crate::model::{SpanId, TraceId};
use crate::time::Tick;
use crate::trace::KeepReason;
use crate::trace::header::TraceHeader;

/// The way to the other services of the group, and why they kept what is remembered.
#[derive(Debug)]
pub(super) struct CoherenceLink {
    handle: CoherenceHandle,
    reasons: Mutex<HeardReasons>,
    watch: Mutex<CoherenceWatch>,
}

/// The parts of one trace that notices may still have kept, which no other thread spends meanwhile.
pub(super) struct PartBudget<'l> {
    reasons: MutexGuard<'l, HeardReasons>,
    id: TraceId,
}

impl PartBudget<'_> {
    pub(super) fn left(&self) -> usize {
        self.reasons.left(self.id)
    }

    pub(super) fn spend(&mut self, parts: usize) {
        self.reasons.spend(self.id, parts);
    }
}

impl CoherenceLink {
    pub(super) fn new(handle: CoherenceHandle) -> Self {
        let remembered = handle.remembered();
        let reasons = HeardReasons::new(remembered.capacity(), remembered.lifetime());
        let reasons = Mutex::new(reasons);
        Self { handle, reasons, watch: Mutex::default() }
    }

    pub(super) fn handle(&self) -> &CoherenceHandle {
        &self.handle
    }

    pub(super) fn stats(&self) -> CoherenceStats {
        self.handle.stats()
    }

    /// Whether another service told that it kept this trace. For every trace that would be dropped.
    #[inline]
    pub(super) fn is_remembered(&self, id: TraceId, now: Tick) -> bool {
        self.handle.remembered().contains(id, now)
    }

    /// Remembers why a trace was kept elsewhere.
    pub(super) fn remember_reason(&self, id: TraceId, reason: &str, now: Tick) {
        lock(&self.reasons).insert(id, reason, now);
    }

    /// How many parts of a trace notices may still have kept. The caller may hold the lock of a stripe.
    pub(super) fn budget(&self, id: TraceId) -> PartBudget<'_> {
        PartBudget { reasons: lock(&self.reasons), id }
    }

    /// Whether one more part of a trace is kept for a notice; it is spent then. The caller may hold the lock of a stripe.
    #[cold]
    pub(super) fn spend_part(&self, id: TraceId) -> bool {
        let mut budget = self.budget(id);
        let has_left = budget.left() > 0;
        budget.spend(1);
        has_left
    }

    /// The mark of a part that is kept because its trace is remembered, which is counted; `None` where as many parts of
    /// that trace were kept as may be, or a notice finds it in the ring.
    #[cold]
    pub(super) fn keep_remembered(&self, id: TraceId) -> Option<KeepReason> {
        match lock(&self.reasons).keep(id) {
            RememberedPart::Kept(reason) => {
                self.handle.count_kept_when_it_came();
                if is_watched(id) {
                    self.handle.count_watched(true);
                }
                Some(kept_for(Cow::from(reason.to_string())))
            }
            RememberedPart::OverBudget => {
                self.handle.count_over_budget(1);
                None
            }
            RememberedPart::FoundInRing => None,
        }
    }

    /// Tells the other services that a policy kept a trace, or the part of it below a span and the parent of that.
    pub(super) fn announce(
        &self,
        header: &TraceHeader,
        kept: &KeepReason,
        part: Option<(SpanId, Option<SpanId>)>,
    ) {
        let mut notice = Notice::new(header.trace_id).with_policy(&*kept.policy);
        if let Some(randomness) = header.trace_state.randomness() {
            notice = notice.with_randomness(randomness);
        }
        if let Some((top, parent)) = part {
            notice = notice.with_part(top, parent);
        }
        self.handle.announce(notice);
    }

    /// A notice came, and the part that is here of its trace is kept, or none is here any more. Of the watched ids it is
    /// counted whether it came in time.
    pub(super) fn on_heard(&self, heard: &HeardNotice, is_kept: bool) {
        let id = heard.notice.trace_id;
        if !heard.is_own && is_watched(id) && (is_kept || lock(&self.watch).has_evicted(id)) {
            self.handle.count_watched(is_kept);
        }
    }

    /// A trace with a watched id was kept, and took this long.
    pub(super) fn on_kept(&self, duration: Duration) {
        lock(&self.watch).on_kept(duration);
    }

    /// A trace with a watched id left the ring; how long it took, as far as that is known.
    pub(super) fn on_evicted(&self, id: TraceId, duration: Option<Duration>) {
        lock(&self.watch).on_evicted(id, duration);
    }

    /// How long 99 % of traces take at most; `None` before some were seen.
    pub(super) fn longest_duration(&self) -> Option<Duration> {
        lock(&self.watch).longest_duration()
    }
}
