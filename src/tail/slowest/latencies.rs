//! A running percentile of durations in little memory.

use std::time::Duration;

use crate::time::nanos;

/// Durations below 2^10 ns count as equal, as do those from 2^46 ns on.
const LOWEST: u32 = 10;
const HIGHEST: u32 = 46;
/// Every doubling has 2^5 buckets, so a bucket is at most 1/32 of its durations wide.
const STEPS: u32 = 5;
const BUCKETS: usize = 2 + (((HIGHEST - LOWEST) as usize) << STEPS);

/// Counts durations in buckets of logarithmic width, and knows in which bucket a percentile lies.
///
/// Recording is constant time: the bucket of the percentile moves along with what is recorded.
#[derive(Debug)]
pub(super) struct Latencies {
    percentile: f64,
    /// At most [`Self::WINDOW`] in all, so that 16 bits suffice.
    counts: Vec<u16>,
    total: u32,
    /// The bucket of the percentile, by nearest rank.
    at: usize,
    /// How many durations lie in that bucket or below.
    to_at: u32,
}

impl Latencies {
    /// At so many durations all counts are halved: the older half of the past counts half.
    pub(super) const WINDOW: u32 = 20_000;

    pub(super) fn new(percentile: f64) -> Self {
        Self { percentile, counts: vec![0; BUCKETS], total: 0, at: 0, to_at: 0 }
    }

    /// How many durations it rests on.
    pub(super) fn total(&self) -> u32 {
        self.total
    }

    /// Whether a duration lies in a bucket above that of the percentile.
    pub(super) fn is_slow(&self, duration: Duration) -> bool {
        bucket(duration) > self.at
    }

    pub(super) fn record(&mut self, duration: Duration) {
        let bucket = bucket(duration);
        if let Some(count) = self.counts.get_mut(bucket) {
            *count = count.saturating_add(1);
            self.total += 1;
            self.to_at += u32::from(bucket <= self.at);
        }
        if self.total >= Self::WINDOW {
            self.halve();
        }
        self.follow();
    }

    /// Halves all counts. What one bucket loses to rounding the next one gets, so that a tail of many
    /// buckets with one duration each does not vanish.
    fn halve(&mut self) {
        let mut odd = 0;
        for count in &mut self.counts {
            let sum = *count + odd;
            *count = sum / 2;
            odd = sum % 2;
        }
        self.total = sum(&self.counts);
        self.to_at = self.counts.get(..=self.at).map_or(0, sum);
    }

    /// Moves to the first bucket up to which the percentile's share of the durations lies.
    fn follow(&mut self) {
        // Products such as 0.07 * 100 come out a little too large.
        let rank = (self.percentile * f64::from(self.total) - 1e-6).ceil() as u32;
        while self.to_at < rank {
            let Some(next) = self.counts.get(self.at + 1) else {
                return;
            };
            self.at += 1;
            self.to_at += u32::from(*next);
        }
        while let Some(here) = self.counts.get(self.at)
            && self.at > 0
            && self.to_at - u32::from(*here) >= rank
        {
            self.to_at -= u32::from(*here);
            self.at -= 1;
        }
    }
}

fn sum(counts: &[u16]) -> u32 {
    counts.iter().copied().map(u32::from).sum()
}

/// The bucket of a duration; longer ones have higher buckets.
fn bucket(duration: Duration) -> usize {
    let nanos = nanos(duration);
    let Some(power) = nanos.checked_ilog2().filter(|power| *power >= LOWEST) else {
        return 0;
    };
    if power >= HIGHEST {
        return BUCKETS - 1;
    }
    let step = (nanos >> (power - STEPS)) as usize & ((1 << STEPS) - 1);
    1 + (((power - LOWEST) as usize) << STEPS) + step
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::kit::Random;

    /// The nearest-rank percentile of all durations.
    fn exact(past: &[u64], percentile: f64) -> u64 {
        let mut sorted = past.to_vec();
        sorted.sort_unstable();
        let rank = (percentile * past.len() as f64 - 1e-6).ceil() as usize;
        sorted[rank.max(1) - 1]
    }

    /// Durations as services have them: a body, and a tail that is much longer.
    fn load(random: &Random) -> Duration {
        let uniform = |random: &Random| (random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64;
        let sum: f64 = (0..12).map(|_| uniform(random)).sum();
        Duration::from_nanos((20e6 * (sum - 6.0).exp()) as u64)
    }

    /// What share of so many durations is slow, in percent.
    fn slow_share(
        latencies: &mut Latencies,
        count: u32,
        mut next: impl FnMut() -> Duration,
    ) -> f64 {
        let mut slow = 0;
        for _ in 0..count {
            let duration = next();
            slow += u32::from(latencies.is_slow(duration));
            latencies.record(duration);
        }
        100.0 * f64::from(slow) / f64::from(count)
    }

    #[test]
    fn buckets_rise_with_the_duration_and_cover_all_of_them() {
        let at = |nanos| bucket(Duration::from_nanos(nanos));
        assert_eq!((at(0), at(1023), at(1024)), (0, 0, 1));
        assert_eq!(at((1 << HIGHEST) - 1), BUCKETS - 2);
        assert_eq!((at(1 << HIGHEST), bucket(Duration::MAX)), (BUCKETS - 1, BUCKETS - 1));
        let mut nanos = 1024_u64;
        while nanos < 1 << HIGHEST {
            let next = nanos + nanos.div_ceil(32);
            assert!(at(next) > at(nanos), "{nanos} and {next} share a bucket");
            assert!(at(next) <= at(nanos) + 2);
            nanos = next;
        }
    }

    proptest! {
        #[test]
        fn it_tells_slow_from_not_slow_within_a_32nd(
            durations in prop::collection::vec(
                prop_oneof![1_000_000_u64..2_000_000, 1_024_u64..60_000_000_000, Just(5_000_000)],
                1..400,
            ),
            percentile in prop_oneof![Just(0.5), Just(0.9), Just(0.99), 0.01..0.999],
        ) {
            let mut latencies = Latencies::new(percentile);
            for (index, &nanos) in durations.iter().enumerate() {
                if index > 0 {
                    let limit = exact(&durations[..index], percentile);
                    let is_slow = latencies.is_slow(Duration::from_nanos(nanos));
                    prop_assert!(!is_slow || nanos > limit, "{nanos} is not above {limit}");
                    let clearly = limit + limit.div_ceil(32);
                    prop_assert!(is_slow || nanos < clearly, "{nanos} is well above {limit}");
                }
                latencies.record(Duration::from_nanos(nanos));
            }
        }

        #[test]
        fn the_place_it_keeps_is_the_place_a_count_from_scratch_finds(
            durations in prop::collection::vec(1_000_u64..1_000_000_000, 1..200),
            repeats in 1_usize..400,
            percentile in 0.01..0.999,
        ) {
            let mut latencies = Latencies::new(percentile);
            for nanos in durations.iter().cycle().take(durations.len() * repeats) {
                latencies.record(Duration::from_nanos(*nanos));
            }
            let rank = (percentile * f64::from(latencies.total) - 1e-6).ceil() as u32;
            let mut sum = 0;
            let from_scratch = latencies.counts.iter().position(|count| {
                sum += u32::from(*count);
                sum >= rank
            });
            prop_assert_eq!(from_scratch, Some(latencies.at));
            prop_assert_eq!(sum, latencies.to_at);
            prop_assert!(latencies.total < Latencies::WINDOW);
        }
    }

    #[test]
    fn under_a_stationary_load_the_kept_share_is_what_the_percentile_leaves() {
        let random = Random::seeded(11);
        for (percentile, share) in [(0.99, 0.8..1.05), (0.9, 9.2..10.2), (0.5, 48.0..50.5)] {
            let mut latencies = Latencies::new(percentile);
            slow_share(&mut latencies, 2_000, || load(&random));
            let kept = slow_share(&mut latencies, 200_000, || load(&random));
            assert!(share.contains(&kept), "{kept} % at percentile {percentile}");
        }
    }

    #[test]
    fn it_follows_a_service_that_became_slower_and_one_that_became_faster() {
        let random = Random::seeded(13);
        let mut latencies = Latencies::new(0.99);
        let slower = || load(&random) * 10;
        slow_share(&mut latencies, 30_000, || load(&random));
        let at_first = slow_share(&mut latencies, 100, slower);
        assert!(at_first > 30.0, "{at_first} %");
        slow_share(&mut latencies, 40_000, slower);
        let later = slow_share(&mut latencies, 20_000, slower);
        assert!((0.7..1.2).contains(&later), "{later} %");
        slow_share(&mut latencies, 120_000, || load(&random));
        let back = slow_share(&mut latencies, 20_000, || load(&random));
        assert!((0.7..1.2).contains(&back), "{back} %");
    }

    #[test]
    fn halving_keeps_the_sums_of_a_thin_tail() {
        let mut latencies = Latencies::new(0.99);
        latencies.counts.fill(1);
        latencies.total = BUCKETS as u32;
        latencies.halve();
        assert_eq!(latencies.total, BUCKETS as u32 / 2);
        assert!(latencies.counts.windows(2).all(|pair| pair[0] + pair[1] == 1));
    }
}
