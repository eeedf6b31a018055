//! How much of what other services keep is kept here, by the traces of a known share of the ids.

use std::time::Duration;

use crate::model::TraceId;
use crate::record::recent_ids::RecentIds;

/// One id of so many is watched, by a hash that has nothing to do with what is kept.
const SHARE: u64 = 64;

/// How many ids that left the ring are remembered at least; twice as many are at most.
const EVICTED: usize = 4_096;

/// Each bucket of durations ends a quarter of a power of two above the last; the first ends at a microsecond.
const BUCKETS: usize = 160;
const BUCKETS_PER_DOUBLING: f64 = 4.0;

/// So many durations are counted before all counts are halved, so that old ones fade.
const MOST_COUNTED: u32 = 4_096;
/// Fewer say nothing about one in a hundred.
const FEWEST_COUNTED: u32 = 100;

/// Whether this is one of the ids that are watched.
#[inline]
pub(in crate::record) fn is_watched(id: TraceId) -> bool {
    let bits = id.to_bits();
    // Ids from elsewhere need not be random in any part, so all parts count.
    let mixed = ((bits >> 64) as u64 ^ bits as u64).wrapping_mul(0xd6e8_feb8_6659_fd93);
    mixed >> 32 & (SHARE - 1) == 0
}

/// Watched traces that left the ring, and how long watched traces took.
#[derive(Debug)]
pub(super) struct CoherenceWatch {
    evicted: RecentIds<()>,
    durations: [u32; BUCKETS],
    counted: u32,
}

impl Default for CoherenceWatch {
    fn default() -> Self {
        Self { evicted: RecentIds::new(EVICTED), durations: [0; BUCKETS], counted: 0 }
    }
}

impl CoherenceWatch {
    pub(super) fn on_kept(&mut self, duration: Duration) {
        let doublings = (duration.as_secs_f64() * 1e6).max(1.0).log2();
        let bucket = (doublings * BUCKETS_PER_DOUBLING) as usize;
        if let Some(count) = self.durations.get_mut(bucket.min(BUCKETS - 1)) {
            *count += 1;
            self.counted += 1;
        }
        if self.counted >= MOST_COUNTED {
            self.durations.iter_mut().for_each(|count| *count /= 2);
            self.counted = self.durations.iter().sum();
        }
    }

    pub(super) fn on_evicted(&mut self, id: TraceId, duration: Option<Duration>) {
        self.evicted.insert(id, ());
        if let Some(duration) = duration {
            self.on_kept(duration);
        }
    }

    pub(super) fn has_evicted(&self, id: TraceId) -> bool {
        self.evicted.get(id).is_some()
    }

    /// The duration that one trace in a hundred exceeds, or a fifth more.
    pub(super) fn longest_duration(&self) -> Option<Duration> {
        if self.counted < FEWEST_COUNTED {
            return None;
        }
        let mut above = self.counted / 100;
        let is_within = |(_, count): &(usize, &u32)| {
            let is_within = **count > above;
            above = above.saturating_sub(**count);
            is_within
        };
        let (bucket, _) = self.durations.iter().enumerate().rev().find(is_within)?;
        Some(Duration::from_secs_f64(((bucket + 1) as f64 / BUCKETS_PER_DOUBLING).exp2() / 1e6))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn about_one_id_in_64_is_watched() {
        let watched = (0..64_000).filter(|_| is_watched(TraceId::new())).count();
        assert!((800..1_200).contains(&watched), "{watched}");
    }

    #[test]
    fn the_duration_that_one_in_a_hundred_exceeds_is_known_to_a_fifth() {
        let mut watch = CoherenceWatch::default();
        for number in 0..1_000_u64 {
            assert_eq!(watch.longest_duration().is_some(), number >= 100);
            let is_slow = number % 50 == 49;
            watch.on_kept(Duration::from_millis(if is_slow { 3_000 } else { 20 }));
        }
        let longest = watch.longest_duration().unwrap().as_secs_f64();
        assert!((3.0..3.6).contains(&longest), "{longest}");
        (0..20_000).for_each(|_| watch.on_kept(Duration::from_millis(20)));
        let longest = watch.longest_duration().unwrap().as_secs_f64();
        assert!((0.020..0.024).contains(&longest), "{longest}");
    }

    #[test]
    fn the_last_ids_that_left_are_known() {
        let mut watch = CoherenceWatch::default();
        let ids: Vec<TraceId> = (0..3 * EVICTED).map(|_| TraceId::new()).collect();
        ids.iter().for_each(|id| watch.on_evicted(*id, None));
        let (gone, last) = ids.split_at(2 * EVICTED);
        assert!(last.iter().all(|id| watch.has_evicted(*id)));
        assert!(!watch.has_evicted(gone[0]));
    }
}
