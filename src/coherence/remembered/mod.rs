//! The ids of traces that other services kept, for parts that come later.
//!
//! Asked for every trace that would be dropped, by any thread, so a question takes no lock: most end at one word of a
//! filter, which has two bits set for each id that is remembered. What passes the filter is looked up in a table of
//! buckets. Ids enter under a lock, which only those take that add.

#[cfg(test)]
mod tests;

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::kit::unwind_safe::lock;
use crate::kit::{Random, folded_product};
use crate::model::{SpanId, TraceId};
use crate::time::Tick;

/// Slots of a bucket: they fill two cache lines.
const BUCKET: usize = 8;
/// Filter bits for each id that may be remembered: with two set for each, about one question in 80 passes wrongly.
const FILTER_BITS: usize = 16;
/// How often within the time that an id is remembered the filter is made anew, without the ids that were forgotten.
const RENEWALS: u32 = 4;

/// Ids for a while, at most as many as there is room for.
///
/// Costs 34 bytes for each id that there may be, from the start.
#[derive(Debug)]
pub(crate) struct Remembered {
    /// Two ids that agree in all 64 bits of their keys are taken for one another: of 65,536 ids and a million
    /// questions a second, once in half a year.
    slots: Box<[Slot]>,
    filter: Box<[AtomicU64]>,
    seeds: [u64; 4],
    lifetime: Duration,
    renewed_at: Mutex<Tick>,
}

/// Zero when it is free.
// A writer stores the time and then releases the key; a reader that acquires a key sees its time, or that of a later
// key of the slot. Then an id is remembered as long as the one that took its place, which does no harm.
#[derive(Debug, Default)]
struct Slot {
    key: AtomicU64,
    /// The tick at which it is forgotten.
    until: AtomicU64,
}

impl Remembered {
    /// Room for `capacity` ids, each of which is remembered for `lifetime`.
    pub(crate) fn new(capacity: usize, lifetime: Duration, random: &Random) -> Self {
        // Half of the slots stay free, so that hardly ever both buckets of an id are full.
        let buckets = (capacity.max(1) * 2).div_ceil(BUCKET).next_power_of_two();
        let words = (capacity.max(1) * FILTER_BITS).div_ceil(64).next_power_of_two();
        Self {
            slots: std::iter::repeat_with(Slot::default).take(buckets * BUCKET).collect(),
            filter: std::iter::repeat_with(AtomicU64::default).take(words).collect(),
            seeds: std::array::from_fn(|_| random.next_u64()),
            lifetime,
            renewed_at: Mutex::new(Tick::default()),
        }
    }

    /// For how many ids there is room.
    pub(crate) fn capacity(&self) -> usize {
        self.slots.len() / 2
    }

    /// How long an id is remembered.
    pub(crate) fn lifetime(&self) -> Duration {
        self.lifetime
    }

    /// Whether all of this trace is remembered.
    #[inline]
    pub(crate) fn contains(&self, trace_id: TraceId, now: Tick) -> bool {
        let key = self.key(trace_id.to_bits());
        self.may_have(key) && self.find(key, now)
    }

    /// Whether the part of this trace is remembered that begins with this span.
    #[inline]
    pub(crate) fn contains_part(&self, trace_id: TraceId, top: SpanId, now: Tick) -> bool {
        let key = self.part_key(trace_id, top);
        self.may_have(key) && self.find(key, now)
    }

    /// Remembers all of a trace from now on; whether it was not remembered yet.
    pub(crate) fn insert(&self, trace_id: TraceId, now: Tick) -> bool {
        self.insert_key(self.key(trace_id.to_bits()), now)
    }

    /// Remembers a part of a trace from now on; whether it was not remembered yet.
    pub(crate) fn insert_part(&self, trace_id: TraceId, top: SpanId, now: Tick) -> bool {
        self.insert_key(self.part_key(trace_id, top), now)
    }

    fn insert_key(&self, key: u64, now: Tick) -> bool {
        let mut renewed_at = lock(&self.renewed_at);
        let until = now.after(self.lifetime).as_nanos();
        let buckets = self.buckets(key);
        let mut slots = buckets.into_iter().flatten();
        let known = slots.find(|slot| slot.key.load(Ordering::Relaxed) == key);
        let was_there =
            known.is_some_and(|slot| slot.until.load(Ordering::Relaxed) > now.as_nanos());
        // Of the bucket with more room the slot that is forgotten first makes room; a free one has no time yet.
        let is_free = |slot: &&Slot| slot.until.load(Ordering::Relaxed) <= now.as_nanos();
        let roomier =
            || buckets.into_iter().max_by_key(|bucket| bucket.iter().filter(is_free).count());
        let first = || roomier()?.iter().min_by_key(|slot| slot.until.load(Ordering::Relaxed));
        if let Some(slot) = known.or_else(first) {
            slot.until.store(until, Ordering::Relaxed);
            slot.key.store(key, Ordering::Release);
        }
        if let Some(word) = self.filter.get(self.word(key)) {
            word.fetch_or(bits(key), Ordering::Release);
        }
        if now.since(*renewed_at) >= self.lifetime / RENEWALS {
            *renewed_at = now;
            self.renew_filter(now);
        }
        !was_there
    }

    /// Makes the filter anew, without what is forgotten. The caller holds the lock, so that no id enters meanwhile.
    // Each word changes at once, and only bits of forgotten ids go: a reader never misses an id that is there.
    fn renew_filter(&self, now: Tick) {
        let mut words = vec![0; self.filter.len()];
        for slot in &self.slots {
            let key = slot.key.load(Ordering::Relaxed);
            if key != 0
                && slot.until.load(Ordering::Relaxed) > now.as_nanos()
                && let Some(word) = words.get_mut(self.word(key))
            {
                *word |= bits(key);
            }
        }
        for (word, fresh) in self.filter.iter().zip(words) {
            word.store(fresh, Ordering::Release);
        }
    }

    #[inline]
    fn may_have(&self, key: u64) -> bool {
        let bits = bits(key);
        self.filter
            .get(self.word(key))
            .is_some_and(|word| word.load(Ordering::Acquire) & bits == bits)
    }

    #[cold]
    fn find(&self, key: u64, now: Tick) -> bool {
        self.buckets(key).into_iter().flatten().any(|slot| {
            slot.key.load(Ordering::Acquire) == key
                && slot.until.load(Ordering::Relaxed) > now.as_nanos()
        })
    }

    /// The place of a key's bits in the filter. It and the bucket are made of other bits than those of [`bits`].
    #[inline]
    fn word(&self, key: u64) -> usize {
        (key >> 12) as usize & (self.filter.len() - 1)
    }

    /// The two buckets that a key may be in. With one of them, a table as full as it may be had forgotten one id in 130.
    fn buckets(&self, key: u64) -> [&[Slot]; 2] {
        [key >> 36, key >> 16].map(|number| {
            let first = (number as usize * BUCKET) & (self.slots.len() - 1);
            self.slots.get(first..first + BUCKET).unwrap_or_default()
        })
    }

    /// Mixes an id, so that ids with few random bits spread as well.
    // Both halves meet a secret before they are multiplied, and so does the product: who does not know the seeds finds
    // no ids of one key, and none that fill a bucket.
    #[inline]
    fn key(&self, id: u128) -> u64 {
        let [low, high, middle, last] = self.seeds;
        let product = folded_product(id as u64 ^ low, (id >> 64) as u64 ^ high);
        // Zero marks a free slot.
        folded_product(product ^ middle, last | 1) | 1
    }

    #[inline]
    fn part_key(&self, trace_id: TraceId, top: SpanId) -> u64 {
        self.key(trace_id.to_bits() ^ (u128::from(top.to_bits()) << 32) ^ 1)
    }
}

/// The two bits of a key in its word of the filter.
#[inline]
fn bits(key: u64) -> u64 {
    // The lowest bit of a key is always set.
    (1 << (key >> 1 & 63)) | (1 << (key >> 58))
}
