//! What goes when there is too much.

use std::sync::Arc;

use parking_lot::MutexGuard;

use super::LiveTraces;
use crate::ledger::Reason;
use crate::record::local::{LiveSpans, LocalTrace, Phase, TraceOwner, Worth};
use crate::trace::header::TraceHeader;

/// How many traces are compared to find one that is worth little.
const LOOKS: usize = 32;

/// How many traces one call may evict, so that no caller pays for the growth of all traces.
const MOST_AT_ONCE: usize = 8;

impl<O: TraceOwner> LiveTraces<O> {
    /// Makes room for a new trace, unless that is worth less than what would have to go.
    #[inline]
    pub(in crate::record) fn make_room(&self, new: &TraceHeader) -> Result<(), Reason> {
        match self.exceeded_limit(1) {
            None => Ok(()),
            Some(reason) => self.evict_for(new, reason),
        }
    }

    #[cold]
    fn evict_for(&self, new: &TraceHeader, reason: Reason) -> Result<(), Reason> {
        let new = Worth::of_new(new);
        match self.least_valuable() {
            // A trace that is being decided is about to leave by itself, but is not gone yet.
            Some(trace) if is_worth_less(&trace, new) && self.evict(&trace, reason) => Ok(()),
            _ => Err(reason),
        }
    }

    /// Evicts the least valuable traces until the limits hold.
    pub(in crate::record) fn evict_surplus(&self) {
        for _ in 0..MOST_AT_ONCE {
            let Some(reason) = self.exceeded_limit(0) else { return };
            let Some(trace) = self.least_valuable() else { return };
            self.evict(&trace, reason);
        }
    }

    /// The limit that does not allow `more` traces besides those that are there.
    #[inline]
    pub(in crate::record) fn exceeded_limit(&self, more: usize) -> Option<Reason> {
        let is_full = if more > 0 { self.traces.is_exhausted() } else { self.traces.is_exceeded() };
        if is_full {
            Some(Reason::LiveTraces)
        } else if self.bytes.is_exceeded() {
            Some(Reason::LiveBytes)
        } else {
            None
        }
    }

    /// Drops a trace; false when it is being decided or has gone meanwhile.
    fn evict(&self, trace: &Arc<LocalTrace<O>>, reason: Reason) -> bool {
        let live = trace.lock();
        let is_there = !matches!(live.phase, Phase::Deciding) && trace.spans(&live) > 0;
        if is_there {
            self.drop_trace(trace, live, reason);
        }
        is_there
    }

    fn least_valuable(&self) -> Option<Arc<LocalTrace<O>>> {
        let random = self.random.next_u64();
        let from = usize::try_from(random >> 56).unwrap_or(0) % self.stripes.len();
        let mut stripes = self.stripes.iter().cycle().skip(from).take(self.stripes.len());
        stripes.find_map(|stripe| stripe.lock().table.least_valuable(LOOKS, random))
    }

    /// Drops all that a trace still holds, open spans included; how many spans that were.
    pub(in crate::record) fn drop_trace(
        &self,
        trace: &Arc<LocalTrace<O>>,
        mut live: MutexGuard<'_, LiveSpans>,
        reason: Reason,
    ) -> u64 {
        let foreign = trace.foreign_spans().clear(&live);
        let spans = live.spans() + u64::from(foreign);
        let store = self.take_spans(&mut live);
        live.open = 0;
        live.forget_over_limit();
        live.phase = Phase::Dropped(reason);
        self.change_parts(trace, &mut live, LiveSpans::leave_parts);
        let removed = self.unregister(trace, &mut live);
        drop(live);
        drop(removed);
        if foreign > 0 {
            self.foreign.forget_open_spans(trace);
        }
        if spans > 0 {
            self.ledger.dropped(reason, spans);
            self.release_store(trace, store);
        }
        spans
    }
}

/// Whether a trace goes for a new one. A new trace may still fail, so it counts as more than its equals: only among traces
/// that are worth keeping does the secret order decide.
fn is_worth_less<O>(trace: &LocalTrace<O>, new: Worth) -> bool {
    !trace.is_worth_keeping() || trace.worth() < new
}
