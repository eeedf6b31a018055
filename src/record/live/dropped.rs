//! What becomes of the spans of a trace that is dropped.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::MutexGuard;

use super::LiveTraces;
use super::decided::DecidedAs;
use super::stripe::Stripe;
use crate::ledger::Reason;
use crate::record::link::is_watched;
use crate::record::local::{KeepOrigin, LiveSpans, LocalTrace, Phase, TraceOwner};
use crate::record::ring::{DroppedTrace, Leavings, NEVER, Pushed, RingPlace};
use crate::time::Tick;
use crate::trace::KeepReason;
use crate::trace::store::SpanStore;

/// What became of spans that the tail did not keep.
pub(in crate::record) enum RingOutcome {
    /// The ring has them, or they are counted as dropped. So are those that the trace held besides.
    Dropped,
    /// The ring has them there, and the trace holds further spans, open or ended meanwhile.
    Followed(RingPlace),
    /// They are to be kept for this reason: a request for the trace came while the tail was asked, or another service told
    /// of it before it ended here.
    Keep(SpanStore, KeepReason),
}

/// What became of a part that the tail did not keep.
pub(in crate::record) enum PartDrop {
    /// The ring has it there.
    Held(RingPlace),
    /// It is counted as dropped.
    Dropped,
    /// It is to be kept for this reason: a request for it came while the tail was asked, or another service told of the
    /// trace.
    Keep(KeepReason),
}

impl<O: TraceOwner> LiveTraces<O> {
    /// Drops a trace, whose spans were decided. Those that no policy kept go into the ring, where a request finds
    /// them, as far as it has room; those that a policy dropped on purpose do not.
    #[inline]
    pub(in crate::record) fn drop_decided(
        &self,
        trace: &Arc<LocalTrace<O>>,
        mut store: SpanStore,
        reason: Reason,
        now: Tick,
    ) -> RingOutcome {
        let spans = store.len() as u64;
        let home = self.home(trace);
        let mut live = trace.lock();
        debug_assert!(matches!(live.phase, Phase::Deciding), "a trace is decided once");
        let mut stripe = home.lock();
        let mut pushed = Pushed::Refused;
        if reason == Reason::NotKept {
            // A request for the trace is made under this lock, so this look is the last.
            if trace.is_keep_requested() {
                return RingOutcome::Keep(store, stripe.take_reason(trace));
            }
            if let Some(kept) = self.keep_remembered(trace, now) {
                return RingOutcome::Keep(store, kept);
            }
            // After a shutdown no request can come any more.
            if !self.is_closed() {
                pushed = stripe.ring.push(&trace.header, &mut store, now, &self.ring);
            }
        } else if trace.is_keep_requested_by_person() {
            return RingOutcome::Keep(store, stripe.take_reason(trace));
        } else {
            stripe.decided.insert(trace.trace_id(), DecidedAs::DroppedOnPurpose);
        }
        if home.oldest_dropped() == NEVER && pushed != Pushed::Refused {
            home.publish_oldest(&stripe);
        }
        let is_empty = trace.spans(&live) == 0;
        // Spans that are still open follow it into the ring.
        let is_followed = !is_empty && pushed != Pushed::Refused;
        let place = is_followed.then(|| stripe.ring.last_place());
        live.phase = place.map_or(Phase::Dropped(reason), Phase::Held);
        let unused =
            if is_empty { self.unregister_in(&mut stripe, trace, &mut live) } else { None };
        let uncleared = match pushed {
            Pushed::Moved => None,
            Pushed::Copied | Pushed::Refused => stripe.pool.release_plain_store(store, &self.pool),
        };
        drop(stripe);
        if pushed == Pushed::Refused {
            self.ledger.dropped(reason, spans);
        }
        match (is_empty, is_followed) {
            (true, _) => drop(live),
            (false, false) => _ = self.drop_trace(trace, live, reason),
            (false, true) => {
                self.count_bytes(trace, &mut live);
                drop(live);
            }
        }
        drop(unused);
        if let Some(store) = uncleared {
            self.clear_and_release(home, store);
        }
        if self.ring.bytes.is_exceeded() {
            self.drop_oldest();
        }
        place.map_or(RingOutcome::Dropped, RingOutcome::Followed)
    }

    /// Drops a part of a trace that goes on, which began at `start`. One that no policy kept goes into the ring, as far
    /// as that has room.
    pub(in crate::record) fn drop_part(
        &self,
        trace: &LocalTrace<O>,
        start: Tick,
        store: &mut SpanStore,
        reason: Reason,
        now: Tick,
    ) -> PartDrop {
        let spans = store.len() as u64;
        let home = self.home(trace);
        let mut stripe = home.lock();
        // A request for the trace is made under this lock, so this look is the last.
        match stripe.part_requested(trace, start) {
            Some(KeepOrigin::Person) => return PartDrop::Keep(stripe.reason(trace)),
            _ if reason != Reason::NotKept => {
                stripe.decided.insert(trace.trace_id(), DecidedAs::DroppedOnPurpose);
            }
            Some(KeepOrigin::Notice) => {
                if let Some(kept) = self.keep_for_notice(trace, &stripe) {
                    return PartDrop::Keep(kept);
                }
            }
            None => {
                if let Some(kept) = self.keep_remembered(trace, now) {
                    return PartDrop::Keep(kept);
                }
            }
        }
        let pushed = match self.is_closed() || reason != Reason::NotKept {
            true => Pushed::Refused,
            false => stripe.ring.push(&trace.header, store, now, &self.ring),
        };
        let place = stripe.ring.last_place();
        if home.oldest_dropped() == NEVER && pushed != Pushed::Refused {
            home.publish_oldest(&stripe);
        }
        drop(stripe);
        if pushed == Pushed::Refused {
            self.ledger.dropped(reason, spans);
            return PartDrop::Dropped;
        }
        if self.ring.bytes.is_exceeded() {
            self.drop_oldest();
        }
        PartDrop::Held(place)
    }

    /// Takes what the ring has of a trace out of it.
    pub(in crate::record) fn take_held(
        &self,
        trace: &LocalTrace<O>,
        place: RingPlace,
        now: Tick,
    ) -> Option<DroppedTrace> {
        self.home(trace).lock().ring.take_at(place, trace.trace_id(), now, &self.ring)
    }

    /// Takes back what the ring has of a trace, as far as it still has it: the trace is yet to be decided.
    pub(in crate::record) fn reopen(
        &self,
        trace: &LocalTrace<O>,
        live: &mut LiveSpans,
        place: RingPlace,
        now: Tick,
    ) {
        live.phase = Phase::Open;
        if let Some(mut held) = self.take_held(trace, place, now) {
            held.store.append(live.store.split_ended(), trace.header.correction);
            live.store = held.store;
        }
        self.count_bytes(trace, live);
    }

    /// Puts the spans that ended after their trace went into the ring there as well. None is open any more. Where a
    /// request for the trace came meanwhile, nothing is changed, and what the lock guards is given back.
    pub(in crate::record) fn drop_late<'l>(
        &self,
        trace: &LocalTrace<O>,
        mut live: MutexGuard<'l, LiveSpans>,
        now: Tick,
    ) -> Option<MutexGuard<'l, LiveSpans>> {
        let home = self.home(trace);
        let mut stripe = home.lock();
        // A request for the trace is made under this lock, so this look is the last.
        if trace.is_keep_requested() {
            return Some(live);
        }
        let mut store = self.take_spans(&mut live);
        let spans = store.len() as u64;
        self.ledger.cut_values(u64::from(store.take_cut_values()));
        let pushed = match self.is_closed() {
            true => Pushed::Refused,
            false => stripe.ring.push(&trace.header, &mut store, now, &self.ring),
        };
        live.phase = Phase::Dropped(Reason::NotKept);
        let unused = self.unregister_in(&mut stripe, trace, &mut live);
        home.publish_oldest(&stripe);
        drop(stripe);
        drop(live);
        drop(unused);
        if pushed == Pushed::Refused {
            self.ledger.dropped(Reason::NotKept, spans);
        }
        self.clear_and_release(home, store);
        self.drop_oldest();
        None
    }

    /// Drops the spans that ended after their trace went into the ring, and leaves those that are open.
    pub(in crate::record) fn drop_ended(
        &self,
        trace: &LocalTrace<O>,
        mut live: MutexGuard<'_, LiveSpans>,
    ) {
        let mut ended = live.store.split_ended();
        self.count_bytes(trace, &mut live);
        drop(live);
        self.ledger.cut_values(u64::from(ended.take_cut_values()));
        self.ledger.dropped(Reason::NotKept, ended.len() as u64);
    }

    /// Drops what has become too old for the ring, and what the ring holds too much.
    pub(in crate::record) fn drop_surplus(&self, now: Tick) {
        for home in &self.stripes {
            let mut stripe = home.lock();
            let left = stripe.ring.expire(now, &self.ring);
            home.publish_oldest(&stripe);
            drop(stripe);
            self.count_and_release(home, left);
        }
        self.drop_oldest();
    }

    /// Drops the oldest segments of all rings until their limit holds.
    #[cold]
    fn drop_oldest(&self) {
        while self.ring.bytes.is_exceeded() {
            // One lock at a time: the ring that is oldest may have changed when its lock is free.
            let oldest = self.stripes.iter().min_by_key(|stripe| stripe.oldest_dropped());
            let Some(home) = oldest.filter(|stripe| stripe.oldest_dropped() != NEVER) else {
                return;
            };
            let mut stripe = home.lock();
            let left = stripe.ring.pop_segment(&self.ring);
            home.publish_oldest(&stripe);
            drop(stripe);
            self.count_and_release(home, left);
        }
    }

    /// How far the ring reaches back where its limit of bytes decides that, and not its age; with how many bytes.
    pub(in crate::record) fn reach_of_full_ring(&self, now: Tick) -> Option<(Duration, usize)> {
        let limit = self.ring.bytes.limit();
        let is_full = self.ring.bytes.taken() >= limit - limit / 8;
        let oldest = self.stripes.iter().map(Stripe::oldest_dropped).min()?;
        (is_full && oldest != NEVER).then(|| (now.since(oldest), limit))
    }

    /// Drops all that the ring has.
    pub(in crate::record) fn empty_ring(&self) {
        for home in &self.stripes {
            loop {
                let mut stripe = home.lock();
                if stripe.ring.is_empty() {
                    break;
                }
                let left = stripe.ring.pop_segment(&self.ring);
                home.publish_oldest(&stripe);
                drop(stripe);
                self.count_and_release(home, left);
            }
        }
    }

    /// Counts what left a ring as dropped, and keeps its buffers for other traces. The caller holds no lock.
    fn count_and_release(&self, home: &Stripe<O>, left: Leavings) {
        if left.spans > 0 {
            self.ledger.dropped(Reason::NotKept, left.spans);
        }
        if let Some(link) = self.link() {
            left.visit(is_watched, |id, duration| link.on_evicted(id, duration));
        }
        left.into_stores().for_each(|store| self.clear_and_release(home, store));
    }
}
