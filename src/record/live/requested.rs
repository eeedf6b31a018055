//! What becomes of requests to keep traces by their ids.

use std::borrow::Cow;

use super::LiveTraces;
use super::decided::{DecidedAs, Decisions};
use super::stripe::{LiveRequest, StripeState};
use crate::model::TraceId;
use crate::record::link::PartBudget;
use crate::record::local::{ASKED_FOR, KeepOrigin, KeepRequest, LocalTrace, TraceOwner, kept_for};
use crate::record::ring::DroppedTrace;
use crate::time::Tick;
use crate::trace::KeepReason;
use crate::trace::store::SpanStore;

/// How many trace ids are looked up under one hold of a stripe's lock.
const IDS_AT_ONCE: usize = 16;

/// What a request for a trace id found.
#[derive(Debug, Default)]
pub(in crate::record) struct RequestedTraces {
    /// Traces that had been dropped, the newest of a stripe first.
    pub(in crate::record) dropped: Vec<DroppedTrace>,
    /// How many more there are than a notice may have kept.
    pub(in crate::record) over_budget: u64,
    /// How many live traces were asked for.
    pub(in crate::record) live: usize,
    /// How traces of this id that are neither were decided.
    pub(in crate::record) decided: Decisions,
}

impl<O: TraceOwner> LiveTraces<O> {
    /// Takes the dropped traces of these ids out of the ring and requests the live ones, in the order of the requests.
    pub(in crate::record) fn request_keep(
        &self,
        requests: &[KeepRequest],
        now: Tick,
    ) -> Vec<RequestedTraces> {
        let mut found: Vec<RequestedTraces> =
            requests.iter().map(|_| RequestedTraces::default()).collect();
        for home in &self.stripes {
            for (requests, found) in requests.chunks(IDS_AT_ONCE).zip(found.chunks_mut(IDS_AT_ONCE))
            {
                // Under the lock under which spans are put into the ring: a trace that is being decided is found
                // there, or is requested before it gets there.
                let mut stripe = home.lock();
                for (request, found) in requests.iter().zip(found) {
                    self.request_in(&mut stripe, request, now, found);
                }
            }
        }
        found
    }

    fn request_in(
        &self,
        stripe: &mut StripeState<O>,
        request: &KeepRequest,
        now: Tick,
        found: &mut RequestedTraces,
    ) {
        let id = request.trace_id;
        found.decided.add(stripe.decided.find(id));
        // Spent under the lock of the stripe, as by parts that are dropped into its ring.
        let mut budget = match request.origin {
            KeepOrigin::Notice => self.link().map(|link| link.budget(id)),
            KeepOrigin::Person => None,
        };
        let most = budget.as_ref().map_or(usize::MAX, PartBudget::left);
        let taken = stripe.ring.take(id, now, &self.ring, most);
        if let Some(budget) = &mut budget {
            budget.spend(taken.traces.len());
        }
        found.over_budget += taken.left;
        if !taken.traces.is_empty() {
            stripe.decided.insert(id, DecidedAs::Kept);
            found.dropped.extend(taken.traces);
        }
        for trace in stripe.table.find(id) {
            if budget.as_ref().is_some_and(|budget| budget.left() == 0)
                && !trace.is_keep_requested()
            {
                found.over_budget += 1;
                continue;
            }
            found.live += 1;
            let before = trace.request_keep(request.origin);
            // A notice must not give a person's request what began after that: there a drop on purpose is the stronger
            // one. It is remembered besides, for parts that no policy drops.
            if before > Some(request.origin) {
                continue;
            }
            let Some(slot) = trace.slot() else { continue };
            let known = stripe.requests.get_mut(&(slot as u32));
            if let Some(known) = known.filter(|_| before == Some(request.origin)) {
                known.at = now;
                continue;
            }
            if let Some(budget) = &mut budget {
                budget.spend(1);
            }
            let known = LiveRequest { reason: request.reason.clone(), at: now };
            stripe.requests.insert(slot as u32, known);
        }
    }

    /// Whether a trace that runs here was asked for.
    pub(in crate::record) fn is_keep_requested(&self, id: TraceId) -> bool {
        self.stripes
            .iter()
            .any(|home| home.lock().table.find(id).any(|one| one.is_keep_requested()))
    }

    /// Where the strongest request for a part of a trace that began at this moment comes from.
    pub(in crate::record) fn part_requested(
        &self,
        trace: &LocalTrace<O>,
        start: Tick,
    ) -> Option<KeepOrigin> {
        trace.requested()?;
        self.home(trace).lock().part_requested(trace, start)
    }

    /// The reason for which a live trace was asked for, of which a part is kept now; others may follow. One for a notice is
    /// spent; `None` where as many parts of the trace were kept for notices as may be.
    pub(in crate::record) fn part_reason(
        &self,
        trace: &LocalTrace<O>,
        requested: Option<KeepOrigin>,
    ) -> Option<KeepReason> {
        if requested == Some(KeepOrigin::Notice)
            && self.link().is_some_and(|link| !link.spend_part(trace.trace_id()))
        {
            return None;
        }
        Some(self.home(trace).lock().reason(trace))
    }

    /// Remembers that a part of a trace was kept.
    pub(in crate::record) fn remember_kept(&self, trace: &LocalTrace<O>) {
        self.home(trace).lock().decided.insert(trace.trace_id(), DecidedAs::Kept);
    }

    /// Takes the reason for which a live trace was asked for, which is kept now.
    pub(in crate::record) fn take_reason(&self, trace: &LocalTrace<O>) -> KeepReason {
        self.home(trace).lock().take_reason(trace)
    }

    /// Clears the buffer of a trace that was kept, keeps its memory for the next trace of the same stripe, and
    /// remembers the decision.
    pub(in crate::record) fn release_kept(&self, trace: &LocalTrace<O>, mut store: SpanStore) {
        // Before the lock is taken: what spans of another tracer hold may take its time to go.
        store.clear();
        let mut stripe = self.home(trace).lock();
        stripe.decided.insert(trace.trace_id(), DecidedAs::Kept);
        let unused = stripe.pool.release_store(store, &self.pool);
        drop(stripe);
        drop(unused);
    }
}

impl<O: TraceOwner> StripeState<O> {
    /// Where the strongest request for a part of a trace that began at this moment comes from.
    pub(super) fn part_requested(&self, trace: &LocalTrace<O>, start: Tick) -> Option<KeepOrigin> {
        let origin = trace.requested()?;
        self.request(trace).filter(|request| start <= request.at).map(|_| origin)
    }

    /// Forgets why a trace that leaves the live ones was asked for.
    #[cold]
    pub(super) fn forget_request(&mut self, trace: &LocalTrace<O>) {
        if let Some(slot) = trace.slot() {
            self.requests.remove(&(slot as u32));
        }
    }

    fn request(&self, trace: &LocalTrace<O>) -> Option<&LiveRequest> {
        self.requests.get(&(trace.slot()? as u32))
    }

    /// The reason for which a live trace was asked for.
    pub(super) fn reason(&self, trace: &LocalTrace<O>) -> KeepReason {
        let reason = self.request(trace).map(|request| request.reason.clone());
        kept_for(reason.unwrap_or(Cow::Borrowed(ASKED_FOR)))
    }

    /// Takes the reason for which a live trace was asked for, which is kept now. That it was asked for stays.
    pub(super) fn take_reason(&mut self, trace: &LocalTrace<O>) -> KeepReason {
        let request = trace.slot().and_then(|slot| self.requests.get_mut(&(slot as u32)));
        let none = Cow::Borrowed(ASKED_FOR);
        kept_for(match request {
            Some(request) => std::mem::replace(&mut request.reason, none),
            None => none,
        })
    }
}
