//! What becomes of the spans of a trace that is dropped, and of buffers that are empty.

use std::sync::Mutex;

use super::complete::asked_for;
use super::local::LocalTrace;
use super::recorder::Recorder;
use super::ring::DroppedTrace;
use super::shard::Shard;
use crate::kit::guarded::lock;
use crate::ledger::Reason;
use crate::time::Tick;
use crate::trace::Kept;
use crate::trace::head::TraceHead;
use crate::trace::store::SpanStore;

impl Recorder {
    /// Holds a dropped trace in the ring, unless a policy wanted it gone or the ring has no room. Gives it
    /// back if somebody asked for it while the tail was asked.
    pub(super) fn drop_spans(
        &self,
        trace: &LocalTrace,
        store: SpanStore,
        reason: Reason,
        now: Tick,
    ) -> Result<Reason, (Kept, SpanStore)> {
        let home = self.shard(trace.head.trace_id);
        let mut shard = lock(home);
        let mut refused = Some(store);
        if reason == Reason::NotKept {
            // Whoever asks for a trace holds this lock, so this is the last word.
            if trace.is_keep_asked() {
                return refused.map_or(Ok(reason), |store| Err((asked_for(), store)));
            }
            // After a shutdown nobody can ask for it any more.
            if !self.is_closed() {
                let head = trace.head.clone();
                refused = refused.and_then(|store| {
                    shard
                        .ring
                        .push(DroppedTrace { head, store, since: now })
                        .err()
                        .map(|held| held.store)
                });
            }
        }
        let refused = refused.and_then(|store| {
            self.ledger.dropped(reason, store.len() as u64);
            shard.put_plain(store)
        });
        let surplus = self.pop_surplus(&mut shard, now);
        drop(shard);
        if let Some(store) = refused {
            Self::put_cleared(home, store);
        }
        if let Some(store) = surplus {
            Self::put_cleared(home, store);
            self.forget_surplus(home, now);
        }
        Ok(reason)
    }

    /// Gives a buffer back for the next trace.
    pub(super) fn release_buffer(&self, head: &TraceHead, store: SpanStore) {
        Self::put_cleared(self.shard(head.trace_id), store);
    }

    fn put_cleared(home: &Mutex<Shard>, mut store: SpanStore) {
        // Before the lock is taken: what it held may take its time to go.
        store.clear();
        lock(home).put_store(store);
    }

    pub(super) fn forget_surplus(&self, home: &Mutex<Shard>, now: Tick) {
        loop {
            let next = self.pop_surplus(&mut lock(home), now);
            let Some(store) = next else { return };
            Self::put_cleared(home, store);
        }
    }

    /// Forgets what the ring holds too much, up to the first buffer that must not be cleared under the lock.
    fn pop_surplus(&self, shard: &mut Shard, now: Tick) -> Option<SpanStore> {
        while let Some(held) = shard.ring.pop_surplus(now) {
            self.ledger.dropped(Reason::NotKept, held.store.len() as u64);
            let store = shard.put_plain(held.store);
            if store.is_some() {
                return store;
            }
        }
        None
    }
}
