//! What becomes of the spans of a trace that is dropped, and of buffers that are empty.

use std::sync::Mutex;

use super::LiveTraces;
use super::shard::Shard;
use crate::kit::unwind_safe::lock;
use crate::ledger::Reason;
use crate::model::TraceId;
use crate::record::local::{LocalTrace, TraceOwner};
use crate::record::ring::DroppedTrace;
use crate::time::Tick;
use crate::trace::store::SpanStore;

/// What became of spans that the tail did not keep.
pub(in crate::record) enum RingOutcome {
    /// The ring has them, or they are counted as dropped.
    Dropped,
    /// They are to be kept: a request for the trace came while the tail was asked.
    KeepRequested(SpanStore),
}

impl<O: TraceOwner> LiveTraces<O> {
    /// Drops spans that were decided. Those that no policy kept go into the ring, where a request finds
    /// them, as far as it has room; those that a policy dropped on purpose do not.
    #[inline]
    pub(in crate::record) fn drop_decided(
        &self,
        trace: &LocalTrace<O>,
        store: SpanStore,
        reason: Reason,
        now: Tick,
    ) -> RingOutcome {
        let home = self.shard(trace.trace_id());
        let mut shard = lock(home);
        let mut refused = Some(store);
        if reason == Reason::NotKept {
            // A request for the trace is made under this lock, so this look is the last.
            if trace.is_keep_requested()
                && let Some(store) = refused
            {
                return RingOutcome::KeepRequested(store);
            }
            // After a shutdown no request can come any more.
            if !self.is_closed() {
                let header = trace.header.clone();
                refused = refused.and_then(|store| {
                    let dropped = DroppedTrace { header, store, since: now };
                    shard.ring.push(dropped).map(|dropped| dropped.store)
                });
            }
        }
        let uncleared = refused.and_then(|store| {
            self.ledger.dropped(reason, store.len() as u64);
            shard.pool.release_plain_store(store)
        });
        let surplus = self.pop_surplus(&mut shard, now);
        drop(shard);
        if let Some(store) = uncleared {
            clear_and_release(home, store);
        }
        if let Some(store) = surplus {
            clear_and_release(home, store);
            self.drop_surplus_of(home, now);
        }
        RingOutcome::Dropped
    }

    /// Takes the dropped traces of an id out of the ring and requests the live ones; how many of these
    /// there are.
    pub(in crate::record) fn request_keep(&self, id: TraceId) -> (Vec<DroppedTrace>, usize) {
        // Under the lock under which spans are put into the ring: a trace that is being decided is found
        // there, or is requested before it gets there.
        let mut shard = lock(self.shard(id));
        let dropped = shard.ring.remove(id);
        let live = shard.find(id).map(|trace| trace.request_keep()).count();
        (dropped, live)
    }

    /// Clears a buffer and keeps its memory for the next trace.
    pub(in crate::record) fn release_store(&self, id: TraceId, store: SpanStore) {
        clear_and_release(self.shard(id), store);
    }

    /// Drops what has become too old for the ring.
    pub(in crate::record) fn drop_surplus(&self, now: Tick) {
        for shard in &self.shards {
            self.drop_surplus_of(shard, now);
        }
    }

    /// Drops all that the ring has.
    pub(in crate::record) fn empty_ring(&self) {
        for shard in &self.shards {
            loop {
                let next = lock(shard).ring.pop();
                let Some(dropped) = next else { break };
                self.ledger.dropped(Reason::NotKept, dropped.store.len() as u64);
            }
        }
    }

    /// How many spans the ring holds.
    pub(in crate::record) fn spans_in_ring(&self) -> u64 {
        self.shards.iter().map(|shard| lock(shard).ring.spans()).sum()
    }

    fn drop_surplus_of(&self, home: &Mutex<Shard<O>>, now: Tick) {
        loop {
            let next = self.pop_surplus(&mut lock(home), now);
            let Some(store) = next else { return };
            clear_and_release(home, store);
        }
    }

    /// Drops what the ring holds too much, up to the first buffer that must not be cleared under the lock,
    /// which is given back.
    fn pop_surplus(&self, shard: &mut Shard<O>, now: Tick) -> Option<SpanStore> {
        while let Some(dropped) = shard.ring.pop_surplus(now) {
            self.ledger.dropped(Reason::NotKept, dropped.store.len() as u64);
            let store = shard.pool.release_plain_store(dropped.store);
            if store.is_some() {
                return store;
            }
        }
        None
    }
}

fn clear_and_release<O>(home: &Mutex<Shard<O>>, mut store: SpanStore) {
    // Before the lock is taken: what spans of another tracer hold may take its time to go.
    store.clear();
    lock(home).pool.release_store(store);
}
